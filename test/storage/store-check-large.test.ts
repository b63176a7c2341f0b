/** The check of studies that fill more than one transaction. */
import { describe, expect, it } from '@jest/globals';
import { Archive } from '../../src/storage/archive/archive.js';
import { seriesRowKey, studyPartitionKey, studyRowKey } from '../../src/storage/archive/keys.js';
import { checkStore } from '../../src/storage/archive/store-check.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import { openOnMemory, put, settle } from './archive/support/fixture.js';
import { partition, seriesUid, studyUid } from './archive/support/samples.js';
import { expectTidy } from './archive/support/survey.js';

describe('mend of a study with more series than a transaction has rows', () => {
  const count = 230;

  it('rebuilds all of them', async () => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    const [tables] = shared.tables;
    if (!(archive instanceof Archive) || tables === undefined) throw new RangeError('no store');
    for (let series = 1; series <= count; series++) {
      await put(archive, { study: 1, series, instance: 1 });
    }
    await settle(shared);
    const key = studyPartitionKey(partition, studyUid(1));
    const doomed = [...Array(count).keys()].map((index) => seriesRowKey(seriesUid(1, index + 1)));
    for (const rowKey of [studyRowKey, ...doomed]) {
      await tables.transact('catalog', key, [{ kind: 'delete', rowKey }]);
    }
    const stores = { tables, blobs: shared.blobs };
    const kinds = new Set<string>();
    for await (const finding of checkStore(stores, { orphanAge: 0 })) {
      kinds.add(finding.kind);
      await mend(stores, finding, { orphanAge: 0 });
    }
    expect(kinds).toEqual(
      new Set([
        'study-row-missing',
        'series-row-missing',
        'index-row-dangling',
        'browse-row-dangling',
      ]),
    );
    const { studies } = await expectTidy(shared);
    expect(studies).toMatchObject([{ series: count, instances: count }]);
  });
});
