import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ReceiveContext } from '../../../src/dicomweb/store/receive-instance.js';
import { receiveInstance } from '../../../src/dicomweb/store/receive-instance.js';
import { defaultLimits } from '../../../src/dicomweb/limits.js';
import { profileOf } from '../../../src/dicomweb/profile.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { defaultPartition as partition } from '../../../src/storage/archive/keys.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { wrongDates } from '../../support/dicom/many-elements.js';
import { sampleInstance } from '../../support/part10-builder.js';

describe('receiveInstance', () => {
  let context: ReceiveContext;

  beforeEach(() => {
    const stores = { tables: new MemoryTableStore(), blobs: new MemoryBlobStore() };
    const services = createServices(stores, { limits: defaultLimits, partitions: false });
    const { signal } = new AbortController();
    context = {
      services,
      partition,
      profile: profileOf('v2'),
      signal,
      held: services.heldHeaders.open(),
    };
  });

  async function receive(file: Buffer) {
    // eslint-disable-next-line @typescript-eslint/require-await -- nothing to wait for
    async function* source() {
      for (let at = 0; at < file.length; at += 65_536) yield file.subarray(at, at + 65_536);
    }
    return await receiveInstance(context, source(), undefined, () => undefined);
  }

  it('names two hundred of the attributes that fail, and says how many more do', async () => {
    const head = sampleInstance({ pixelData: null });
    const received = await receive(Buffer.concat([head, wrongDates(1_000)]));
    expect(received.kind).toBe('received');
    expect(received.comments).toHaveLength(201);
    expect(received.comments.at(-1)).toMatch(
      /^DICOM100: 80\d more attributes failed validation\.$/,
    );
  });

  it('judges as many attributes as a file may have', async () => {
    const head = sampleInstance({ pixelData: null });
    const received = await receive(Buffer.concat([head, wrongDates(199_000)]));
    expect(received).toMatchObject({ kind: 'received', warning: 'attributes-failed-validation' });
  });
});
