/**
 * The cut in the log behind which every commit was planned with a version of the query tags. What was committed
 * before it is in the catalog by then, so whoever looks through the catalog afterwards misses nothing.
 */
import { chunksOfSize } from '../../../group-by.js';
import type { SettleParts } from '../commit/settle.js';
import { stampTails } from '../log/log-tail.js';
import { readIntent, verdictOf } from '../log/verdict.js';

const atOnce = 16;

/**
 * Makes the cut: nothing that was planned with an earlier version is committed after this has resolved. May be
 * made again. Costs a read of each shard twice and a write, and two or three calls for each store under way.
 *
 * @throws ServiceError `storage-unavailable`.
 */
export async function cutBehind(parts: SettleParts, version: number): Promise<void> {
  const open = await stampTails(parts.tables, parts.runtime, version);
  for (const some of chunksOfSize(open, atOnce)) {
    await Promise.all(some.map(async (sequence) => await endOf(parts, sequence)));
  }
}

/** Resolves when an intent has been carried out, or never will be: its writer loses a race then, and begins again. */
async function endOf(parts: SettleParts, sequence: number): Promise<void> {
  for (;;) {
    const intent = await readIntent(parts, sequence);
    if (intent === undefined || intent.isVoid) return;
    if ((await verdictOf(parts, intent)) !== 'open') return;
    if (await parts.catalog.fence(intent.partition, intent.study, intent.base)) return;
  }
}
