import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { deleteStudy } from '../../../src/dicomweb/delete/delete-instances.js';
import { defaultLimits } from '../../../src/dicomweb/limits.js';
import { createServices } from '../../../src/dicomweb/services.js';
import { timeBudgets } from '../../../src/time-budgets.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { contextOf } from '../../support/request-context.js';

describe('deleteStudy', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('is answered 503 when storage falls silent over it', async () => {
    const beforeCall = async (): Promise<void> => {
      await new Promise(() => undefined);
    };
    const stores = { tables: new MemoryTableStore({ beforeCall }), blobs: new MemoryBlobStore() };
    const request = new Request('http://archive.example/studies/1.2.3', { method: 'DELETE' });
    const services = createServices(stores, { limits: defaultLimits, partitions: false });
    const answer = deleteStudy(contextOf(request, { services, params: { study: '1.2.3' } }));
    const refused = expect(answer).rejects.toMatchObject({ code: 'storage-unavailable' });
    await jest.advanceTimersByTimeAsync(timeBudgets.stuckRequest + timeBudgets.stuckOutcome);
    await refused;
    expect(jest.getTimerCount()).toBe(0);
  });
});
