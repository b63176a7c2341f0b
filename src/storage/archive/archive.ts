/** The archive: instances and their index rows over the two storage ports. */
import type { BlobStore } from '../blob-store.js';
import type { TableStore } from '../table-store.js';

export interface ArchiveOptions {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
}

/** Opens the archive over its stores. */
export function openArchive(options: ArchiveOptions): Archive {
  return new Archive(options);
}

export class Archive {
  readonly tables: TableStore;
  readonly blobs: BlobStore;

  constructor({ tables, blobs }: ArchiveOptions) {
    this.tables = tables;
    this.blobs = blobs;
  }

  /** Resolves when the work under way has settled; for a clean shutdown. */
  async close(): Promise<void> {
    await Promise.resolve();
  }
}
