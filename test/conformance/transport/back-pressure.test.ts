/** A slow reader sets the pace: what it has not asked for is not read from storage. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Archive } from '../../../src/storage/archive/archive.js';
import type { BlobContent } from '../../../src/storage/blob-store.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { Client, fresh, pathOf, sample, standard } from '../../support/conformance.js';
import { begin, responseOf } from '../../support/http-client.js';
import { hosts, startService, type Service } from '../../support/service.js';

/** Counts the bytes that readers pull out of blobs. */
class MeteredBlobStore extends MemoryBlobStore {
  pulledBytes = 0;
  openedBlobs = 0;

  override async get(
    ...parameters: Parameters<MemoryBlobStore['get']>
  ): Promise<BlobContent | undefined> {
    const content = await super.get(...parameters);
    if (content === undefined) return undefined;
    this.openedBlobs += 1;
    const count = (bytes: number) => (this.pulledBytes += bytes);
    async function* metered() {
      for await (const chunk of content?.body ?? []) {
        count(chunk.length);
        yield chunk;
      }
    }
    return { ...content, body: metered() };
  }
}

/** Lets everything that can happen without the other side happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 2000; turn += 1) await new Promise(setImmediate);
}

const instanceBytes = 2 * 1024 * 1024;
const instances = 32;
const native = Buffer.alloc(instanceBytes, 7);

describe.each(hosts)('a slow reader of a study on the %s host', (host) => {
  let running: Service | undefined;
  const blobs = new MeteredBlobStore();
  const archive = new Archive({ tables: new MemoryTableStore(), blobs });
  const study = fresh();

  const service = () => {
    if (running === undefined) throw new Error('The service has not started.');
    return running;
  };

  beforeAll(async () => {
    running = await startService({
      host,
      services: async () => await Promise.resolve({ ...service().services, archive }),
    });
    const client = new Client(standard, service);
    for (let stored = 0; stored < instances; stored += 8) {
      await client.store(
        ...Array.from({ length: 8 }, () => sample({ study, pixelData: { native } })),
      );
    }
  });

  afterAll(async () => {
    await running?.stop();
    await archive.close();
  });

  it('holds the reading from storage up', async () => {
    const url = new Client(standard, service).url(pathOf({ study }));
    const incoming = await responseOf(begin(url).end());
    const chunks = (incoming as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    let received = ((await chunks.next()).value as Buffer).length;
    await settle();
    expect(blobs.pulledBytes).toBeLessThan((instances * instanceBytes) / 2);
    expect(blobs.openedBlobs).toBeLessThan(instances);

    for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
      received += next.value.length;
    }
    expect(blobs.openedBlobs).toBe(instances);
    expect(blobs.pulledBytes).toBeGreaterThan(instances * instanceBytes);
    expect(received).toBeGreaterThan(blobs.pulledBytes);
  });
});
