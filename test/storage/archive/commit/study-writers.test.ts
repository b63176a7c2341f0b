/** What the writers of a process keep in memory is bounded, however many studies it writes. */
import { describe, expect, it } from '@jest/globals';
import type { SeriesInstanceUID } from '../../../../src/dicom/uid.js';
import { Background } from '../../../../src/storage/archive/background.js';
import type { StudyParts } from '../../../../src/storage/archive/commit/study-rows.js';
import { StudyWriters } from '../../../../src/storage/archive/commit/study-writers.js';
import { emptyState } from '../../../../src/storage/archive/study-state.js';
import { systemRuntime } from '../../../../src/storage/runtime.js';
import { partition, studyUid } from '../support/samples.js';

/** A catalog whose studies have rows of so many characters. */
function writersOver(characters: number, now: () => number): StudyWriters {
  const uid = '1.2' as SeriesInstanceUID;
  const series = new Map([[uid, { record: {}, etag: '', length: characters }]]);
  const catalog = { state: async () => await Promise.resolve({ ...emptyState, series }) };
  const parts = { catalog, tables: { now }, background: new Background(systemRuntime) };
  return new StudyWriters(parts as unknown as StudyParts);
}

describe('the writers of a process', () => {
  it('forget those idle for longest when all hold more than 16 MiB together', async () => {
    const writers = writersOver(64 * 1024, () => 0);
    for (let study = 1; study <= 200; study++) await writers.of(partition, studyUid(study)).warm();
    // A row of 64 Ki characters takes four times as many bytes: room for 63 and the last one. What is known may have grown.
    writers.of(partition, studyUid(200));
    expect(writers.heldBytes).toBeLessThanOrEqual(16 * 1024 ** 2);
    expect(writers.heldBytes).toBeGreaterThan(15 * 1024 ** 2);
    const last = writers.of(partition, studyUid(200));
    expect(last.heldBytes).toBeGreaterThan(256 * 1024);
    expect(writers.of(partition, studyUid(2)).heldBytes).toBe(0);
  });

  it('forget those that have been idle for five minutes', async () => {
    let time = 0;
    const writers = writersOver(1024, () => time);
    await writers.of(partition, studyUid(1)).warm();
    expect(writers.heldBytes).toBeGreaterThan(4096);
    time = 5 * 60_000 + 1;
    writers.of(partition, studyUid(2));
    expect(writers.heldBytes).toBe(0);
  });
});
