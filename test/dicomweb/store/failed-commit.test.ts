/** A store of which a part fails: why is logged, and the client is told whether to try again. */
import { afterEach, describe, expect, it } from '@jest/globals';
import { defaultLimits } from '../../../src/dicomweb/limits.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { ServiceError } from '../../../src/errors.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { dicomPart, freshUids, valueOf, type Json } from '../../support/conformance.js';
import { writeParts } from '../../support/multipart.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { startService, type Service } from '../../support/service.js';

describe('an instance that fails with 272', () => {
  let service: Service | undefined;

  afterEach(async () => {
    await service?.stop();
  });

  /** Stores two studies in one request, of which the commit of the second fails. */
  async function storeTwo(error: Error) {
    const bad = freshUids();
    const tables = new MemoryTableStore();
    const transact = tables.transact.bind(tables);
    tables.transact = async (table, partitionKey, operations) => {
      if (table === 'catalog' && partitionKey.includes(bad.study)) throw error;
      return await transact(table, partitionKey, operations);
    };
    const services = createServices(
      { tables, blobs: new MemoryBlobStore() },
      { limits: defaultLimits, partitions: false },
    );
    service = await startService({
      host: 'local',
      services: async () => await Promise.resolve(services),
    });
    const parts = [freshUids(), bad].map((uids) => dicomPart(sampleInstance(uids)));
    const answer = await fetch(`${service.baseUrl}/studies`, {
      method: 'POST',
      headers: {
        'Content-Type': 'multipart/related; type="application/dicom"; boundary=b',
        Accept: 'application/dicom+json',
      },
      body: new Uint8Array(writeParts(parts, 'b')),
    });
    expect(answer.status).toBe(202);
    await services.archive.close();
    const [failed] = ((await answer.json()) as Json)['00081198']?.Value as readonly Json[];
    expect(valueOf(failed, '00081155')).toBe(bad.instance);
    expect(valueOf(failed, '00081197')).toBe(272);
    const [comment] = (failed?.['00741048']?.Value ?? []) as readonly Json[];
    const faults = service.log.filter((entry) => entry.event === 'fault');
    const requestId = answer.headers.get('x-request-id');
    return { comment: valueOf(comment, '00000902'), faults, requestId };
  }

  it('for a passing reason says to store it again, and logs why', async () => {
    const { comment, faults, requestId } = await storeTwo(
      new ServiceError('storage-unavailable', 'Table catalog did not answer'),
    );
    expect(comment).toMatch(/Store it again/);
    expect(faults).toMatchObject([{ requestId, route: 'storeInstances' }]);
    expect(JSON.stringify(faults)).toContain('Table catalog did not answer');
  });

  it('for a fault says where it is logged', async () => {
    const { comment, faults, requestId } = await storeTwo(new Error('Table catalog answered 403'));
    expect(comment).toMatch(/X-Request-Id/);
    expect(faults).toMatchObject([{ requestId }]);
    expect(JSON.stringify(faults)).toContain('Table catalog answered 403');
  });
});
