/**
 * Port: leave for a client to write one blob by itself, past the service. Only to the container
 * `import`, whose files are judged before anything else reads them.
 */

/** The leave to write one blob, good for whoever holds it. */
export interface UploadGrant {
  /** Where any blob client writes to; it holds a signature and is as secret as a token. */
  readonly url: string;
  /** When it ends; blocks sent before stay, and what was not committed by then never will be. */
  readonly expires: Date;
}

export interface UploadGrants {
  /**
   * Makes a grant to write, and nothing else, the blob `name` of the container `import`.
   *
   * @param milliseconds - how long it is good for.
   * @throws ServiceError `uploads-unavailable` when the store cannot sign, `storage-unavailable`.
   */
  grant(name: string, milliseconds: number): Promise<UploadGrant>;
}
