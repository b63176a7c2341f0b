/** What every table store does; run for the memory store and for Azure's on Azurite. */
import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { operationBytes } from '../../../src/storage/table-limits.js';
import { tableLimits } from '../../../src/storage/table-store.js';
import type {
  Entity,
  QueryOptions,
  RowRange,
  TableName,
  TableOperation,
  TableStore,
} from '../../../src/storage/table-store.js';

const insert = (rowKey: string, value: number | string = 0): TableOperation => ({
  kind: 'insert',
  rowKey,
  properties: { value },
});
const upsert = (rowKey: string, value: number | string = 0): TableOperation => ({
  kind: 'upsert',
  rowKey,
  properties: { value },
});
const rowKeys = (entities: readonly Entity[]) => entities.map(({ rowKey }) => rowKey);
const numbered = (index: number) => `row${String(index).padStart(6, '0')}`;

/** All pages of a range, and how many there were. */
export async function readAll(
  store: TableStore,
  range: RowRange,
  options: QueryOptions = {},
  table: TableName = 'catalog',
): Promise<{ readonly entities: readonly Entity[]; readonly pages: number }> {
  const entities: Entity[] = [];
  let { continuation } = options;
  let pages = 0;
  do {
    const page = await store.query(table, range, {
      ...options,
      ...(continuation !== undefined && { continuation }),
    });
    entities.push(...page.entities);
    continuation = page.continuation;
    pages += 1;
  } while (continuation !== undefined);
  return { entities, pages };
}

/**
 * Describes a table store. Every test has a partition of its own, so stores may be shared.
 *
 * @param open a store whose tables exist.
 * @param table the one that most tests use.
 */
export function tableStoreContract(
  name: string,
  open: () => Promise<TableStore>,
  table: TableName = 'catalog',
): void {
  describe(`${name} as TableStore, table ${table}`, () => {
    let store: TableStore;
    const partition = () => `p|${randomBytes(6).toString('hex')}`;

    async function seed(partitionKey: string, keys: readonly string[]): Promise<void> {
      for (let done = 0; done < keys.length; done += 100) {
        const operations = keys.slice(done, done + 100).map((key) => upsert(key));
        await store.transact(table, partitionKey, operations);
      }
    }

    beforeAll(async () => {
      store = await open();
    });

    describe('get', () => {
      it('is undefined for a row that is not there', async () => {
        expect(await store.get(table, partition(), 'nobody')).toBeUndefined();
      });

      it('gives back every type of value as it was stored', async () => {
        const key = partition();
        const properties = {
          text: 'Müller^Jürgen=山田 "quoted" \\ \u0001 \n',
          empty: '',
          small: -2147483648,
          large: 5_000_000_000,
          fraction: 0.1,
          tiny: 5e-324,
          huge: 1.7976931348623157e308,
          int64: 9223372036854775807n,
          smallInt64: 1n,
          yes: true,
          no: false,
          bytes: Uint8Array.of(0, 1, 254, 255),
          noBytes: new Uint8Array(0),
        };
        await store.transact(table, key, [{ kind: 'insert', rowKey: 'row', properties }]);
        const entity = await store.get(table, key, 'row');
        expect(entity?.properties).toStrictEqual(properties);
        expect(entity).toMatchObject({ partitionKey: key, rowKey: 'row' });
      });

      it('keeps a full binary property and a full string property', async () => {
        const key = partition();
        const bytes = new Uint8Array(randomBytes(tableLimits.propertyBytes));
        const text = `x${'é'.repeat(tableLimits.propertyBytes / 2 - 1)}`;
        await store.transact(table, key, [
          { kind: 'insert', rowKey: 'row', properties: { bytes, text } },
        ]);
        const properties = (await store.get(table, key, 'row'))?.properties;
        expect(properties?.['text'] === text).toBe(true);
        expect(Buffer.compare(properties?.['bytes'] as Uint8Array, bytes)).toBe(0);
      });

      it('keeps bytes that are a part of larger memory, and no more than those', async () => {
        const key = partition();
        const bytes = Uint8Array.of(9, 9, 1, 2, 9).subarray(2, 4);
        await store.transact(table, key, [
          { kind: 'insert', rowKey: 'row', properties: { bytes } },
        ]);
        const read = (await store.get(table, key, 'row'))?.properties['bytes'];
        expect(read).toStrictEqual(Uint8Array.of(1, 2));
      });

      it('is not changed by what happens to the bytes after they were stored', async () => {
        const key = partition();
        const bytes = Uint8Array.of(1);
        await store.transact(table, key, [
          { kind: 'insert', rowKey: 'row', properties: { bytes } },
        ]);
        bytes[0] = 2;
        const read = (await store.get(table, key, 'row'))?.properties['bytes'] as Uint8Array;
        read[0] = 3;
        const again = (await store.get(table, key, 'row'))?.properties['bytes'];
        expect(again).toStrictEqual(Uint8Array.of(1));
      });

      it('returns the selected properties that are there, and the ETag', async () => {
        const key = partition();
        const { etags } = (await store.transact(table, key, [
          { kind: 'insert', rowKey: 'row', properties: { a: 1, b: 2 } },
        ])) as { etags: readonly string[] };
        expect(await store.get(table, key, 'row', { select: ['b', 'c'] })).toStrictEqual({
          partitionKey: key,
          rowKey: 'row',
          etag: etags[0],
          timestamp: expect.any(Number),
          properties: { b: 2 },
        });
      });

      it('says when the row was written, by the clock that the store tells', async () => {
        const key = partition();
        await store.transact(table, key, [insert('row', 'row')]);
        const { timestamp = 0 } = (await store.get(table, key, 'row')) ?? {};
        // `Date` of an answer has whole seconds.
        expect(Math.abs(store.now() - timestamp)).toBeLessThan(60_000);
      });

      it('finds keys with quotes, percent signs, spaces and letters of all scripts', async () => {
        const key = `${partition()}'%+ é山`;
        for (const rowKey of ["it's", '100%25', 'a b+c', '山田^太郎', '&=;,@$', '~{|}']) {
          const outcomes = [
            await store.transact(table, key, [insert(rowKey, rowKey)]),
            await store.transact(table, key, [upsert(rowKey, rowKey), upsert('other')]),
          ];
          expect(outcomes.map(({ committed }) => committed)).toEqual([true, true]);
          expect((await store.get(table, key, rowKey))?.properties['value']).toBe(rowKey);
          const { entities } = await readAll(store, { partitionKey: key, from: rowKey }, {}, table);
          expect(entities[0]?.rowKey).toBe(rowKey);
        }
      });
    });

    describe('query', () => {
      it('returns rows in order of UTF-16 code units, of one partition and one table', async () => {
        const key = partition();
        const keys = ['~', 'é', 'b', 'a|2', 'a|10', 'a', 'Z', 'A', '_', '0', '9'];
        await seed(key, keys);
        await seed(`${key}x`, ['foreign']);
        await store.transact('log', key, [upsert('elsewhere')]);
        const { entities } = await store.query(table, { partitionKey: key });
        expect(rowKeys(entities)).toEqual([...keys].sort());
      });

      it.each([
        [{ from: 'b' }, ['b', 'c', 'd']],
        [{ to: 'c' }, ['a', 'b']],
        [{ from: 'b', to: 'd' }, ['b', 'c']],
        [{ from: 'bb', to: 'cc' }, ['c']],
        [{ from: 'e' }, []],
        [{ from: 'c', to: 'b' }, []],
        [{ from: '', to: '' }, []],
      ])('returns the range %j', async (range, expected) => {
        const key = partition();
        await seed(key, ['a', 'b', 'c', 'd']);
        const page = await store.query(table, { partitionKey: key, ...range });
        expect(rowKeys(page.entities)).toEqual(expected);
        expect(page.continuation).toBeUndefined();
      });

      it('returns at most 1000 rows a page and all of them in the end', async () => {
        const key = partition();
        const keys = Array.from({ length: 2300 }, (_, index) => numbered(index));
        await seed(key, keys);
        const first = await store.query(table, { partitionKey: key });
        expect(first.entities.length).toBeLessThanOrEqual(1000);
        expect(first.continuation).toBeDefined();
        const range = { partitionKey: key, from: keys[1] ?? '' };
        const { entities, pages } = await readAll(store, range, {}, table);
        expect(rowKeys(entities)).toEqual(keys.slice(1));
        expect(pages).toBeGreaterThanOrEqual(3);
      });

      it('pages by the limit within the range', async () => {
        const key = partition();
        await seed(key, ['a', "b'é", 'c|山', 'd', 'e']);
        const range = { partitionKey: key, from: "b'", to: 'e' };
        const { entities, pages } = await readAll(store, range, { limit: 1 }, table);
        expect(rowKeys(entities)).toEqual(["b'é", 'c|山', 'd']);
        expect(pages).toBeGreaterThanOrEqual(3);
      });

      it('goes on after the rows that were deleted between pages', async () => {
        const key = partition();
        await seed(key, ['a', 'b', 'c', 'd']);
        const range = { partitionKey: key };
        const first = await store.query(table, range, { limit: 2 });
        const next = ['a', 'b', 'c'][first.entities.length] ?? '';
        await store.transact(table, key, [{ kind: 'delete', rowKey: next }]);
        const rest = await readAll(store, range, { continuation: first.continuation ?? '' }, table);
        const remaining = ['a', 'b', 'c', 'd'].filter((each) => each !== next);
        expect(rowKeys([...first.entities, ...rest.entities])).toEqual(remaining);
      });

      it('returns selected properties with keys and ETags', async () => {
        const key = partition();
        await store.transact(table, key, [
          { kind: 'insert', rowKey: 'row', properties: { a: 1, b: 'x' } },
        ]);
        const entity = await store.get(table, key, 'row');
        const page = await store.query(table, { partitionKey: key }, { select: ['b'] });
        expect(page.entities).toStrictEqual([{ ...entity, properties: { b: 'x' } }]);
      });

      it('refuses a continuation that is none', async () => {
        const query = store.query(table, { partitionKey: 'p' }, { continuation: 'nonsense!' });
        await expect(query).rejects.toThrow(RangeError);
      });
    });

    describe('scan', () => {
      /** All pages of a table, and the rows that the test put there. */
      async function scanAll(options: QueryOptions, mine: readonly string[]) {
        const entities: Entity[] = [];
        let continuation: string | undefined;
        let largest = 0;
        do {
          const page = await store.scan('searchindex', {
            ...options,
            ...(continuation !== undefined && { continuation }),
          });
          largest = Math.max(largest, page.entities.length);
          entities.push(...page.entities);
          continuation = page.continuation;
        } while (continuation !== undefined);
        return { largest, mine: entities.filter((row) => mine.includes(row.partitionKey)) };
      }

      async function put(partitionKey: string, keys: readonly string[]): Promise<void> {
        const operations = keys.map((rowKey): TableOperation => ({
          kind: 'upsert',
          rowKey,
          properties: { a: 1, b: 2 },
        }));
        await store.transact('searchindex', partitionKey, operations);
      }

      it('returns every row of a table by PartitionKey, then RowKey, page by page', async () => {
        const common = partition();
        const keys = ['|a', 'b', '0', '', "'é", '山', 'B', '|'].map((end) => common + end);
        for (const key of keys) await put(key, ['b', 'a|1', 'a', '~']);
        await store.transact('log', common, [upsert('elsewhere')]);
        const expected = [...keys]
          .sort()
          .flatMap((key) => ['a', 'a|1', 'b', '~'].map((rowKey) => [key, rowKey]));
        for (const limit of [1000, 3, 1]) {
          const { largest, mine } = await scanAll({ limit }, keys);
          expect(mine.map(({ partitionKey, rowKey }) => [partitionKey, rowKey])).toEqual(expected);
          expect(largest).toBeLessThanOrEqual(limit);
        }
      });

      it('returns selected properties with keys and ETags', async () => {
        const key = partition();
        await put(key, ['row']);
        const entity = await store.get('searchindex', key, 'row');
        const { mine } = await scanAll({ select: ['b', 'c'] }, [key]);
        expect(mine).toStrictEqual([{ ...entity, properties: { b: 2 } }]);
      });

      it.each([0, 1001])('refuses a page of %d rows', async (limit) => {
        await expect(store.scan('searchindex', { limit })).rejects.toThrow(RangeError);
      });

      it('refuses a continuation that is none', async () => {
        const scan = store.scan('searchindex', { continuation: 'nonsense!' });
        await expect(scan).rejects.toThrow(RangeError);
      });
    });

    describe('transact', () => {
      const stale = 'W/"datetime\'2020-01-01T00%3A00%3A00.0000000Z\'"';
      const properties = { value: 'new' };
      const clashes: readonly (readonly [string, string, TableOperation])[] = [
        ['exists', 'an insert of a row that is there', { kind: 'insert', rowKey: 'm', properties }],
        [
          'changed',
          'a replacement of another version',
          { kind: 'replace', rowKey: 'm', properties, etag: stale },
        ],
        [
          'missing',
          'a replacement of no row',
          { kind: 'replace', rowKey: 'gone', properties, etag: stale },
        ],
        ['changed', 'a delete of another version', { kind: 'delete', rowKey: 'm', etag: stale }],
        ['missing', 'a delete of no row', { kind: 'delete', rowKey: 'gone' }],
        ['missing', 'a guarded delete of no row', { kind: 'delete', rowKey: 'gone', etag: stale }],
      ];

      it.each(clashes)('tells of a clash "%s" alone: %s', async (clash, _, operation) => {
        const key = partition();
        await seed(key, ['m']);
        const outcome = await store.transact(table, key, [operation]);
        expect(outcome).toEqual({ committed: false, clash, index: 0 });
        const { entities } = await store.query(table, { partitionKey: key });
        expect(entities.map((entity) => entity.properties['value'])).toEqual([0]);
      });

      it.each(clashes)('does nothing after a clash "%s": %s', async (clash, _, operation) => {
        const key = partition();
        await seed(key, ['d1', 'd2', 'm', 'r', 'z']);
        const replaced = await store.get(table, key, 'r');
        const deleted = await store.get(table, key, 'd2');
        const before = await store.query(table, { partitionKey: key });
        const outcome = await store.transact(table, key, [
          { kind: 'delete', rowKey: 'd1' },
          { kind: 'replace', rowKey: 'r', properties, etag: replaced?.etag ?? '' },
          { kind: 'delete', rowKey: 'd2', etag: deleted?.etag ?? '' },
          insert('new'),
          upsert('z', 'overwritten'),
          operation,
          insert('after'),
        ]);
        expect(outcome).toEqual({ committed: false, clash, index: 5 });
        expect(await store.query(table, { partitionKey: key })).toEqual(before);
      });

      it('does all of its operations, and gives the ETag of each', async () => {
        const key = partition();
        await seed(key, ['d1', 'd2', 'r', 'u']);
        const replaced = await store.get(table, key, 'r');
        const deleted = await store.get(table, key, 'd2');
        const outcome = await store.transact(table, key, [
          { kind: 'delete', rowKey: 'd1' },
          insert('i', 1),
          { kind: 'delete', rowKey: 'd2', etag: deleted?.etag ?? '' },
          { kind: 'replace', rowKey: 'r', properties: { other: 2 }, etag: replaced?.etag ?? '' },
          upsert('u', 3),
          upsert('v', 4),
        ]);
        const { entities } = await store.query(table, { partitionKey: key });
        expect(entities.map(({ rowKey, properties: stored }) => [rowKey, stored])).toEqual([
          ['i', { value: 1 }],
          ['r', { other: 2 }],
          ['u', { value: 3 }],
          ['v', { value: 4 }],
        ]);
        const [i, r, u, v] = entities.map(({ etag }) => etag);
        expect(outcome).toEqual({ committed: true, etags: [undefined, i, undefined, r, u, v] });
        expect(r).not.toBe(replaced?.etag);
      });

      it('returns the new ETag of a single operation', async () => {
        const key = partition();
        const etags: (string | undefined)[] = [];
        const apply = async (operation: TableOperation) => {
          const outcome = await store.transact(table, key, [operation]);
          etags.push(outcome.committed ? outcome.etags[0] : 'none');
          expect((await store.get(table, key, 'r'))?.etag).toBe(etags.at(-1));
        };
        await apply(insert('r'));
        await apply({ kind: 'replace', rowKey: 'r', properties, etag: etags.at(-1) ?? '' });
        await apply(upsert('r'));
        await apply({ kind: 'delete', rowKey: 'r', etag: etags.at(-1) ?? '' });
        expect(new Set(etags).size).toBe(4);
      });

      it('lets one of many writers with the same ETag win', async () => {
        const key = partition();
        await seed(key, ['tail']);
        const etag = (await store.get(table, key, 'tail'))?.etag ?? '';
        const outcomes = await Promise.all(
          Array.from({ length: 8 }, (_, value) =>
            store.transact(table, key, [
              { kind: 'replace', rowKey: 'tail', properties: { value }, etag },
              insert(`entry${value}`),
            ]),
          ),
        );
        expect(outcomes.filter(({ committed }) => committed)).toHaveLength(1);
        const { entities } = await store.query(table, { partitionKey: key });
        expect(entities).toHaveLength(2);
      });

      it('takes 100 operations of rows that fill 4 MiB', async () => {
        const key = partition();
        const bytes = new Uint8Array(randomBytes(29_000));
        const operations: TableOperation[] = Array.from({ length: 100 }, (_, index) => ({
          kind: 'insert',
          rowKey: numbered(index),
          properties: { bytes },
        }));
        const size = operations.reduce((sum, each) => sum + operationBytes(key, each), 0);
        expect(size).toBeGreaterThan(0.9 * tableLimits.transactionBytes);
        expect(await store.transact(table, key, operations)).toMatchObject({ committed: true });
        expect((await readAll(store, { partitionKey: key }, {}, table)).entities).toHaveLength(100);
      });
    });

    describe('limits', () => {
      const wide = Object.fromEntries(Array.from({ length: 253 }, (_, i) => [`p${i}`, i]));
      const heavy = Object.fromEntries(
        Array.from({ length: 17 }, (_, i) => [`p${i}`, new Uint8Array(64 * 1024)]),
      );
      const large = (rowKey: string): TableOperation => ({
        kind: 'insert',
        rowKey,
        properties: { a: 'x'.repeat(32_000), b: 'x'.repeat(32_000) },
      });
      const withProperties = (properties: Record<string, unknown>): TableOperation[] => [
        { kind: 'upsert', rowKey: 'row', properties: properties as { value: number } },
      ];

      it.each([
        ['no operation', []],
        ['101 operations', Array.from({ length: 101 }, (_, i) => insert(numbered(i)))],
        ['one row twice', [insert('a'), upsert('a')]],
        ['more than 4 MiB', Array.from({ length: 65 }, (_, i) => large(numbered(i)))],
        ['an empty RowKey', [insert('')]],
        ['a RowKey over 1 KiB', [insert('x'.repeat(513))]],
        ['a slash in a key', [insert('a/b')]],
        ['a backslash in a key', [insert('a\\b')]],
        ['a number sign in a key', [insert('a#b')]],
        ['a question mark in a key', [insert('a?b')]],
        ['a tab in a key', [insert('a\tb')]],
        ['a C1 control in a key', [insert('a\u0085b')]],
        ['half a surrogate pair in a key', [insert('a\ud800b')]],
        ['253 properties', withProperties(wide)],
        ['a row over 1 MiB', withProperties(heavy)],
        ['bytes over 64 KiB', withProperties({ a: new Uint8Array(64 * 1024 + 1) })],
        ['a string over 32 Ki code units', withProperties({ a: 'x'.repeat(32 * 1024 + 1) })],
        ['a number that is none', withProperties({ a: Number.NaN })],
        ['an integer over 64 bits', withProperties({ a: 2n ** 63n })],
        ['a property named like a key', withProperties({ RowKey: 1 })],
        ['a property named like the ETag', withProperties({ etag: 'x' })],
        ['a property name with a dash', withProperties({ 'a-b': 1 })],
      ] as readonly (readonly [string, readonly TableOperation[]])[])(
        'refuse %s',
        async (_, operations) => {
          const key = partition();
          await expect(store.transact(table, key, operations)).rejects.toThrow(RangeError);
          expect((await store.query(table, { partitionKey: key })).entities).toEqual([]);
        },
      );

      it('refuse a bad PartitionKey in every method', async () => {
        await expect(store.get(table, 'a/b', 'c')).rejects.toThrow(RangeError);
        await expect(store.query(table, { partitionKey: 'a#b' })).rejects.toThrow(RangeError);
        await expect(store.transact(table, '', [insert('a')])).rejects.toThrow(RangeError);
      });

      it.each([0, 1001, 1.5])('refuse a page of %d rows', async (limit) => {
        const query = store.query(table, { partitionKey: 'p' }, { limit });
        await expect(query).rejects.toThrow(RangeError);
      });
    });

    it('gives up reads when the signal has fired', async () => {
      const signal = AbortSignal.abort();
      const aborted = { name: 'ServiceError', code: 'client-aborted' };
      await expect(store.get(table, 'p', 'r', { signal })).rejects.toMatchObject(aborted);
      await expect(store.query(table, { partitionKey: 'p' }, { signal })).rejects.toMatchObject(
        aborted,
      );
      await expect(store.scan(table, { signal })).rejects.toMatchObject(aborted);
      await expect(store.check(signal)).rejects.toMatchObject(aborted);
    });

    it('answers the health check', async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
