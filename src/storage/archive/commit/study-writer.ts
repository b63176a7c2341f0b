/**
 * The one writer of a study within this process: it merges concurrent stores into one commit and
 * keeps deletes in their place among them.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { tableLimits } from '../../table-store.js';
import { Batcher } from '../batcher.js';
import type { NewInstance } from './catalog-plan.js';
import { DeleteCommit, type DeleteScope, type DeleteWatch } from './delete-commit.js';
import type { Partition } from '../keys.js';
import {
  StoreCommit,
  type Arriving,
  type CommitResult,
  type StoreOutcome,
} from './store-commit.js';
import { rowCount, rowsPerTransaction, StudyRows, type StudyParts } from './study-rows.js';

type Work =
  | ({ readonly kind: 'store' } & Arriving)
  | {
      readonly kind: 'delete';
      readonly scope: DeleteScope;
      readonly watch: DeleteWatch;
    };

/** Of a store what became of it, of a delete how many instances it took. */
type Outcome = StoreOutcome | number;

/** Leaves room for keys and the framing of a transaction, which Azure counts as well. */
const bytesPerTransaction = tableLimits.transactionBytes * 0.6;
const bytesPerRow = 4096;

function bytesOf({ metadata, index, update }: NewInstance): number {
  // Binary travels as base64.
  const bytes = ((metadata.length + index.length) * 4) / 3 + bytesPerRow;
  // With it goes the row that is kept as the original.
  return update === undefined ? bytes : bytes * 2;
}

function isSame({ record: a }: NewInstance, { record: b }: NewInstance): boolean {
  return a.instance === b.instance && a.series === b.series;
}

function isStore(work: Work): work is Extract<Work, { kind: 'store' }> {
  return work.kind === 'store';
}

/** Whether a piece of work may share the commit of a batch. */
function fits(batch: readonly Work[], next: Work): boolean {
  if (!isStore(next) || !batch.every(isStore)) return false;
  // Two stores of one instance are two commits, in their order.
  if (batch.some(({ instance }) => isSame(instance, next.instance))) return false;
  const stores = [...batch, next];
  const instances = stores.map(({ instance }) => instance);
  const bytes = instances.reduce((sum, instance) => sum + bytesOf(instance), 0);
  // One that is replaced may have an original, whose row goes; that of an update counts already.
  const replaced = stores.filter(
    ({ mode, instance }) => mode === 'replace' && instance.update === undefined,
  );
  return (
    rowCount(instances) + replaced.length <= rowsPerTransaction && bytes <= bytesPerTransaction
  );
}

export class StudyWriter {
  readonly #rows: StudyRows;
  readonly #work: Batcher<Work, Outcome>;

  constructor(partition: Partition, study: StudyInstanceUID, parts: StudyParts) {
    this.#rows = new StudyRows(partition, study, parts);
    this.#work = new Batcher<Work, Outcome>({
      flush: async (batch, join) => await this.#flush(batch, join),
      fits,
    });
  }

  /** Whether the writer may be forgotten. */
  get idle(): boolean {
    return this.#work.idle && this.#rows.idle;
  }

  /** What is kept of the rows of the study, about: bytes of memory. */
  get heldBytes(): number {
    return this.#rows.heldBytes;
  }

  /**
   * Commits an instance once its files are stored.
   *
   * @throws the error of its upload, or why it was given up.
   */
  async store(arriving: Arriving): Promise<CommitResult> {
    const outcome = await this.#work.add({ kind: 'store', ...arriving });
    if (typeof outcome === 'object') throw outcome.error;
    return typeof outcome === 'string' ? outcome : 'exists';
  }

  /** Deletes what the scope names; answers how many instances that were. */
  async delete(scope: DeleteScope, watch: DeleteWatch): Promise<number> {
    const outcome = await this.#work.add({ kind: 'delete', scope, watch });
    return typeof outcome === 'number' ? outcome : 0;
  }

  /** Reads the rows ahead of a commit that is to come. */
  async warm(): Promise<void> {
    await this.#rows.warm(() => !this.#work.idle);
  }

  async #flush(batch: readonly Work[], join: () => readonly Work[]): Promise<readonly Outcome[]> {
    const [first] = batch;
    if (first?.kind === 'delete') {
      return [await new DeleteCommit(this.#rows).delete(first.scope, first.watch)];
    }
    const commit = new StoreCommit(this.#rows, () => join().filter(isStore));
    return await commit.store(batch.filter(isStore));
  }
}
