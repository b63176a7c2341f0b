/**
 * Looks at everything that archives have left in their stores and says what does not fit together:
 * all that can be derived is derived again, naively, from the instance rows.
 */
import assert from 'node:assert/strict';
import { attribute } from '../../../../src/dicom/attribute.js';
import { stringOf } from '../../../../src/dicom/value.js';
import type { StudyInstanceUID } from '../../../../src/dicom/uid.js';
import { instanceIndexRows } from '../../../../src/storage/archive/index/owned-rows.js';
import {
  decodeIntent,
  firstOf,
  type LoggedIntent,
} from '../../../../src/storage/archive/log/intent.js';
import { readTails } from '../../../../src/storage/archive/log/log-tail.js';
import type { Totals } from '../../../../src/storage/archive/log/totals.js';
import { sequenceStride } from '../../../../src/storage/archive/log/sequence.js';
import {
  browsePartitionKey,
  parseBrowseRowKey,
  parseCatalogRowKey,
} from '../../../../src/storage/archive/keys.js';
import { blobName } from '../../../../src/storage/archive/blob-name.js';
import {
  decodeInstance,
  decodeSeries,
  decodeStudy,
  decodeStudyRow,
  type InstanceRecord,
  type SeriesRecord,
  type StudyRecord,
} from '../../../../src/storage/archive/records.js';
import {
  addressesOf,
  rowsOf,
  type Address,
} from '../../../../src/storage/archive/index/search-index.js';
import type { Shared } from './fixture.js';
import { partition } from './samples.js';

export interface Survey {
  readonly studies: readonly StudyRecord[];
  readonly series: readonly SeriesRecord[];
  readonly instances: readonly InstanceRecord[];
  /** Instances as they were before their first update. */
  readonly originals: readonly InstanceRecord[];
  /** Copies in the study list. */
  readonly browsed: readonly { readonly record: StudyRecord; readonly unsure: boolean }[];
  /** Addresses of the rows of the search index. */
  readonly indexRows: readonly string[];
  readonly log: readonly LogRow[];
  /** Intents that the tails have open. */
  readonly open: readonly number[];
}

/** A change as the log has it. */
export interface LogRow {
  readonly sequence: number;
  readonly version: string;
  readonly action: string;
  readonly state: 'open' | 'happened' | 'void';
}

const modality = attribute('Modality');

/** Reads everything that is in the tables. */
export async function survey({ tables: [tables] }: Pick<Shared, 'tables'>): Promise<Survey> {
  if (tables === undefined) throw new RangeError('no store');
  const studies: StudyRecord[] = [];
  const series: SeriesRecord[] = [];
  const instances: InstanceRecord[] = [];
  const originals: InstanceRecord[] = [];
  for (const entity of await tables.rows('catalog')) {
    const study = entity.partitionKey.split('|')[1] as StudyInstanceUID;
    const key = parseCatalogRowKey(entity.rowKey);
    if (key.level === 'study') {
      const record = decodeStudyRow(entity);
      if (record !== undefined) studies.push(record);
    } else if (key.level === 'series') series.push(decodeSeries(entity));
    else {
      const { series: uid, instance } = key;
      const kind = key.level === 'original' ? originals : instances;
      kind.push(decodeInstance({ study, series: uid, instance }, entity));
    }
  }
  const found = await tables.rows('searchindex');
  const words = await tables.rows('searchwords');
  const isBrowse = ({ partitionKey }: { partitionKey: string }) =>
    partitionKey === browsePartitionKey(partition);
  const log = await tables.rows('log');
  const open = (await readTails(tables)).flatMap((tail) => tail.open);
  return {
    studies,
    series,
    instances,
    originals,
    browsed: found.filter(isBrowse).map((entity) => ({
      record: { ...decodeStudy(entity), ...parseBrowseRowKey(entity.rowKey) },
      unsure: entity.properties['unsure'] === true,
    })),
    indexRows: [
      ...found.filter((row) => !isBrowse(row)).map((row) => ({ ...row, table: 'searchindex' })),
      ...words.map((row) => ({ ...row, table: 'searchwords' })),
    ]
      .map(({ table, partitionKey, rowKey }) => `${table} ${partitionKey} ${rowKey}`)
      .sort(),
    log: log
      .filter(({ rowKey }) => /^\d+$/.test(rowKey))
      .map(decodeIntent)
      .flatMap((intent) => linesOf(intent, open))
      .sort((a, b) => a.sequence - b.sequence),
    open,
  };
}

function linesOf({ sequence, changes, isVoid }: LoggedIntent, open: readonly number[]): LogRow[] {
  const first = firstOf(sequence, changes.length);
  const state = isVoid ? 'void' : open.includes(sequence) ? 'open' : 'happened';
  return changes.map(({ version, action }, position) => {
    return { sequence: first + position * sequenceStride, version, action, state };
  });
}

function tally(values: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Counts, modalities and SOP classes of studies and series are those of the instances. */
export function expectCountsToMatch({ studies, series, instances }: Survey): void {
  for (const record of series) {
    const below = instances.filter((instance) => instance.series === record.series);
    assert.equal(record.instances, below.length);
    assert.deepEqual({ ...record.sopClasses }, tally(below.map(({ sopClass }) => sopClass)));
    assert.deepEqual({ ...record.modalities }, tally(below.map((one) => one.modality ?? '')));
  }
  for (const record of studies) {
    const below = instances.filter((instance) => instance.study === record.study);
    const within = series.filter((one) => one.study === record.study);
    assert.equal(record.instances, below.length);
    assert.deepEqual({ ...record.sopClasses }, tally(below.map(({ sopClass }) => sopClass)));
    assert.equal(record.series, within.length);
    assert.deepEqual(
      { ...record.modalities },
      tally(
        within.flatMap((one) => {
          const newest = stringOf(one.attributes, modality) ?? '';
          return [...new Set([newest, ...Object.keys(one.modalities ?? {})])];
        }),
      ),
    );
  }
  const names = (records: readonly { readonly study: string; readonly series?: unknown }[]) =>
    new Set(records.map(({ study, series: uid }) => `${study} ${String(uid)}`));
  assert.deepEqual(names(series), names(instances));
  assert.deepEqual(
    new Set(studies.map(({ study }) => study)),
    new Set(instances.map(({ study }) => study)),
  );
}

/** What a partition has. */
export function totalsOf({ studies, series, instances }: Survey): Totals {
  const bytes = instances.reduce((sum, { length }) => sum + length, 0);
  return {
    ...{ studies: studies.length, series: series.length, instances: instances.length },
    bytes,
  };
}

/** The addresses of the index rows that the records ask for. */
export function impliedIndexRows({ studies, series, instances }: Survey): readonly string[] {
  return [
    ...studies.flatMap(({ study, created, indexes }) =>
      rowsOf({ partition, level: 'study', uids: { study }, created }, indexes),
    ),
    ...series.flatMap(({ study, series: uid, created, indexes }) =>
      rowsOf({ partition, level: 'series', uids: { study, series: uid }, created }, indexes),
    ),
    ...instances.flatMap((instance) => instanceIndexRows(partition, instance)),
  ]
    .flatMap(addressesOf)
    .map(spelledAddress)
    .sort();
}

/** An address as `indexRows` of a survey spells it. */
export function spelledAddress({ table, partitionKey, rowKey }: Address): string {
  return `${table} ${partitionKey} ${rowKey}`;
}

/** Whatever the reader of the study list would see, it is what the catalog has. */
export function expectStudyListToMatch({ studies, browsed }: Survey): void {
  const visible = browsed.filter(({ record, unsure }) => {
    const study = studies.find(({ study: uid }) => uid === record.study);
    return !unsure || study?.created === record.created;
  });
  // Fences make revisions grow and change nothing else.
  const inOrder = (records: readonly StudyRecord[]) =>
    records
      .map((record) => ({ ...record, revision: 0 }))
      .sort((a, b) => (a.study < b.study ? -1 : 1));
  // An unsure copy stands for the row of the catalog.
  const seen = visible.map(({ record, unsure }) => {
    const study = studies.find(({ study: uid }) => uid === record.study);
    return unsure && study !== undefined ? study : record;
  });
  assert.deepEqual(inOrder(seen), inOrder(studies));
}

/** Nothing is open, and every instance names its change. */
export function expectLogToBeSettled({ log, open, instances }: Survey): void {
  assert.deepEqual(open, []);
  assert.equal(new Set(log.map(({ sequence }) => sequence)).size, log.length);
  for (const { version, sequence } of instances) {
    const change = log.find((one) => one.sequence === sequence);
    assert.deepEqual([change?.version, change?.state], [version, 'happened']);
  }
}

/** No file without a row and no row without its file. */
export function expectBlobsToMatch({ instances, originals }: Survey, { blobNames }: Shared): void {
  const named = (records: readonly InstanceRecord[], version: 'version' | 'original') =>
    records.flatMap((record) => `${record.instance} ${record[version] ?? ''}`).sort();
  assert.deepEqual(
    named(originals, 'version'),
    named(
      instances.filter(({ original }) => original !== undefined),
      'original',
    ),
  );
  if (blobNames === undefined) return;
  assert.deepEqual(
    blobNames('instances'),
    [...instances, ...originals]
      .map((record) => blobName(partition, record, record.version, 'dcm'))
      .sort(),
  );
  assert.deepEqual(blobNames('derived'), []);
}

/** Nothing is wrong, missing or left behind. */
export async function expectTidy(shared: Shared): Promise<Survey> {
  const found = await survey(shared);
  expectCountsToMatch(found);
  expectStudyListToMatch(found);
  assert.equal(found.browsed.length, found.studies.length);
  assert.deepEqual(found.indexRows, impliedIndexRows(found));
  expectLogToBeSettled(found);
  expectBlobsToMatch(found, shared);
  return found;
}
