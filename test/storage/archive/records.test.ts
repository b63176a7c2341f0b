import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import {
  compressIndex,
  compressMetadata,
  decodeInstance,
  decompressIndex,
  encodeInstance,
  indexInRow,
  metadataInRow,
  rowBytes,
  type InstanceIndex,
  type InstanceRecord,
} from '../../../src/storage/archive/records.js';
import { newUlid } from '../../../src/storage/archive/ulid.js';
import { checkTransaction } from '../../../src/storage/table-limits.js';
import type { DataSet } from '../../../src/dicom/data-set.js';
import { openOnMemory, put, settle } from './support/fixture.js';
import { fileOf, partition, uidsOf } from './support/samples.js';

const uids = uidsOf({ study: 1, series: 2, instance: 3 });
const { sopClass, transferSyntax } = fileOf({ study: 1, series: 2, instance: 3 }, newUlid());
const record: InstanceRecord = {
  ...uids,
  version: newUlid(),
  sequence: 7,
  sopClass,
  transferSyntax,
  length: 5_000_000_000,
};
const smallIndex = compressIndex({ frames: undefined, bulk: [] });

const entityOf = (properties: ReturnType<typeof encodeInstance>) => ({
  partitionKey: 'p',
  rowKey: 'r',
  etag: '',
  timestamp: 0,
  properties,
});

describe('an instance row', () => {
  it.each([0, 1, 60 * 1024, 60 * 1024 + 1, rowBytes.metadata])(
    'holds %i bytes of metadata within the limits of the service',
    (bytes) => {
      const metadata = randomBytes(bytes);
      const properties = encodeInstance({ record, metadata, index: randomBytes(rowBytes.index) });
      expect(() => {
        checkTransaction('p'.repeat(130), [
          { kind: 'insert', rowKey: 'r'.repeat(130), properties },
        ]);
      }).not.toThrow();
      const entity = entityOf(properties);
      expect(decodeInstance(uids, entity)).toEqual(record);
      expect(metadataInRow(entity)?.equals(metadata)).toBe(true);
      expect(indexInRow(entity)).toHaveLength(rowBytes.index);
    },
  );

  it('says so when metadata or index lie in a blob', () => {
    const entity = entityOf(
      encodeInstance({
        record,
        metadata: randomBytes(rowBytes.metadata + 1),
        index: randomBytes(rowBytes.index + 1),
      }),
    );
    expect(metadataInRow(entity)).toBeUndefined();
    expect(indexInRow(entity)).toBeUndefined();
    expect(decodeInstance(uids, entity)).toEqual(record);
  });
});

describe('compressIndex', () => {
  it.each<InstanceIndex>([
    { frames: undefined, bulk: [] },
    {
      frames: { kind: 'native', offset: 1000, length: 64, frames: 2, frameBits: 256 },
      bulk: [],
    },
    {
      frames: {
        kind: 'encapsulated',
        offset: 9,
        fragments: [4, 6, 8],
        perFrame: [1, 2],
        frames: 2,
      },
      bulk: [],
    },
  ])('is undone by decompressIndex (%#)', (index) => {
    expect(decompressIndex(compressIndex(index))).toEqual(index);
  });
});

describe('Archive', () => {
  it.each([
    ['in one property', 100],
    ['in several properties', 100_000],
    ['in a blob', 800_000],
  ])('gives back metadata %s as they were stored, and removes all of them', async (_, bytes) => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    if (archive === undefined) throw new RangeError('no archive');
    const text = randomBytes(bytes).toString('base64');
    const more: DataSet = { ['00104000' as keyof DataSet]: { vr: 'LT', Value: [text] } };
    await put(archive, { study: 1, series: 2, instance: 3, more });
    const row = await archive.catalog.instance(partition, uids);
    if (row === undefined) throw new RangeError('not there');
    const found = JSON.parse(await archive.files.metadataText(partition, row)) as DataSet;
    expect(Object.entries(found).find(([tag]) => tag === '00104000')?.[1].Value).toEqual([text]);
    expect(await archive.files.index(partition, row)).toEqual({ frames: undefined, bulk: [] });
    expect(shared.blobNames?.('derived')).toHaveLength(bytes > rowBytes.metadata ? 1 : 0);
    await archive.delete(partition, uids.study, {});
    await settle(shared);
    expect(shared.blobNames?.('derived')).toEqual([]);
    expect(shared.blobNames?.('instances')).toEqual([]);
  });
});

describe('the indexes that an archive keeps', () => {
  /** Rows of instances with equal fragments, whose indexes compress to next to nothing. */
  const rowsOf = (instances: number, fragments: number) => {
    const frames = {
      kind: 'encapsulated',
      offset: 9,
      fragments: Array<number>(fragments).fill(4),
      perFrame: 1,
      frames: fragments,
    } as const;
    const index = compressIndex({ frames, bulk: [] });
    expect(index.length).toBeLessThan(200 + fragments / 100);
    return Array.from({ length: instances }, () => {
      const one = { ...record, version: newUlid() };
      const metadata = new Uint8Array(1);
      return { record: one, entity: entityOf(encodeInstance({ record: one, metadata, index })) };
    });
  };

  it('are as many as have room in memory, the ones asked for last', async () => {
    const [archive] = openOnMemory(1).archives;
    const rows = rowsOf(9, 200_000);
    const kept: (readonly [row: (typeof rows)[number], index: InstanceIndex | undefined])[] = [];
    for (const row of rows) kept.push([row, await archive?.files.index(partition, row)]);
    const again: boolean[] = [];
    for (const [row, index] of kept.toReversed()) {
      again.push((await archive?.files.index(partition, row)) === index);
    }
    // 1.6 MB each.
    expect(again.indexOf(false)).toBe(7);
  });

  it('are all of many small ones, and one of a million fragments', async () => {
    const [archive] = openOnMemory(1).archives;
    const small = rowsOf(1000, 1000);
    const [large] = rowsOf(1, 1_000_000);
    if (large === undefined) throw new RangeError('no row');
    for (const rows of [small, [large]]) {
      const first = await Promise.all(
        rows.map(async (row) => await archive?.files.index(partition, row)),
      );
      for (const [at, row] of rows.entries()) {
        expect((await archive?.files.index(partition, row)) === first[at]).toBe(true);
      }
    }
  });
});

describe('compressMetadata', () => {
  it('makes less of repetitive text', () => {
    expect(compressMetadata('x'.repeat(10_000)).length).toBeLessThan(200);
    expect(smallIndex.length).toBeLessThan(100);
  });
});
