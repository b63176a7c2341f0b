import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../src/storage/storage-call.js';
import type { Properties, TableOperation } from '../../src/storage/table-store.js';
import { readAll, tableStoreContract } from './contract/table-store.contract.js';

tableStoreContract('MemoryTableStore', () => Promise.resolve(new MemoryTableStore()));
tableStoreContract('MemoryTableStore with short pages', () =>
  Promise.resolve(new MemoryTableStore({ shortPagesSeed: 7 })),
);

const keys = ['a', 'aa', 'ab', 'b', 'b|', 'c'];
const operation = fc.record({
  kind: fc.constantFrom('insert', 'replace', 'upsert', 'delete', 'guarded delete'),
  rowKey: fc.constantFrom(...keys),
  value: fc.integer(),
  /** Whether the guard holds, if there is a row. */
  current: fc.boolean(),
});

describe('MemoryTableStore', () => {
  it('does what a map from keys to rows would do, whatever the operations', async () => {
    const transactions = fc.array(
      fc.uniqueArray(operation, { minLength: 1, maxLength: 4, selector: ({ rowKey }) => rowKey }),
      { maxLength: 30 },
    );
    await fc.assert(
      fc.asyncProperty(transactions, async (drawn) => {
        const store = new MemoryTableStore({ shortPagesSeed: 1 });
        let model = new Map<string, { readonly etag: string; readonly properties: Properties }>();
        for (const steps of drawn) {
          const next = new Map(model);
          let clash: { readonly clash: string; readonly index: number } | undefined;
          const operations = steps.map(
            ({ kind, rowKey, value, current }, index): TableOperation => {
              const row = model.get(rowKey);
              const etag = current && row !== undefined ? row.etag : 'W/"other"';
              const properties = { value };
              const needsRow = kind === 'replace' || kind.endsWith('delete');
              if (kind === 'insert' && row !== undefined) clash ??= { clash: 'exists', index };
              if (needsRow && row === undefined) clash ??= { clash: 'missing', index };
              if (needsRow && kind !== 'delete' && row !== undefined && !current) {
                clash ??= { clash: 'changed', index };
              }
              if (kind.endsWith('delete')) next.delete(rowKey);
              else next.set(rowKey, { etag: '', properties });
              switch (kind) {
                case 'insert':
                case 'upsert':
                  return { kind, rowKey, properties };
                case 'replace':
                  return { kind, rowKey, properties, etag };
                default:
                  return { kind: 'delete', rowKey, ...(kind !== 'delete' && { etag }) };
              }
            },
          );
          const outcome = await store.transact('catalog', 'p', operations);
          if (outcome.committed) {
            expect(clash).toBeUndefined();
            for (const [index, { rowKey }] of operations.entries()) {
              const etag = outcome.etags[index];
              const row = next.get(rowKey);
              if (row !== undefined && etag !== undefined) next.set(rowKey, { ...row, etag });
            }
            model = next;
          } else {
            expect(outcome).toEqual({ committed: false, ...clash });
          }
        }
        const { entities } = await readAll(store, { partitionKey: 'p' }, { limit: 2 });
        expect(
          entities.map(({ rowKey, etag, properties }) => [rowKey, { etag, properties }]),
        ).toEqual([...model].sort(([a], [b]) => (a < b ? -1 : 1)));
      }),
    );
  });

  it('keeps order among many rows that come and go in any order', async () => {
    const store = new MemoryTableStore();
    const expected = new Set<string>();
    // A permutation of 0 to 19999: 7919 and 20000 have no common factor.
    for (let first = 0; first < 20_000; first += 100) {
      const operations: TableOperation[] = [];
      for (let index = first; index < first + 100; index += 1) {
        const rowKey = `r${(index * 7919) % 20_000}`;
        operations.push({ kind: 'insert', rowKey, properties: {} });
        expected.add(rowKey);
      }
      await store.transact('catalog', 'p', operations);
    }
    for (let index = 0; index < 20_000; index += 3) {
      await store.transact('catalog', 'p', [{ kind: 'delete', rowKey: `r${index}` }]);
      expected.delete(`r${index}`);
    }
    const { entities } = await readAll(store, { partitionKey: 'p', from: 'r1', to: 'r8' });
    expect(entities.map(({ rowKey }) => rowKey)).toEqual(
      [...expected].filter((key) => key >= 'r1' && key < 'r8').sort(),
    );
  });

  it('returns empty and short pages now and then when told to', async () => {
    const store = new MemoryTableStore({ shortPagesSeed: 3 });
    for (let index = 0; index < 30; index += 1) {
      await store.transact('catalog', 'p', [
        { kind: 'insert', rowKey: `r${10 + index}`, properties: {} },
      ]);
    }
    const sizes: number[] = [];
    let continuation: string | undefined;
    do {
      const page = await store.query(
        'catalog',
        { partitionKey: 'p' },
        { limit: 4, ...(continuation !== undefined && { continuation }) },
      );
      sizes.push(page.entities.length);
      continuation = page.continuation;
    } while (continuation !== undefined);
    expect(sizes).toContain(0);
    expect(sizes.filter((size) => size > 0 && size < 4).length).toBeGreaterThan(1);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(30);
  });

  it('tells of each call, and fails those that are made to fail', async () => {
    const calls: StorageCall[] = [];
    const store = new MemoryTableStore({
      onCall: (call) => calls.push(call),
      beforeCall: (call) =>
        call.operation === 'transact' ? Promise.reject(new Error('lost')) : Promise.resolve(),
    });
    const operations: TableOperation[] = [{ kind: 'insert', rowKey: 'r', properties: {} }];
    await expect(store.transact('log', 'p', operations)).rejects.toThrow('lost');
    expect(await store.get('log', 'p', 'r')).toBeUndefined();
    await store.query('catalog', { partitionKey: 'p' });
    await store.scan('searchindex');
    expect(calls.map(({ service, operation: what, target }) => [service, what, target])).toEqual([
      ['table', 'transact', 'log'],
      ['table', 'get', 'log'],
      ['table', 'query', 'catalog'],
      ['table', 'scan', 'searchindex'],
    ]);
  });
});
