/** The errors of query tags, as they are noted and listed. */
import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { InstanceUids } from '../../../../src/dicom/uid.js';
import { defaultPartition } from '../../../../src/storage/archive/keys.js';
import { TagErrors } from '../../../../src/storage/archive/tagging/tag-errors.js';
import type { TagError } from '../../../../src/storage/archive/tagging/tag-indexer.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';

const tag = attribute('AcquisitionNumber');

function error(sequence: number): TagError {
  const uids = { study: '1.2', series: '1.2.3', instance: `1.2.3.${sequence}` } as InstanceUids;
  return { tag, partition: defaultPartition, uids, sequence, reason: 'Value contains …' };
}

describe('errors of a query tag', () => {
  it('are noted and counted once when one piece of work meets them twice', async () => {
    const errors = new TagErrors(new MemoryTableStore());
    const counts = await errors.put([error(1), error(2), error(1)], 0, 1000);
    expect(counts).toEqual(new Map([[tag, 2]]));
    await errors.put([error(1), error(2)], 0, 1000);
    const listed = await errors.list(tag, 0, 100);
    expect(listed.map(({ uids }) => uids.instance)).toEqual(['1.2.3.1', '1.2.3.2']);
    await errors.clear(tag);
    expect(await errors.list(tag, 0, 100)).toEqual([]);
  });
});
