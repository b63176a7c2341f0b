/** Links in the table: found by their secret alone, within their partition and time, and kept without it. */
import { describe, expect, it } from '@jest/globals';
import { parseUid, type SeriesInstanceUID, type StudyInstanceUID } from '../../src/dicom/uid.js';
import { defaultPartition, parsePartition } from '../../src/storage/archive/keys.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { shareCacheMilliseconds, ShareRegistry } from '../../src/storage/share-registry.js';

const study = parseUid<StudyInstanceUID>('1.2.3') as StudyInstanceUID;
const series = parseUid<SeriesInstanceUID>('1.2.3.4') as SeriesInstanceUID;
const day = 24 * 3600_000;

function open() {
  const tables = new MemoryTableStore();
  const clock = { now: Date.UTC(2026, 0, 1) };
  let reads = 0;
  const get = tables.get.bind(tables);
  tables.get = async (...asked) => {
    reads += 1;
    return await get(...asked);
  };
  const registry = () => new ShareRegistry(tables, () => clock.now);
  return { tables, clock, registry, reads: () => reads };
}

describe('ShareRegistry', () => {
  it('finds a link by its secret, and keeps no secret', async () => {
    const { tables, registry } = open();
    const { share, secret } = await registry().create(defaultPartition, { study, series }, 7, {
      objectId: 'jane',
    });
    expect(secret).toMatch(/^share_[\w-]{43}$/);
    expect(share).toMatchObject({ study, series, createdBy: { objectId: 'jane' } });
    expect(share.expires.getTime() - share.created.getTime()).toBe(7 * day);
    expect(await registry().find(defaultPartition, secret)).toEqual(share);
    const { entities } = await tables.scan('registry');
    expect(entities).toHaveLength(1);
    expect(JSON.stringify(entities)).not.toContain(secret.slice('share_'.length));
  });

  it('finds it in its partition only, and by the whole secret only', async () => {
    const { registry, reads } = open();
    const { share, secret } = await registry().create(defaultPartition, { study }, 1, {});
    const found = async (partition = defaultPartition, text = secret) =>
      await registry().find(partition, text);
    expect(await found(parsePartition('north'))).toBeUndefined();
    expect(
      await found(defaultPartition, `${secret.slice(0, -1)}${secret.endsWith('A') ? 'B' : 'A'}`),
    ).toBeUndefined();
    const before = reads();
    for (const text of ['', 'share_', secret.slice(0, -1), `${secret}A`, share.id]) {
      expect(await found(defaultPartition, text)).toBeUndefined();
    }
    expect(reads()).toBe(before);
    expect(await found()).toEqual(share);
  });

  it('ends when it expires, at once, and when it is withdrawn, within seconds', async () => {
    const { clock, registry, reads } = open();
    const [here, elsewhere] = [registry(), registry()];
    const { share, secret } = await here.create(defaultPartition, { study }, 1, {});
    clock.now += day - 1;
    expect(await elsewhere.find(defaultPartition, secret)).toEqual(share);
    clock.now += 1;
    expect(await elsewhere.find(defaultPartition, secret)).toBeUndefined();

    const other = await here.create(defaultPartition, { study }, 1, {});
    expect(await elsewhere.find(defaultPartition, other.secret)).toEqual(other.share);
    expect(await here.withdraw(defaultPartition, other.share.id)).toBe(true);
    expect(await here.withdraw(defaultPartition, other.share.id)).toBe(false);
    expect(await here.find(defaultPartition, other.secret)).toBeUndefined();
    const before = reads();
    clock.now += shareCacheMilliseconds - 1;
    expect(await elsewhere.find(defaultPartition, other.secret)).toEqual(other.share);
    expect(reads()).toBe(before);
    clock.now += 1;
    expect(await elsewhere.find(defaultPartition, other.secret)).toBeUndefined();
    expect(reads()).toBe(before + 1);
  });

  it('lists those that work, the newest first, and forgets the others', async () => {
    const { tables, clock, registry } = open();
    const made = registry();
    await made.create(defaultPartition, { study }, 1, {});
    clock.now += 1;
    const second = await made.create(defaultPartition, { study }, 3, {});
    clock.now += 1;
    const third = await made.create(defaultPartition, { study, series }, 3, {});
    await made.create(parsePartition('north'), { study }, 3, {});
    clock.now += day;
    expect(await made.list(defaultPartition)).toEqual([third.share, second.share]);
    expect(await made.sweep([defaultPartition, parsePartition('north')])).toBe(1);
    expect((await tables.scan('registry')).entities).toHaveLength(3);
    expect(await made.list(defaultPartition)).toEqual([third.share, second.share]);
  });

  it('opens nothing by a row that cannot be read', async () => {
    const { tables, registry } = open();
    const { share, secret } = await registry().create(defaultPartition, { study, series }, 1, {});
    const [row] = (await tables.scan('registry')).entities;
    await tables.transact('registry', `shares|${defaultPartition}`, [
      { kind: 'upsert', rowKey: share.id, properties: { ...row?.properties, series: 'x' } },
    ]);
    expect(await registry().find(defaultPartition, secret)).toBeUndefined();
  });
});
