/** Totals by the keys of an index: what rows say of studies that are just being written is not believed. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { attribute } from '../../../src/dicom/attribute.js';
import type { DataSet } from '../../../src/dicom/data-set.js';
import type { InstanceUids, StudyInstanceUID } from '../../../src/dicom/uid.js';
import { indexedValue, SearchIndex } from '../../../src/storage/archive/index/search-index.js';
import { defaultPartition, logPartitionKey, logRowKey } from '../../../src/storage/archive/keys.js';
import { readTails, writeTail } from '../../../src/storage/archive/log/log-tail.js';
import type { Ulid } from '../../../src/storage/archive/ulid.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../src/storage/storage-call.js';
import { ArchiveUnderTest } from './model/archive-under-test.js';

const day = '20240101';

function uidsOf(study: number): InstanceUids {
  const uid = `1.2.${String(study)}`;
  return { study: uid, series: `${uid}.1`, instance: `${uid}.1.1` } as InstanceUids;
}

function dataSetOf(
  { study, series, instance }: InstanceUids,
  modality: string,
  patient: string,
): DataSet {
  const elements = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
    '00080018': { vr: 'UI', Value: [instance] },
    '00080020': { vr: 'DA', Value: [day] },
    '00080060': { vr: 'CS', Value: [modality] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] },
    '00100020': { vr: 'LO', Value: [patient] },
    '0020000D': { vr: 'UI', Value: [study] },
    '0020000E': { vr: 'UI', Value: [series] },
  };
  return elements;
}

describe('a total by the keys of an index', () => {
  let calls: StorageCall[] = [];
  let tables: MemoryTableStore;
  let archive: ArchiveUnderTest;

  beforeEach(async () => {
    tables = new MemoryTableStore({ onCall: (call) => void calls.push(call) });
    archive = new ArchiveUnderTest(tables);
    const deeds = [1, 2, 3, 4, 5].map((study) => {
      const uids = uidsOf(study);
      const modality = study < 3 ? 'MR' : study === 3 ? 'ct' : 'CT';
      const dataSet = dataSetOf(uids, modality, study < 4 ? 'a' : 'A');
      const transferSyntax = '1.2.840.10008.1.2.1';
      return { kind: 'store', uids, dataSet, transferSyntax, mode: 'create' } as const;
    });
    for (const deed of deeds) await archive.perform([deed]);
    calls = [];
  });

  const totalOf = async (query: string, version?: string) => {
    const whole = `${query}&limit=1&includetotal=true`;
    return (await archive.search('searchForStudies', {}, whole, version)).total;
  };

  /** A row for a study that is not there, as a writer leaves it who has not committed. */
  async function leaveRow(study: StudyInstanceUID): Promise<void> {
    const tag = attribute('StudyDate');
    const write = '01HZZZZZZZZZZZZZZZZZZZZZZZ' as Ulid;
    const value = indexedValue(tag, day);
    const row = {
      partition: defaultPartition,
      level: 'study',
      tag,
      value,
      uids: { study },
    } as const;
    await new SearchIndex(tables).insert([{ ...row, created: write, write }]);
  }

  /** The entry of that writer in the log. */
  async function leaveIntent(study: StudyInstanceUID, isVoid: boolean): Promise<void> {
    const [tail] = await readTails(tables);
    if (tail === undefined) throw new RangeError('a log without a tail');
    const sequence = tail.newest + 64;
    const properties = { partition: defaultPartition, study, ...(isVoid && { void: true }) };
    await tables.transact('log', logPartitionKey(tail.shard), [
      { kind: 'insert', rowKey: logRowKey(sequence), properties },
    ]);
    await writeTail(tables, tail, { newest: sequence, open: isVoid ? [] : [sequence] });
  }

  it('reads no study but that of the page', async () => {
    expect(await totalOf(`StudyDate=${day}`)).toBe('5');
    const read = calls.filter(
      ({ target, operation }) => target === 'catalog' && operation === 'get',
    );
    expect(read).toHaveLength(1);
  });

  it.each([
    ['void', true],
    ['open', false],
  ])('looks up what the log says is %s', async (_what, isVoid) => {
    const study = '1.2.99' as StudyInstanceUID;
    await leaveRow(study);
    await leaveIntent(study, isVoid);
    expect(await totalOf(`StudyDate=${day}`)).toBe('5');
    expect(await totalOf(`StudyDate=${day}-20241231`)).toBe('5');
    expect(await totalOf('PatientName=doe*')).toBe('5');
  });

  it('counts by its row a study that is being written', async () => {
    await leaveIntent(uidsOf(2).study, false);
    expect(await totalOf(`StudyDate=${day}`)).toBe('5');
    expect(await totalOf('ModalitiesInStudy=MR')).toBe('2');
  });

  it('counts codes in small letters with those in capitals, and not the other way round', async () => {
    expect(await totalOf('ModalitiesInStudy=CT')).toBe('3');
    expect(await totalOf('ModalitiesInStudy=ct')).toBe('1');
    expect(await totalOf('ModalitiesInStudy=MR,CT')).toBe('5');
  });

  it('tells letter case apart where it counts', async () => {
    expect(await totalOf('PatientID=a')).toBe('3');
    expect(await totalOf('PatientID=A')).toBe('2');
    expect(await totalOf('PatientID=A', 'v2')).toBe('5');
  });
});
