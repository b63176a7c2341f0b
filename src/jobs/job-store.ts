/** The rows of jobs: every change is guarded by the ETag, so that of two who change one only one does. */
import { rowPages } from '../storage/row-pages.js';
import type { TableStore } from '../storage/table-store.js';
import { decodeJob, encodeJob, isOver, type Job, type JobId } from './job.js';

const partitionKey = 'jobs';
/** Begins the keys of rows that tell which job of a type was begun last; sorts after every id. */
const lastOf = '~';

/** A job as it was read: what `replace` is guarded by. */
export interface StoredJob {
  readonly job: Job;
  readonly etag: string;
}

export class JobStore {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /** @throws ServiceError `payload-too-large`, `storage-unavailable`. */
  async insert(job: Job): Promise<void> {
    const properties = encodeJob(job);
    await this.#tables.transact('operations', partitionKey, [
      { kind: 'insert', rowKey: job.id, properties },
    ]);
  }

  /**
   * Adds a job unless another one of its type goes on: which one was begun last is noted with it, in one transaction.
   *
   * @returns the id of the one that goes on; that of the job when there was none.
   * @throws ServiceError `payload-too-large`, `storage-unavailable`.
   */
  async insertAlone(job: Job): Promise<JobId> {
    const rowKey = lastOf + job.type;
    const properties = { job: job.id };
    const add = { kind: 'insert', rowKey: job.id, properties: encodeJob(job) } as const;
    for (;;) {
      const last = await this.#tables.get('operations', partitionKey, rowKey);
      const other = last && (await this.get(last.properties['job'] as JobId));
      if (other !== undefined && !isOver(other.job)) return other.job.id;
      const outcome = await this.#tables.transact('operations', partitionKey, [
        add,
        last === undefined
          ? { kind: 'insert', rowKey, properties }
          : { kind: 'replace', rowKey, properties, etag: last.etag },
      ]);
      if (outcome.committed) return job.id;
    }
  }

  /** @throws ServiceError `storage-unavailable`. */
  async get(id: JobId): Promise<StoredJob | undefined> {
    const entity = await this.#tables.get('operations', partitionKey, id);
    return entity && { job: decodeJob(entity), etag: entity.etag };
  }

  /**
   * Writes a job over one that has not changed since it was read.
   *
   * @returns `undefined` when it has, or is gone.
   * @throws ServiceError `storage-unavailable`; the change may have happened nevertheless.
   */
  async replace({ etag }: StoredJob, job: Job): Promise<StoredJob | undefined> {
    const outcome = await this.#tables.transact('operations', partitionKey, [
      { kind: 'replace', rowKey: job.id, properties: encodeJob(job), etag },
    ]);
    const written = outcome.committed ? outcome.etags[0] : undefined;
    return written === undefined ? undefined : { job, etag: written };
  }

  /** Forgets a job that has not changed since it was read. @throws ServiceError `storage-unavailable`. */
  async remove({ job, etag }: StoredJob): Promise<void> {
    await this.#tables.transact('operations', partitionKey, [
      { kind: 'delete', rowKey: job.id, etag },
    ]);
  }

  /** Every job that is kept. @throws ServiceError `storage-unavailable`. */
  async *all(): AsyncGenerator<StoredJob, void, undefined> {
    for await (const { rows } of rowPages(this.#tables, 'operations', {
      partitionKey,
      to: lastOf,
    })) {
      for (const entity of rows) yield { job: decodeJob(entity), etag: entity.etag };
    }
  }
}
