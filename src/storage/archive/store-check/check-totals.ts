/** The last pass: the totals that the log keeps are those of the rows. */
import { readTails, writeTail, type Tail } from '../log/log-tail.js';
import { added, bytesOf, encodeTotals, type PartitionTotals } from '../log/totals.js';
import type { TableStore } from '../../table-store.js';
import type { CheckContext } from './check-context.js';
import type { Finding } from './finding.js';
import type { CheckedStudy } from './checked-study.js';

/** Partitions in the detail of a finding at most. */
const mostNamed = 5;

/** Counts the studies of a pass over the catalog, whose beginning it has seen. */
export class Census {
  readonly #tails: readonly Tail[];
  #counted: PartitionTotals = new Map();

  private constructor(tails: readonly Tail[]) {
    this.#tails = tails;
  }

  static async begin({ tables }: CheckContext): Promise<Census> {
    return new Census(await readTails(tables));
  }

  count({ partition, instances }: CheckedStudy): void {
    const series = new Set(instances.map((instance) => instance.series)).size;
    const studies = Math.min(instances.length, 1);
    this.#counted = added(this.#counted, [
      [partition, { studies, series, instances: instances.length, bytes: bytesOf(instances) }],
    ]);
  }

  /** What the totals differ by; nothing when something was stored or deleted since the pass began. */
  async *findings({ tables }: CheckContext): AsyncGenerator<Finding> {
    const tails = await readTails(tables);
    const before = new Map(this.#tails.map(({ shard, newest }) => [shard, newest]));
    const isQuiet = [...this.#tails, ...tails].every(
      ({ shard, newest, open }) => open.length === 0 && before.get(shard) === newest,
    );
    if (!isQuiet || tails[0]?.etag === undefined) return;
    const missing = differences(this.#counted, tails);
    const isKept = tails.every(areKept);
    if (isKept && missing.size === 0) return;
    const lines = [...missing].map(([partition, one]) => `${partition} by ${encodeTotals(one)}`);
    const detail = isKept ? lines.slice(0, mostNamed).join(', ') : 'not kept';
    const target = { kind: 'totals', tails, missing } as const;
    yield { kind: 'totals-wrong', where: 'log', detail, target };
  }
}

/** Whether a tail keeps all totals; one from before bytes were counted does not. */
function areKept({ totals }: Tail): boolean {
  return totals !== undefined && [...totals.values()].every(({ bytes }) => bytes !== undefined);
}

function differences(counted: PartitionTotals, tails: readonly Tail[]): PartitionTotals {
  const kept = tails.flatMap(({ totals }) => [...(totals ?? [])]);
  return added(
    counted,
    kept.map(([partition, { studies, series, instances, bytes }]) => {
      const counts = { studies: -studies, series: -series, instances: -instances };
      return [partition, { ...counts, bytes: -(bytes ?? 0) }] as const;
    }),
  );
}

/**
 * Adds what is missing to the tail of the first shard, and lets those that keep none, or no bytes, begin with none.
 *
 * @param tails - as they were when the totals were found wrong.
 * @returns whether none of them had moved.
 */
export async function mendTotals(
  tables: TableStore,
  tails: readonly Tail[],
  missing: PartitionTotals,
): Promise<boolean> {
  for (const [position, tail] of tails.entries()) {
    if (position > 0 && areKept(tail)) continue;
    const kept: PartitionTotals = new Map(
      [...(tail.totals ?? [])].map(([name, one]) => [name, { ...one, bytes: one.bytes ?? 0 }]),
    );
    const totals = position === 0 ? added(kept, missing) : kept;
    if ((await writeTail(tables, tail, { totals })) === undefined) return false;
  }
  return true;
}
