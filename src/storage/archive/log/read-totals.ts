/** Reads how many studies, series and instances a partition has by now, and their bytes: from the tails, and from what is open. */
import { logPartitionKey, logRowKey, type Partition } from '../keys.js';
import { decodeIntent, intentTotalsProperties } from './intent.js';
import { readTails } from './log-tail.js';
import { shardOfSequence } from './sequence.js';
import { isNone, noTotals, plus, type Totals } from './totals.js';
import { openAmong, verdictOf, type VerdictParts } from './verdict.js';

/** Intents are closed a second after their commit; so many are looked at. */
const mostOpen = 500;
/** Times that counting begins again since an intent was closed under it. */
const mostTries = 4;

/** What an open intent makes more or fewer, if it was carried out. */
interface Opened {
  readonly totals: Totals;
  /** Whether the study row does not say that it was carried out: so it was not, if it is open still. */
  readonly isUncertain: boolean;
}

async function readOpen(
  { tables, catalog }: VerdictParts,
  partition: Partition,
  sequence: number,
): Promise<Opened> {
  const partitionKey = logPartitionKey(shardOfSequence(sequence));
  const row = await tables.get('log', partitionKey, logRowKey(sequence), {
    select: intentTotalsProperties,
  });
  if (row === undefined) return { totals: noTotals, isUncertain: true };
  const intent = decodeIntent(row);
  if (intent.partition !== partition || isNone(intent.totals)) {
    return { totals: noTotals, isUncertain: false };
  }
  const verdict = await verdictOf({ catalog }, intent);
  return verdict === 'happened'
    ? { totals: intent.totals, isUncertain: false }
    : { totals: noTotals, isUncertain: true };
}

/**
 * The totals of a partition: all that was committed before the call is in them.
 *
 * Calls: one for each shard, and two for each open intent.
 *
 * @returns `undefined` where the log does not keep them, or is too busy to tell.
 */
export async function readTotals(
  parts: VerdictParts,
  partition: Partition,
): Promise<Totals | undefined> {
  const { tables } = parts;
  for (let attempt = 0; attempt < mostTries; attempt++) {
    const tails = await readTails(tables);
    let sum = noTotals;
    if (tails[0]?.etag === undefined) return undefined;
    for (const { totals } of tails) {
      if (totals === undefined) return undefined;
      sum = plus(sum, totals.get(partition) ?? noTotals);
    }
    const open = tails.flatMap((tail) => tail.open);
    if (open.length > mostOpen) return undefined;
    const opened = await Promise.all(
      open.map(async (sequence) => await readOpen(parts, partition, sequence)),
    );
    const uncertain = open.filter((_, position) => opened[position]?.isUncertain === true);
    if (uncertain.length > 0) {
      // Once an intent is closed, its study row need not name it any more.
      const still = await openAmong(tables, uncertain);
      if (uncertain.some((sequence) => !still.has(sequence))) continue;
    }
    return opened.reduce((total, { totals }) => plus(total, totals), sum);
  }
  return undefined;
}
