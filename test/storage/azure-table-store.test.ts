import { describe, expect, it } from '@jest/globals';
import { connectStorage } from '../../src/storage/azure/connect.js';
import type { StorageCall } from '../../src/storage/storage-call.js';
import type { TableOperation } from '../../src/storage/table-store.js';
import { testConnectionString, testPrefix } from '../support/storage/azurite.js';
import { tableStoreContract } from './contract/table-store.contract.js';

async function open(onCall: (call: StorageCall) => void = () => undefined) {
  const prefix = testPrefix();
  const storage = connectStorage({ connectionString: testConnectionString() }, { prefix, onCall });
  await storage.ensureCreated();
  return storage;
}

const openTables = async () => (await open()).tables;

tableStoreContract('AzureTableStore', openTables);
tableStoreContract('AzureTableStore', openTables, 'searchwords');

const row = (rowKey: string): TableOperation => ({ kind: 'upsert', rowKey, properties: {} });

describe('AzureTableStore', () => {
  it('makes one call of every page, scanned or queried, point read and transaction', async () => {
    const calls: StorageCall[] = [];
    const { tables } = await open((call) => calls.push(call));
    calls.length = 0;
    await tables.transact('log', 'p', [row('a')]);
    await tables.transact('log', 'p', [row('b'), row('c')]);
    await tables.transact('searchwords', 'p', [row('a')]);
    await tables.get('log', 'p', 'a');
    await tables.query('log', { partitionKey: 'p' }, { limit: 1 });
    await tables.scan('log', { select: ['a'] });
    await tables.check();
    expect(calls).toEqual([
      { service: 'table', method: 'PUT', operation: 'transact', target: 'log' },
      { service: 'table', method: 'POST', operation: 'transact', target: 'log' },
      { service: 'table', method: 'POST', operation: 'transact', target: 'searchwords' },
      { service: 'table', method: 'GET', operation: 'get', target: 'log' },
      { service: 'table', method: 'GET', operation: 'query', target: 'log' },
      { service: 'table', method: 'GET', operation: 'scan', target: 'log' },
      { service: 'table', method: 'GET', operation: 'get', target: 'catalog' },
    ]);
  });

  it('does not take a table that is not there for a row that is not', async () => {
    const { tables } = connectStorage(
      { connectionString: testConnectionString() },
      { prefix: testPrefix() },
    );
    const guarded: TableOperation = { kind: 'delete', rowKey: 'r' };
    await expect(tables.get('log', 'p', 'r')).rejects.toThrow('TableNotFound');
    await expect(tables.transact('log', 'p', [guarded])).rejects.toThrow('Table log answered 404');
    await expect(tables.transact('log', 'p', [row('a'), guarded])).rejects.toThrow('404');
    await expect(tables.check()).rejects.toThrow('TableNotFound');
  });
});

describe('connectStorage', () => {
  it('creates what is missing and leaves what is there', async () => {
    const prefix = testPrefix();
    const connect = () => connectStorage({ connectionString: testConnectionString() }, { prefix });
    await connect().ensureCreated();
    await connect().tables.transact('log', 'p', [row('a')]);
    await connect().ensureCreated();
    expect(await connect().tables.get('log', 'p', 'a')).toBeDefined();
  });

  it('keeps installations with different prefixes apart', async () => {
    const [one, other] = [await open(), await open()];
    await one.tables.transact('log', 'p', [row('a')]);
    expect(await other.tables.get('log', 'p', 'a')).toBeUndefined();
  });

  it.each(['', '1a', 'Ab', 'a-b', 'a'.repeat(40)])('refuses the prefix "%s"', (prefix) => {
    const connect = () => connectStorage({ connectionString: testConnectionString() }, { prefix });
    expect(connect).toThrow(RangeError);
  });
});
