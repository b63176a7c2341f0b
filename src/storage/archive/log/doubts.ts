/**
 * Which studies index rows may lie about. Rows are put down before the commit that makes them true and go after
 * the one that makes them false; all that time an intent of the study is open, or void and not yet cleared away.
 * Whoever counts index rows without asking the catalog begins before he reads them, and asks afterwards.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { rowPages } from '../../row-pages.js';
import type { TableStore } from '../../table-store.js';
import { intentRows, logClearedKey, logHeadPartition, type Partition } from '../keys.js';
import { readTails, type Tail } from './log-tail.js';

/** Pages of a shard, of a thousand intents, that are looked through for void ones. */
const mostPages = 20;

export class Doubts {
  readonly #tables: TableStore;
  readonly #before: ReadonlyMap<number, Tail>;

  private constructor(tables: TableStore, tails: readonly Tail[]) {
    this.#tables = tables;
    this.#before = new Map(tails.map((tail) => [tail.shard, tail]));
  }

  /** Calls: one for each shard. */
  static async begin(tables: TableStore): Promise<Doubts> {
    return new Doubts(tables, await readTails(tables));
  }

  /**
   * The studies of a partition whose index rows may have lied at any time since the beginning: those of intents
   * that were open, that came since, or that are void.
   *
   * Calls: three for each shard, and more where much was stored since recovery last ran.
   *
   * @returns `undefined` where there is too much to look through.
   */
  async studies(partition: Partition): Promise<ReadonlySet<StudyInstanceUID> | undefined> {
    const tails = await readTails(this.#tables);
    const found = await Promise.all(
      tails.map(async (tail) => await this.#ofShard(tail, partition)),
    );
    const studies = new Set<StudyInstanceUID>();
    for (const some of found) {
      if (some === undefined) return undefined;
      for (const study of some) studies.add(study);
    }
    return studies;
  }

  async #ofShard(
    { shard, open }: Tail,
    partition: Partition,
  ): Promise<readonly StudyInstanceUID[] | undefined> {
    const before = this.#before.get(shard);
    const inDoubt = new Set([...open, ...(before?.open ?? [])]);
    const key = logClearedKey(shard);
    const row = await this.#tables.get('log', logHeadPartition, key);
    const cleared = Number(row?.properties['sequence'] ?? 0);
    const range = intentRows(shard, Math.min(cleared + 1, ...inDoubt));
    const select = ['partition', 'study', 'void'];
    const studies: StudyInstanceUID[] = [];
    let pages = 0;
    for await (const { rows } of rowPages(this.#tables, 'log', range, { select })) {
      if (++pages > mostPages) return undefined;
      for (const { rowKey, properties } of rows) {
        const sequence = Number(rowKey);
        const isDoubtful =
          properties['void'] === true || inDoubt.has(sequence) || sequence > (before?.newest ?? 0);
        if (isDoubtful && properties['partition'] === partition) {
          studies.push(properties['study'] as StudyInstanceUID);
        }
      }
    }
    return studies;
  }
}
