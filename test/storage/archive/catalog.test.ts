import { beforeEach, describe, expect, it } from '@jest/globals';
import type {
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../../src/dicom/uid.js';
import { Catalog } from '../../../src/storage/archive/catalog.js';
import {
  defaultPartition as partition,
  seriesRowKey,
  studyPartitionKey,
  studyRowKey,
} from '../../../src/storage/archive/keys.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { encodeStudyRow, type StudyRecord } from '../../../src/storage/archive/records.js';
import type { Ulid } from '../../../src/storage/archive/ulid.js';
import type { TableOperation } from '../../../src/storage/table-store.js';

const study = '1.2' as StudyInstanceUID;
const seriesUid = (number: number) => `1.2.${String(number)}` as SeriesInstanceUID;

describe('Catalog.withSeries', () => {
  let calls: number;
  let tables: MemoryTableStore;
  let catalog: Catalog;

  beforeEach(() => {
    calls = 0;
    tables = new MemoryTableStore({ onCall: () => calls++ });
    catalog = new Catalog(tables);
  });

  async function fill(series: number): Promise<void> {
    const row = (rowKey: string, state: object): TableOperation => ({
      kind: 'insert',
      rowKey,
      properties: { attributes: '{}', state: JSON.stringify(state) },
    });
    const rows = Array.from({ length: series }, (_, number) =>
      row(seriesRowKey(seriesUid(number)), { study, series: seriesUid(number) }),
    );
    const operations = [row(studyRowKey, { study }), ...rows];
    await tables.transact('catalog', studyPartitionKey(partition, study), operations);
    calls = 0;
  }

  async function read(...numbers: readonly number[]) {
    const found = await catalog.withSeries(partition, study, new Set(numbers.map(seriesUid)));
    return { study: found.study?.study, series: [...found.series.keys()].sort() };
  }

  it('reads the study and the series asked for in one call', async () => {
    await fill(9);
    expect(await read(8, 3)).toEqual({ study, series: [seriesUid(3), seriesUid(8)] });
    expect(calls).toBe(1);
  });

  it('does not take a UID for those that it begins', async () => {
    await fill(20);
    expect(await read(1)).toEqual({ study, series: [seriesUid(1)] });
  });

  it('asks for series beyond many others by themselves', async () => {
    await fill(90);
    expect(await read(2, 9, 89)).toEqual({
      study,
      series: [seriesUid(2), seriesUid(89), seriesUid(9)],
    });
    // Behind the range: two series that it did not reach.
    expect(calls).toBe(3);
  });

  it('lacks what is not there', async () => {
    await fill(2);
    expect(await read(1, 7)).toEqual({ study, series: [seriesUid(1)] });
    const other = '1.3' as StudyInstanceUID;
    const nothing = await catalog.withSeries(partition, other, new Set([seriesUid(1)]));
    expect(nothing).toEqual({ study: undefined, series: new Map() });
  });
});

describe('Catalog.studyVersion', () => {
  const record: StudyRecord = {
    ...{ study, created: 'A' as Ulid, write: 'B' as Ulid, revision: 7, attributes: {} },
    newest: { series: seriesUid(1), instance: '1.2.1.1' as SOPInstanceUID },
    ...{ series: 1, instances: 1, modalities: { CT: 1 }, sopClasses: {}, indexes: {} },
  };

  async function versionOf(stored: StudyRecord | undefined) {
    const tables = new MemoryTableStore();
    const properties = encodeStudyRow(stored, { revision: 7, last: 3, commits: [] });
    await tables.transact('catalog', studyPartitionKey(partition, study), [
      { kind: 'insert', rowKey: studyRowKey, properties },
    ]);
    const catalog = new Catalog(tables);
    expect((await catalog.study(partition, study))?.created).toBe(stored?.created);
    return await catalog.studyVersion(partition, study);
  }

  it('is that of the study, read without its attributes', async () => {
    expect(await versionOf(record)).toEqual({ created: 'A', write: 'B', revision: 7 });
  });

  it('is none of a study that is gone', async () => {
    expect(await versionOf(undefined)).toBeUndefined();
  });
});
