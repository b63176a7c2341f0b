/** Copies instances, a few at a time: downloads them, stores them, and compares what the destination then has. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { batchesOf } from '../import/batches.js';
import { compareStored } from '../import/compare-stored.js';
import { look, type LocalFile } from '../import/local-files.js';
import { settleBatch } from '../import/settle-batch.js';
import type { Target } from '../import/store-batch.js';
import { isMissing, type Result } from '../import/tally.js';
import { instanceUrl, nameOf } from './addresses.js';
import { haveSameContent } from './compare-content.js';
import type { Destination } from './destination.js';
import type { Item } from './migrate.js';
import type { Dated, MigrationJournal } from './migration-journal.js';
import type { Source } from './source.js';

export interface CopyParts {
  readonly source: Source;
  readonly destination: Destination;
  readonly journal: MigrationJournal;
  /** Where files are kept between download and comparison. */
  readonly folder: string;
  readonly tell: (results: readonly Copied[]) => Promise<void>;
}

/** What became of an instance; `file` is its name in words. */
export interface Copied extends Result {
  readonly bytes: number;
}

/** Downloads the file of an item. @returns what became of it when there is none to store. */
async function fetchFile({ source, folder }: CopyParts, item: Item): Promise<LocalFile | Copied> {
  const file = nameOf(item);
  const to = path.join(folder, `${randomUUID()}.dcm`);
  const download = await source.download(item, to);
  if (download.outcome === 'gone') return { file, outcome: 'gone', bytes: 0 };
  if (download.outcome === 'failed') {
    return { file, outcome: 'failed', why: download.why, bytes: 0 };
  }
  const found = await look(to);
  if (found?.instance === item.instance && found.study === item.study) return found;
  await rm(to, { force: true });
  const why = 'the source sent no DICOM file with these UIDs';
  return { file, outcome: 'failed', why, bytes: 0 };
}

/** Whether the destination has what the file holds, coded in another way. */
async function isAlike(target: Target, file: LocalFile, item: Item): Promise<boolean> {
  const other = `${file.path}.stored`;
  try {
    const response = await fetch(instanceUrl(target.url, item), {
      headers: {
        Accept: 'application/dicom; transfer-syntax=*',
        ...(target.token !== undefined && { Authorization: `Bearer ${target.token}` }),
      },
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return false;
    }
    await pipeline(response.body, createWriteStream(other));
    return await haveSameContent(file.path, other);
  } finally {
    await rm(other, { force: true });
  }
}

/** What a file that was stored is found to be. */
async function verified(
  target: Target,
  file: LocalFile,
  item: Item,
  result: Result,
): Promise<Copied> {
  const told = { ...result, file: nameOf(item), bytes: file.bytes };
  if (result.outcome === 'conflict' && (await isAlike(target, file, item))) {
    return { file: told.file, outcome: 'alike', bytes: file.bytes };
  }
  if (result.outcome !== 'stored' && result.outcome !== 'replaced') return told;
  const compared = await compareStored(target, file);
  if (compared === 'same') return told;
  const why =
    compared === 'different'
      ? 'what the destination has is not what it was sent'
      : `what the destination has could not be compared: ${compared.unknown}`;
  return { ...told, outcome: 'failed', why };
}

/** Copies items that all go to one place, all of which replace or none. */
async function copyAlike(parts: CopyParts, target: Target, items: readonly Item[]): Promise<void> {
  const { journal, tell } = parts;
  const byInstance = new Map(items.map((item) => [item.instance, item]));
  const note = async (results: readonly Copied[]): Promise<void> => {
    const outcomes = new Map(results.map((result) => [result.file, result.outcome]));
    const of = items.map((item) => ({ item, outcome: outcomes.get(nameOf(item)) }));
    const those = (isOne: (outcome: Result['outcome']) => boolean) =>
      of.filter(({ outcome }) => outcome !== undefined && isOne(outcome)).map(({ item }) => item);
    await journal.note('failed', those(isMissing));
    await journal.note(
      'deleted',
      those((outcome) => outcome === 'gone'),
    );
    await journal.note(
      'copied',
      those((outcome) => !isMissing(outcome) && outcome !== 'gone'),
    );
    await tell(results);
  };
  async function* files(): AsyncGenerator<LocalFile, void, undefined> {
    for (const item of items) {
      const fetched = await fetchFile(parts, item);
      if ('path' in fetched) yield fetched;
      // Gone since it was copied: a failure to delete it is made good.
      else if (fetched.outcome === 'gone' && journal.copied(item) !== undefined) {
        await deleteItems(parts, [item]);
      } else await note([fetched]);
    }
  }
  for await (const batch of batchesOf(files())) {
    try {
      const results = await settleBatch(target, batch, items[0]?.replaces === true);
      const copied: Copied[] = [];
      for (const [at, file] of batch.entries()) {
        const item = byInstance.get(file.instance ?? '');
        const result = results[at];
        if (item === undefined || result === undefined)
          throw new RangeError('a file without a result');
        copied.push(await verified(target, file, item, result));
      }
      await note(copied);
    } finally {
      await Promise.all(batch.map(async (file) => await rm(file.path, { force: true })));
    }
  }
}

function grouped<Value>(values: readonly Value[], key: (value: Value) => string) {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const known = groups.get(key(value));
    if (known === undefined) groups.set(key(value), [value]);
    else known.push(value);
  }
  return [...groups.values()];
}

/**
 * Copies a few items.
 *
 * @throws ServiceUnreachable, StoreDenied, SourceRefused, DestinationRefused, NoToken: what was copied until then is in
 *   the journal.
 */
export async function copyItems(parts: CopyParts, items: readonly Item[]): Promise<void> {
  const alike = grouped(items, ({ partition = '', replaces }) => `${partition}|${replaces}`);
  for (const group of alike) {
    const target = await parts.destination.target(group[0]?.partition);
    await copyAlike(parts, target, group);
  }
}

/** Deletes at the destination what was copied and is no longer at the source. */
export async function deleteItems(parts: CopyParts, items: readonly Dated[]): Promise<void> {
  const { destination, journal, tell } = parts;
  for (const item of items) {
    const status = await destination.delete(item);
    const isGone = status === 404 || (status >= 200 && status < 300);
    const result = isGone
      ? ({ outcome: 'deleted' } as const)
      : ({ outcome: 'failed', why: `deleting it was answered with ${status}` } as const);
    await journal.note(isGone ? 'deleted' : 'failed', [item]);
    await tell([{ file: nameOf(item), bytes: 0, ...result }]);
  }
}
