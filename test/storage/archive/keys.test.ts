import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attribute } from '../../../src/dicom/attribute.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../../src/dicom/uid.js';
import {
  browsePartitionKey,
  browseRowKey,
  encodeValue,
  indexPartitionKey,
  indexRowKey,
  instanceRowKey,
  instanceRows,
  intentRows,
  logRowKey,
  logTailRowKey,
  parseBrowseRowKey,
  parseCatalogRowKey,
  parseIndexRowKey,
  parsePartition,
  rowsOfInterval,
  rowsOfPrefix,
  rowsOfValue,
  seriesRowKey,
  seriesRows,
  studyAndSeriesRows,
  studyPartitionKey,
  studyRowKey,
  type IndexRowKey,
} from '../../../src/storage/archive/keys.js';
import { blobName } from '../../../src/storage/archive/blob-name.js';
import { indexedValue } from '../../../src/storage/archive/index/search-index.js';
import type { Ulid } from '../../../src/storage/archive/ulid.js';
import { checkKey } from '../../../src/storage/table-limits.js';
import { partition } from './support/samples.js';

const digits = '0123456789';
const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const text = (alphabet: string, minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...Array.from(alphabet)), minLength, maxLength });
const uid = fc
  .tuple(text(`${digits}.`, 0, 63), fc.constantFrom(...Array.from(digits)))
  .map(([start, end]) => start + end);
const ulid = text(crockford, 26, 26) as fc.Arbitrary<Ulid>;
const uids = fc.record({ study: uid, series: uid, instance: uid }) as fc.Arbitrary<InstanceUids>;
const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  text('/\\#?|!~}\u0000\u001f\u007f\u009f\ud83d', 0, 300),
);
const partitionName = text('AZaz09_.-', 1, 64)
  .filter((name) => name !== '.' && name !== '..')
  .map(parsePartition);
const instanceLevel = fc.record({ created: ulid, write: ulid, uids });

describe('parsePartition', () => {
  it.each(['a', 'Microsoft.Default', 'A_b-c.9', 'x'.repeat(64), '...'])('takes "%s"', (name) => {
    expect(parsePartition(name)).toBe(name);
  });

  it.each(['', 'x'.repeat(65), 'a/b', 'a|b', 'a b', 'ä', 'a\n', '.', '..'])(
    'refuses "%s"',
    (name) => {
      expect(() => parsePartition(name)).toThrow('partition name');
    },
  );
});

describe('encodeValue', () => {
  it('tells values apart and keeps prefixes, as long as they are not cut', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.nat(40), (value, end) => {
        const prefix = value.slice(0, end);
        expect(encodeValue(value).startsWith(encodeValue(prefix))).toBe(true);
        expect(encodeValue(value) === encodeValue(prefix)).toBe(value === prefix);
      }),
    );
  });

  it('begins no key with a comma', () => {
    expect(encodeValue(',a,')).toBe('!002ca,');
  });

  it('keeps prefixes of values that are cut', () => {
    fc.assert(
      fc.property(anyText, fc.nat(300), (value, end) => {
        expect(encodeValue(value).startsWith(encodeValue(value.slice(0, end)))).toBe(true);
        expect(encodeValue(value).length).toBeLessThanOrEqual(200);
      }),
    );
  });
});

describe('keys of rows', () => {
  it('keep the limits of the service whatever they are made of', () => {
    fc.assert(
      fc.property(partitionName, uids, anyText, ulid, ulid, (name, ids, value, created, write) => {
        const spelled = encodeValue(value);
        for (const key of [
          studyPartitionKey(name, ids.study),
          seriesRowKey(ids.series),
          instanceRowKey(ids),
          indexPartitionKey(name, 'instance', attribute('SOPInstanceUID'), spelled),
          indexRowKey({ value: spelled, created, uids: ids, write }),
          browsePartitionKey(name),
          browseRowKey(created, ids.study),
        ]) {
          expect(() => {
            checkKey('key', key);
          }).not.toThrow();
        }
        expect(Object.values(rowsOfPrefix(spelled)).join('').length).toBeLessThanOrEqual(512);
      }),
    );
  });

  it('are read back as they were spelled', () => {
    fc.assert(
      fc.property(anyText, instanceLevel, fc.constantFrom(1, 2, 3), (value, rest, level) => {
        const { study, series, instance } = rest.uids;
        const key: IndexRowKey = {
          ...rest,
          value: encodeValue(value),
          uids: {
            study,
            ...(level > 1 && { series }),
            ...(level > 2 && { instance }),
          },
        };
        expect(parseIndexRowKey(indexRowKey(key))).toEqual(key);
        expect(parseBrowseRowKey(browseRowKey(rest.created, study))).toEqual({
          created: rest.created,
          study,
        });
        expect(parseCatalogRowKey(studyRowKey)).toEqual({ level: 'study' });
        expect(parseCatalogRowKey(seriesRowKey(series))).toEqual({ level: 'series', series });
        expect(parseCatalogRowKey(instanceRowKey(rest.uids))).toEqual({
          level: 'instance',
          series,
          instance,
        });
      }),
    );
  });

  it('sort newest first within a value', () => {
    fc.assert(
      fc.property(anyText, instanceLevel, instanceLevel, (value, one, other) => {
        fc.pre(one.created !== other.created);
        const spelled = encodeValue(value);
        const first =
          indexRowKey({ value: spelled, ...one }) < indexRowKey({ value: spelled, ...other });
        expect(first).toBe(one.created > other.created);
      }),
    );
  });
});

const within = (key: string, range: { readonly from?: string; readonly to?: string }) =>
  (range.from === undefined || key >= range.from) && (range.to === undefined || key < range.to);

describe('ranges of rows', () => {
  it('hold the rows of a study, a series, and all series, and no others', () => {
    fc.assert(
      fc.property(uids, uid, ({ study, series, instance }, tail) => {
        const other = (series + tail) as SeriesInstanceUID;
        const keyOf = (of: SeriesInstanceUID) => instanceRowKey({ series: of, instance });
        expect(within(keyOf(series), instanceRows(partition, study, series))).toBe(true);
        expect(within(keyOf(other), instanceRows(partition, study, series))).toBe(false);
        expect(within(keyOf(other), instanceRows(partition, study))).toBe(true);
        expect(within(seriesRowKey(series), instanceRows(partition, study))).toBe(false);
        expect(within(seriesRowKey(series), seriesRows(partition, study))).toBe(true);
        for (const key of [studyRowKey, seriesRowKey(series)]) {
          expect(within(key, studyAndSeriesRows(partition, study))).toBe(true);
        }
        expect(within(studyRowKey, seriesRows(partition, study))).toBe(false);
        expect(within(keyOf(series), studyAndSeriesRows(partition, study))).toBe(false);
      }),
    );
  });

  it('hold exactly a value, and every value with a prefix', () => {
    fc.assert(
      fc.property(anyText, anyText, instanceLevel, (value, tail, rest) => {
        const row = (of: string) => indexRowKey({ value: encodeValue(of), ...rest });
        expect(within(row(value), rowsOfValue(encodeValue(value)))).toBe(true);
        expect(within(row(value + tail), rowsOfPrefix(encodeValue(value)))).toBe(true);
        const longer = encodeValue(value + tail) !== encodeValue(value);
        expect(within(row(value + tail), rowsOfValue(encodeValue(value)))).toBe(!longer);
        expect(within(row(`x${value}`), rowsOfPrefix(encodeValue(`y${value}`)))).toBe(false);
      }),
    );
  });

  it('walk dates from the latest to the earliest', () => {
    const date = attribute('StudyDate');
    const day = fc
      .date({ min: new Date('1000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
      .map((when) => when.toISOString().slice(0, 10).replaceAll('-', ''));
    fc.assert(
      fc.property(day, day, day, instanceLevel, (one, other, third, rest) => {
        const row = (of: string) => indexRowKey({ value: indexedValue(date, of), ...rest });
        if (one !== other) expect(row(one) < row(other)).toBe(one > other);
        const [from, to] = one < other ? [one, other] : [other, one];
        const range = rowsOfInterval(indexedValue(date, to), indexedValue(date, from));
        expect(within(row(third), range)).toBe(third >= from && third <= to);
        const since = rowsOfInterval(undefined, indexedValue(date, from));
        expect(within(row(third), since)).toBe(third >= from);
        const until = rowsOfInterval(indexedValue(date, from), undefined);
        expect(within(row(third), until)).toBe(third <= from);
      }),
    );
  });

  it('find an instance in the one shard of its UID', () => {
    const tag = attribute('SOPInstanceUID');
    const shards = new Set(
      Array.from({ length: 2000 }, (_, n) =>
        indexPartitionKey(partition, 'instance', tag, `1.${n}`),
      ),
    );
    expect(shards.size).toBe(8);
    expect(indexPartitionKey(partition, 'study', tag, 'a')).toBe(
      indexPartitionKey(partition, 'study', tag, 'b'),
    );
  });
});

describe('keys of the log', () => {
  it('sort as the sequence does, before the tail', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER - 1 }), (sequence) => {
        expect(logRowKey(sequence) < logRowKey(sequence + 1)).toBe(true);
        expect(logRowKey(sequence + 1) < logTailRowKey).toBe(true);
      }),
    );
  });

  it('range over the intents from a sequence to another, both included', () => {
    const { from, to } = intentRows(3, 100, 200);
    const within = (sequence: number) => {
      const key = logRowKey(sequence);
      return key >= String(from) && key < String(to);
    };
    expect([99, 100, 200, 201].map(within)).toEqual([false, true, true, false]);
    const all = intentRows(3, 100);
    expect(String(all.to) < logTailRowKey).toBe(true);
    expect(String(all.to) > logRowKey(Number.MAX_SAFE_INTEGER)).toBe(true);
  });
});

describe('blobName', () => {
  it('keeps a study under one prefix and partitions apart', () => {
    const of = (name: string, instance: string) =>
      blobName(
        parsePartition(name),
        {
          study: '1.2' as StudyInstanceUID,
          series: '1.2.3' as SeriesInstanceUID,
          instance: instance as SOPInstanceUID,
        },
        '01ARZ3NDEKTSV4RRFFQ69G5FAV' as Ulid,
        'dcm',
      );
    expect(of('A', '1.2.3.4')).toMatch(
      /^[0-9a-f]{3}\/A\/1\.2\/1\.2\.3\/1\.2\.3\.4\/01ARZ3NDEKTSV4RRFFQ69G5FAV\.dcm$/,
    );
    expect(of('A', '1.2.3.5').slice(0, 3)).toBe(of('A', '1.2.3.4').slice(0, 3));
    expect(of('B', '1.2.3.4').split('/')[1]).toBe('B');
  });
});
