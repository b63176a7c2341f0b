/** One pass over a source: everything that it has and that was not copied yet, once. */
import { batchLimits } from '../import/batches.js';
import { inParallel } from '../import/in-parallel.js';
import type { Change } from './feed.js';
import { readFeed } from './feed.js';
import { searchAll } from './listing.js';
import type { Dated, MigrationJournal } from './migration-journal.js';
import type { Source } from './source.js';
import type { PlacedInstance } from './addresses.js';

/** An instance to be copied. */
export interface Item extends Dated {
  /** Whether it takes the place of what was copied before. */
  readonly replaces: boolean;
}

export interface PassOptions {
  readonly source: Source;
  readonly journal: MigrationJournal;
  /** Copies a few instances, and notes in the journal what became of each. */
  readonly copy: (items: readonly Item[]) => Promise<void>;
  /** Removes what was copied and is no longer at the source, and notes it. */
  readonly remove: (items: readonly Dated[]) => Promise<void>;
  /** Groups of instances at the same time. */
  readonly parallel: number;
  /** Whether instances take the place of others with their UIDs in the destination. */
  readonly replace: boolean;
  /** Compares everything anew, whatever the journal says. */
  readonly again: boolean;
  /** Milliseconds before the newest change in which the feed may still be filled. */
  readonly settling: number;
  /** Called after each page or group, with the time up to which the feed was read. */
  readonly onProgress: (readTo: string | undefined) => void;
  readonly signal: AbortSignal;
}

async function* groupsOf<Value>(values: AsyncIterable<Value> | Iterable<Value>) {
  let group: Value[] = [];
  for await (const value of values) {
    group.push(value);
    if (group.length < batchLimits.files) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

async function copyAll(
  options: PassOptions,
  items: AsyncIterable<Item> | Iterable<Item>,
): Promise<void> {
  const { parallel, signal } = options;
  await inParallel(groupsOf(items), parallel, async (group) => {
    if (signal.aborted) return;
    await options.copy(group);
    options.onProgress(undefined);
  });
}

/** As of what an instance is wanted, and whether it replaces. */
function itemOf({ journal, replace }: PassOptions, dated: Dated, isUpdate: boolean): Item {
  const before = journal.copied(dated);
  return { ...dated, replaces: replace || isUpdate || before !== undefined };
}

/** Of changes, the instances that are to be copied, and those that are to be deleted. */
function workIn(options: PassOptions, changes: readonly Change[]) {
  const { journal, source, again } = options;
  const ours = changes.filter(
    ({ partition }) => source.partition === undefined || partition === source.partition,
  );
  const isNew = (change: Change) => again || (journal.copied(change) ?? -1) < change.sequence;
  return {
    copies: ours
      .filter((change) => change.action !== 'Delete' && change.state === 'Current' && isNew(change))
      .map((change) => itemOf(options, change, change.action === 'Update')),
    deletes: ours.filter(
      (change) =>
        change.action === 'Delete' &&
        change.state === 'Deleted' &&
        journal.copied(change) !== undefined,
    ),
  };
}

async function passOverFeed(options: PassOptions): Promise<void> {
  const { journal, source, again, settling, signal } = options;
  const from = again ? undefined : journal.position;
  for await (const { changes, settled } of readFeed(source, from, settling)) {
    const { copies, deletes } = workIn(options, changes);
    await copyAll(options, copies);
    await options.remove(deletes);
    if (signal.aborted) return;
    await journal.moveTo(settled);
    options.onProgress(changes.at(-1)?.timestamp);
  }
}

async function passOverSearch(options: PassOptions): Promise<void> {
  const { journal, source, again } = options;
  async function* wanted(): AsyncGenerator<Item, void, undefined> {
    for await (const instance of searchAll(source)) {
      const found: PlacedInstance = instance;
      if (!again && journal.copied(found) !== undefined) continue;
      yield itemOf(options, { ...found, sequence: 0 }, false);
    }
  }
  await copyAll(options, wanted());
}

/**
 * Tries again what failed before, then copies what is new, and deletes what a change feed says is gone. When the
 * signal fires it ends after what is under way.
 *
 * @throws ServiceUnreachable, StoreDenied, SourceRefused, DestinationRefused, NoToken: the next pass goes on there.
 */
export async function migrateOnce(options: PassOptions): Promise<void> {
  const failed = options.journal.failed().map((one) => itemOf(options, one, false));
  await copyAll(options, failed);
  if (options.signal.aborted) return;
  await (options.source.way === 'search' ? passOverSearch(options) : passOverFeed(options));
}
