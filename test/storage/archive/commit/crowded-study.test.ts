import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { Archive, StoredFile } from '../../../../src/storage/archive/archive.js';
import { openOnMemory, settle, upload } from '../support/fixture.js';
import { partition, type Sample } from '../support/samples.js';
import { expectTidy } from '../support/survey.js';

/** A file whose modality is no other's, and as long as a row takes them. */
async function uploadWith(archive: Archive, sample: Sample, name: number): Promise<StoredFile> {
  const file = await upload(archive, sample);
  const modality = { vr: 'CS', Value: [String(name).padEnd(900, 'M')] } as const;
  return { ...file, dataSet: { ...file.dataSet, [attribute('Modality')]: modality } };
}

describe('a study with more different values than its row has room for', () => {
  it('takes what brings nothing new, and refuses the rest without a trace', async () => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    if (archive === undefined) throw new RangeError('no archive');
    const store = async (sample: Sample, name: number) =>
      await archive.store(partition, await uploadWith(archive, sample, name));

    const results: string[] = [];
    for (let series = 1; series <= 40; series++) {
      results.push(await store({ study: 1, series, instance: 1 }, series));
    }
    const stored = results.indexOf('no-room');
    expect(stored).toBeGreaterThan(10);
    expect(new Set(results.slice(stored))).toEqual(new Set(['no-room']));

    const together = await Promise.all([
      store({ study: 1, series: 1, instance: 2 }, 1),
      store({ study: 1, series: 41, instance: 1 }, 41),
    ]);
    expect(together).toEqual(['stored', 'no-room']);
    await settle(shared);
    const { instances } = await expectTidy(shared);
    expect(instances).toHaveLength(stored + 1);
  });
});
