/** What every part of the check works with. */
import { timeBudgets } from '../../../time-budgets.js';
import type { BlobStore } from '../../blob-store.js';
import type { TableStore } from '../../table-store.js';
import { readTagList, type TagList } from '../query-tag-list.js';

export const checkPhases = ['catalog', 'index', 'blobs', 'log'] as const;
export type CheckPhase = (typeof checkPhases)[number];

export interface CheckProgress {
  readonly phase: CheckPhase;
  /** Studies, index rows, blobs or log entries looked at so far. */
  readonly done: number;
}

export interface CheckOptions {
  /** Milliseconds since 1970; the clock of storage when left out. */
  readonly now?: () => number;
  /** Milliseconds for which a blob may be without its row; a day when left out. */
  readonly orphanAge?: number;
  readonly onProgress?: (progress: CheckProgress) => void;
}

export interface Stores {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
}

export interface CheckContext extends Stores {
  readonly now: () => number;
  readonly blobAge: number;
  readonly indexAge: number;
  /** The query tags as they are by now, so that nobody judges by those of before. */
  readonly tagList: () => Promise<TagList>;
  readonly progress: (phase: CheckPhase, done: number) => void;
}

export function contextOf({ tables, blobs }: Stores, options: CheckOptions = {}): CheckContext {
  const { now = () => tables.now(), orphanAge = timeBudgets.youngBlob, onProgress } = options;
  return {
    tables,
    blobs,
    now,
    blobAge: orphanAge,
    tagList: async () => await readTagList(tables),
    indexAge: Math.min(orphanAge, timeBudgets.youngIndexRow),
    progress: (phase, done) => onProgress?.({ phase, done }),
  };
}
