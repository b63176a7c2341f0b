/** Puts instances of a service into a folder, each whole or not at all. */
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { look } from '../import/local-files.js';
import { isMissing, type Result } from '../import/tally.js';
import { nameOf, type PlacedInstance } from '../migrate/addresses.js';
import type { Item } from '../migrate/migrate.js';
import type { Dated, MigrationJournal } from '../migrate/migration-journal.js';
import type { Source } from '../migrate/source.js';
import { checksumOf, type Checksums } from './checksums.js';

export interface SaveParts {
  readonly source: Source;
  readonly journal: MigrationJournal;
  readonly folder: string;
  readonly checksums: Checksums;
  /** Whether files of instances that were deleted in the service go. */
  readonly mirror: boolean;
  readonly tell: (result: Result) => Promise<void>;
}

/** The path of an instance within the folder. */
export function pathOf({ partition, study, series, instance }: PlacedInstance): string {
  const place = partition === undefined ? '' : `partitions/${partition}/`;
  return `${place}${study}/${series}/${instance}.dcm`;
}

async function saveOne({ source, folder, checksums }: SaveParts, item: Item): Promise<Result> {
  const file = nameOf(item);
  const to = path.join(folder, pathOf(item));
  const part = `${to}.part`;
  await mkdir(path.dirname(to), { recursive: true });
  const download = await source.download(item, part);
  if (download.outcome === 'gone') return { file, outcome: 'gone' };
  if (download.outcome === 'failed') return { file, outcome: 'failed', why: download.why };
  const found = await look(part);
  if (found?.instance !== item.instance) {
    await rm(part, { force: true });
    return { file, outcome: 'failed', why: 'the service sent no DICOM file with these UIDs' };
  }
  const sum = await checksumOf(part);
  const isThere = checksums.sums.get(pathOf(item)) === sum;
  await rename(part, to);
  await checksums.add(pathOf(item), sum);
  if (isThere) return { file, outcome: 'there' };
  return { file, outcome: item.replaces ? 'replaced' : 'stored' };
}

/** Saves a few items. @throws ServiceUnreachable, SourceRefused, NoToken, Error of the file system. */
export async function saveItems(parts: SaveParts, items: readonly Item[]): Promise<void> {
  const { journal, tell } = parts;
  for (const item of items) {
    const result = await saveOne(parts, item);
    const noted = result.outcome === 'gone' ? 'deleted' : 'copied';
    await journal.note(isMissing(result.outcome) ? 'failed' : noted, [item]);
    await tell(result);
  }
}

/** Removes the files of items, or keeps them: a backup has what was deleted by mistake. */
export async function forgetItems(parts: SaveParts, items: readonly Dated[]): Promise<void> {
  const { journal, folder, checksums, mirror, tell } = parts;
  for (const item of items) {
    if (mirror) {
      await rm(path.join(folder, pathOf(item)), { force: true });
      checksums.remove(pathOf(item));
    }
    await journal.note('deleted', [item]);
    await tell({ file: nameOf(item), outcome: mirror ? 'deleted' : 'kept' });
  }
}
