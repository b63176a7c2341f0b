/** Port: containers outside the archive, into which instances are exported. */

/** Where an export goes, in the form in which a client names it. May hold a secret. */
export type DestinationSettings =
  | { readonly blobContainerUri: string; readonly useManagedIdentity: boolean }
  | { readonly connectionString: string; readonly blobContainerName: string };

/** Every method rejects with `ServiceError` `storage-unavailable` when the destination does not answer. */
export interface ExportDestination {
  /**
   * Makes the empty error log of an export, and makes sure that blobs can be written, and written over.
   *
   * @throws ServiceError `destination-refused` when the container is not there, lets us not in, or
   *   cannot be written.
   */
  prepare(logName: string): Promise<void>;
  /**
   * Stores a blob, whatever was there.
   *
   * @throws whatever `body` throws; then nothing is stored. ServiceError `destination-refused` when it is this blob that
   *   the destination does not take.
   */
  put(name: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Adds lines to the error log. */
  append(logName: string, lines: string): Promise<void>;
  /** The URL of a blob, without what would let one in. */
  urlOf(name: string): string;
}

export interface ExportDestinations {
  /**
   * Opens a destination. Sends nothing yet.
   *
   * @throws ServiceError `destination-refused` for one that the service may not write to.
   */
  open(settings: DestinationSettings): Promise<ExportDestination>;
}
