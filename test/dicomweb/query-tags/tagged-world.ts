/** Archives whose files have values for three query tags, one of each level, and what their index has to say. */
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { beforeReindex } from '../../../src/dicomweb/query-tags/reindex-job.js';
import { beforeUntag } from '../../../src/dicomweb/query-tags/untag-job.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { attribute } from '../../../src/dicom/attribute.js';
import { readConfig } from '../../../src/host/config.js';
import { newJobId, type JobId } from '../../../src/jobs/job.js';
import type { QueryTag } from '../../../src/storage/archive/index/query-tags.js';
import { defaultPartition } from '../../../src/storage/archive/keys.js';
import { beingAdded } from '../../../src/storage/archive/query-tag-list.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { TableStore } from '../../../src/storage/table-store.js';
import { sample, type Sample } from '../../support/conformance.js';
import { element } from '../../support/part10-builder.js';

export const tags: readonly [QueryTag, QueryTag, QueryTag] = [
  { tag: attribute('PatientBirthName'), vr: 'PN', level: 'study' },
  { tag: attribute('PatientPosition'), vr: 'CS', level: 'series' },
  { tag: attribute('AcquisitionNumber'), vr: 'IS', level: 'instance' },
];

/** A file, and the number that its values for the tags follow from. */
export interface Numbered extends Sample {
  readonly number: number;
}

export function there<Of>(value: Of | undefined): Of {
  if (value === undefined) throw new Error('not there');
  return value;
}

/** Stores in memory, whose clock may be put ahead, and processes over them that come and go. */
export function world() {
  const clock = { ahead: 0 };
  const tables = new MemoryTableStore({ now: () => Date.now() + clock.ahead });
  const blobs = new MemoryBlobStore();
  const process = (over: TableStore = tables) =>
    createServices({ tables: over, blobs }, readConfig({}));
  return { clock, tables, blobs, process };
}

export function file(number: number, known: Partial<Sample> = {}): Numbered {
  const made = sample({
    ...known,
    overrides: [
      element('00101005', 'PN', `Name${number % 3}^Of`),
      element('00185100', 'CS', `P${number % 4}`),
      element('00200012', 'IS', String(number % 5)),
    ],
  });
  return { ...made, number };
}

export async function* bodyOf(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve();
  yield bytes;
}

export async function store(services: Services, one: Sample): Promise<void> {
  await services.archive.blobs.put('import', one.instance, bodyOf(one.file));
  await importFile(services, one.instance);
}

/** Puts tags on the list, and starts the job that indexes what is stored. */
export async function add(services: Services, added: readonly QueryTag[] = tags): Promise<JobId> {
  const id = newJobId();
  await services.archive.queryTags.change(() => added.map((tag) => beingAdded(tag, id)));
  const state = JSON.stringify(beforeReindex(added.map(({ tag }) => tag)));
  await services.jobs.start('reindex', '{}', state, { id });
  return id;
}

/** Puts a tag on its way out, and starts the job that removes it. */
export async function startRemoval({ archive, jobs }: Services, tag: QueryTag): Promise<JobId> {
  await archive.queryTags.change((list) =>
    list.tags.map((one) => (one.tag === tag.tag ? { ...one, status: 'deleting' } : one)),
  );
  return await jobs.start('untag', JSON.stringify({ tag: tag.tag }), JSON.stringify(beforeUntag));
}

/** What the index says: values with UIDs. */
export async function indexed(services: Services): Promise<readonly string[]> {
  const found: string[] = [];
  for (const tag of tags) {
    for await (const page of services.archive.index.rowsOfAttribute(defaultPartition, tag)) {
      for (const { value, uids } of page) {
        found.push([tag.tag, value, uids.study, uids.series, uids.instance].join(' '));
      }
    }
  }
  return found.sort();
}

/** What the index has to say of files that are stored, each in a study of its own. */
export function expectedOf(files: readonly Numbered[]): readonly string[] {
  const found = new Set<string>();
  for (const { study, series, instance, number } of files) {
    const [name, position, acquisition] = tags.map(({ tag }) => tag);
    found.add([name, `name${number % 3}^of`, study, undefined, undefined].join(' '));
    found.add([position, `p${number % 4}`, study, series, undefined].join(' '));
    found.add([acquisition, String(number % 5), study, series, instance].join(' '));
  }
  return [...found].sort();
}

/** What the check of the store finds, but for files of what was deleted, which stay for ten minutes. */
export async function findings(services: Services): Promise<readonly string[]> {
  const { tables, blobs } = services.archive;
  const found: string[] = [];
  for await (const { kind } of checkStore({ tables, blobs }, { orphanAge: 0 })) found.push(kind);
  return found.filter((kind) => kind !== 'blob-orphaned');
}
