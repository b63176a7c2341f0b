/** Port: immutable binary objects with the semantics of Azure Blob Storage. */
/** The containers of the service; all exist before the first call. */
export const containerNames = [
  'instances',
  'derived',
  'import',
  'import-reports',
  'import-refused',
] as const;
export type ContainerName = (typeof containerNames)[number];

export interface ByteRange {
  readonly offset: number;
  /** To the end when left out. */
  readonly length?: number;
}

export interface BlobContent {
  /** The bytes of the range, in chunks as they are asked for. Read it once; leaving it ends it. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Ends the download, also while it is being read; needed when it is not read at all. */
  cancel(): void;
  /** Bytes that `body` carries. */
  readonly length: number;
  /** Changes whenever the blob is written. */
  readonly etag: string;
}

/** A blob as a list has it. */
export interface ListedBlob {
  readonly name: string;
  /** Bytes. */
  readonly length: number;
}

export interface ListOptions {
  /** What the names begin with; every name when left out. */
  readonly prefix?: string;
  /** Most blobs on the page, 1 to 5000; 5000 when left out. */
  readonly limit?: number;
  /** Where the previous page of the same list ended. */
  readonly continuation?: string;
  readonly signal?: AbortSignal;
}

export interface BlobPage {
  /** In order of their names. May be short, even empty, although a continuation follows. */
  readonly blobs: readonly ListedBlob[];
  /** Present when more blobs may follow. */
  readonly continuation?: string;
}

/** Most blobs on a page of a list, as on Azure. */
export const listPageBlobs = 5000;

/**
 * Every method rejects with `ServiceError`: `storage-unavailable` when the service is away, busy or
 * times out after retries, `client-aborted` when the signal fired. Errors of `body` in `put` pass
 * through as they are, and then nothing has been stored. A name that no blob may have
 * (`blob-name.ts`) rejects with a `RangeError` before anything is sent.
 */
export interface BlobStore {
  /**
   * Stores what `body` yields. The blob appears whole or not at all, after `body` has ended; memory
   * holds a few blocks, whatever the size. A small body costs one call.
   *
   * A signal that fires once the body has ended changes nothing: a call that was given up halfway may still
   * make a blob, which nobody would know of.
   *
   * @returns the number of bytes stored.
   */
  put(
    container: ContainerName,
    name: string,
    body: AsyncIterable<Uint8Array>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<{ readonly length: number }>;

  /** Opens a blob or a range of it; `undefined` when it is not there. */
  get(
    container: ContainerName,
    name: string,
    range?: ByteRange,
    options?: { readonly signal?: AbortSignal },
  ): Promise<BlobContent | undefined>;

  /** One page of the blobs of a container: one call. A limit out of bounds throws a `RangeError`. */
  list(container: ContainerName, options?: ListOptions): Promise<BlobPage>;

  /** Removes blobs, in batches; those that are not there are passed over. */
  delete(container: ContainerName, names: readonly string[]): Promise<void>;

  /**
   * Removes a blob unless it has been written since `get` gave its `etag`: one call. One that is not
   * there is passed over.
   */
  deleteUnchanged(container: ContainerName, name: string, etag: string): Promise<void>;

  /** Resolves when the service answers; for the health check. */
  check(signal?: AbortSignal): Promise<void>;
}
