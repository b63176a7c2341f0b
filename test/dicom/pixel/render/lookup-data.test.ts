import { describe, expect, it } from '@jest/globals';
import type { DataSet, Element } from '../../../../src/dicom/data-set.js';
import {
  lookupTableOf,
  paletteOf,
  type BulkSource,
} from '../../../../src/dicom/pixel/render/lookup-data.js';
import { bytesOf } from '../../../support/dicom/frames.js';

const noBulk: BulkSource = (path) => Promise.reject(new Error(`unexpected ${path}`));

function inline(bytes: Uint8Array): Element {
  return { vr: 'OW', InlineBinary: Buffer.from(bytes).toString('base64') };
}

function item(descriptor: readonly number[], data: Element): DataSet {
  return { '00283002': { vr: 'US', Value: descriptor }, '00283006': data } as DataSet;
}

describe('lookupTableOf', () => {
  it('reads a table of numbers, of inline words, and of bulk words', async () => {
    const expected = { first: -2, bits: 12, entries: Uint16Array.of(1, 2, 4095) };
    const descriptor = [3, -2, 12];
    const numbers = item(descriptor, { vr: 'US', Value: [1, 2, 4095] });
    expect(await lookupTableOf(numbers, true, noBulk)).toEqual(expected);
    const words = bytesOf(Uint16Array.of(1, 2, 4095));
    expect(await lookupTableOf(item(descriptor, inline(words)), true, noBulk)).toEqual(expected);
    const path = '00283010/0/00283006';
    const referred = item(descriptor, { vr: 'OW', BulkDataURI: path });
    const bulk: BulkSource = (asked) =>
      asked === path ? Promise.resolve(words) : Promise.reject(new Error(asked));
    expect(await lookupTableOf(referred, true, bulk)).toEqual(expected);
  });

  it('reads entries of eight bits, one or two to a word', async () => {
    const packed = item([4, 0, 8], inline(Uint8Array.of(1, 2, 3, 4)));
    const entries = Uint16Array.of(1, 2, 3, 4);
    expect(await lookupTableOf(packed, false, noBulk)).toMatchObject({ entries });
    const spaced = item([4, 0, 8], inline(bytesOf(entries)));
    expect(await lookupTableOf(spaced, false, noBulk)).toMatchObject({ entries });
  });

  it('takes 0 entries for 65536, and a first value beyond 32767 for negative where values can be', async () => {
    const data = inline(bytesOf(new Uint16Array(65_536).fill(7)));
    const table = await lookupTableOf(item([0, 64_512, 16], data), true, noBulk);
    expect(table?.entries.length).toBe(65_536);
    expect(table?.first).toBe(-1024);
    const unsigned = await lookupTableOf(item([0, 64_512, 16], data), false, noBulk);
    expect(unsigned?.first).toBe(64_512);
  });

  it.each([
    { what: 'no descriptor', value: { '00283006': { vr: 'US', Value: [1] } } },
    { what: 'no data', value: { '00283002': { vr: 'US', Value: [1, 0, 8] } } },
    { what: '3 bits', value: item([1, 0, 3], { vr: 'US', Value: [1] }) },
    { what: 'two numbers', value: item([1, 0], { vr: 'US', Value: [1] }) },
  ])('has nothing to say of an item with $what', async ({ value }) => {
    expect(await lookupTableOf(value, false, noBulk)).toBeUndefined();
  });
});

/** A palette with the same descriptor for each colour; data by the tags' last digit 1, 2, 3. */
function palette(
  descriptor: readonly number[],
  data: readonly Element[],
  segmented = false,
): DataSet {
  return Object.fromEntries(
    data.flatMap((element, at) => [
      [`0028110${at + 1}`, { vr: 'US', Value: descriptor }],
      [`00281${segmented ? '22' : '20'}${at + 1}`, element],
    ]),
  ) as DataSet;
}

describe('paletteOf', () => {
  it('reduces 16-bit colours to their upper eight bits', async () => {
    const words = (...values: number[]) => inline(bytesOf(Uint16Array.from(values)));
    const dataSet = palette(
      [2, 5, 16],
      [words(0xff00, 0x1234), words(0, 0x8000), words(0x00ff, 0)],
    );
    expect(await paletteOf(dataSet, false, noBulk)).toEqual({
      first: 5,
      red: Uint8Array.of(0xff, 0x12),
      green: Uint8Array.of(0, 0x80),
      blue: Uint8Array.of(0, 0),
    });
  });

  it('keeps 8-bit colours, also where the descriptor says 16', async () => {
    const data = inline(bytesOf(Uint16Array.of(0xff, 0x12)));
    for (const bits of [8, 16]) {
      const read = await paletteOf(palette([2, 0, bits], [data, data, data]), false, noBulk);
      expect(read?.red).toEqual(Uint8Array.of(0xff, 0x12));
    }
  });

  it('expands discrete, linear and indirect segments', async () => {
    // Two entries as they are, a line of four up to 60, then both again from the start.
    const segments = [0, 2, 10, 20, 1, 4, 60];
    const expected = [10, 20, 30, 40, 50, 60, 10, 20, 30, 40, 50, 60];
    const bytes = inline(Uint8Array.from([...segments, 2, 2, 0, 0, 0, 0]));
    const read = await paletteOf(palette([12, 0, 8], [bytes, bytes, bytes], true), false, noBulk);
    expect(Array.from(read?.red ?? [])).toEqual(expected);
    const words = inline(bytesOf(Uint16Array.from([...segments, 2, 2, 0, 0], (one) => one)));
    const wide = await paletteOf(palette([12, 0, 16], [words, words, words], true), false, noBulk);
    expect(Array.from(wide?.red ?? [])).toEqual(expected);
  });

  it('ends at a segment that makes no sense, and repeats the last entry', async () => {
    const looped = inline(Uint8Array.of(0, 1, 9, 2, 9, 3, 0, 0));
    const read = await paletteOf(palette([4, 0, 8], [looped, looped, looped], true), false, noBulk);
    expect(Array.from(read?.red ?? [])).toEqual([9, 9, 9, 9]);
  });

  it('is nothing when a colour is missing', async () => {
    const data = inline(Uint8Array.of(1, 2));
    expect(await paletteOf(palette([2, 0, 8], [data, data]), false, noBulk)).toBeUndefined();
  });
});
