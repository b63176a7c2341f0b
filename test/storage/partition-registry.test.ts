/** The list of data partitions, when several processes write it. */
import { describe, expect, it } from '@jest/globals';
import {
  browsePartitionKey,
  defaultPartition,
  parsePartition,
} from '../../src/storage/archive/keys.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { PartitionRegistry } from '../../src/storage/partition-registry.js';

const names = (count: number) =>
  Array.from({ length: count }, (_, at) => parsePartition(`p${at + 1}`));

describe('the registry of partitions', () => {
  it('gives every name one number, whoever makes them at once', async () => {
    const tables = new MemoryTableStore();
    const processes = Array.from({ length: 4 }, () => new PartitionRegistry(tables));
    await Promise.all(
      processes.flatMap((one) => names(5).map(async (name) => await one.ensure(name))),
    );
    const list = await new PartitionRegistry(tables).list();
    expect(list.map(({ key }) => key)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(list.map(({ name }) => name))).toEqual(new Set([defaultPartition, ...names(5)]));
  });

  it('lists a partition that holds studies and is older than the list', async () => {
    const tables = new MemoryTableStore();
    const [old, none] = names(2);
    if (old === undefined || none === undefined) throw new Error('two names');
    await tables.transact('searchindex', browsePartitionKey(old), [
      { kind: 'insert', rowKey: 'a study', properties: { unsure: false } },
    ]);
    const registry = new PartitionRegistry(tables);
    expect(await registry.has(old)).toBe(true);
    expect(await registry.has(none)).toBe(false);
    expect((await registry.list()).map(({ name }) => name)).toEqual([defaultPartition, old]);
  });

  it('asks storage about the default partition, and about one that it knows, never', async () => {
    let calls = 0;
    const tables = new MemoryTableStore({ onCall: () => (calls += 1) });
    const registry = new PartitionRegistry(tables);
    const [name] = names(1);
    if (name === undefined) throw new Error('a name');
    await registry.ensure(name);
    calls = 0;
    await registry.ensure(name);
    await registry.ensure(defaultPartition);
    expect(await registry.has(name)).toBe(true);
    expect(await registry.has(defaultPartition)).toBe(true);
    expect(calls).toBe(0);
  });
});
