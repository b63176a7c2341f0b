/** What the index of words costs those who store: rows and calls of a new study, and none of a known one. */
import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../../src/dicom/data-set.js';
import type { InstanceUids } from '../../../src/dicom/uid.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { ArchiveUnderTest } from './model/archive-under-test.js';

const letters = 'abcdefghijklmnopqrstuvwxyz';

/** Values with as many endings as there is room for. */
function fullest({ study, series, instance }: InstanceUids): DataSet {
  const elements = {
    '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
    '00080018': { vr: 'UI', Value: [instance] },
    '00080020': { vr: 'DA', Value: ['20240101'] },
    '00080050': { vr: 'SH', Value: [letters.slice(0, 10)] },
    '00080060': { vr: 'CS', Value: ['CT'] },
    '00080090': { vr: 'PN', Value: [{ Alphabetic: letters.slice(0, 12) }] },
    '00081030': { vr: 'LO', Value: [letters.slice(0, 17)] },
    '0008103E': { vr: 'LO', Value: [letters.slice(0, 20)] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: letters.slice(0, 16) }] },
    '00100020': { vr: 'LO', Value: [letters.slice(0, 10)] },
    '0020000D': { vr: 'UI', Value: [study] },
    '0020000E': { vr: 'UI', Value: [series] },
  };
  return elements;
}

describe('the index of words', () => {
  it('takes 60 rows of a new study and two calls at most, and nothing of a known one', async () => {
    let calls = 0;
    const tables = new MemoryTableStore({
      onCall: ({ target }) => {
        if (target === 'searchwords') calls++;
      },
    });
    const archive = new ArchiveUnderTest(tables);
    const store = async (instance: string) => {
      const uids = { study: '1.2', series: '1.2.3', instance } as InstanceUids;
      const transferSyntax = '1.2.840.10008.1.2.1';
      const dataSet = fullest(uids);
      await archive.perform([{ kind: 'store', uids, dataSet, transferSyntax, mode: 'create' }]);
    };
    await store('1.2.3.1');
    expect(calls).toBe(2);
    const { entities } = await tables.scan('searchwords');
    const ofStudy = entities.filter(({ partitionKey }) => partitionKey.endsWith('|study'));
    // Those of the parts, and one for each of five orders.
    expect(ofStudy).toHaveLength(14 + 8 + 8 + 10 + 15 + 5);
    expect(ofStudy.length).toBeLessThanOrEqual(60);
    // A new series brings those of its description.
    expect(entities.length - ofStudy.length).toBe(18);
    calls = 0;
    await store('1.2.3.2');
    expect(calls).toBe(0);
  });
});
