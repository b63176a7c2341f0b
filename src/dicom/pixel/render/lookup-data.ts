/** Reads the look-up tables of PS3.3 §C.11.1.1 and the palettes of §C.7.9 out of a data set. */
import { attribute } from '../../attribute.js';
import type { DataSet, Element } from '../../data-set.js';
import type { Tag } from '../../tag.js';
import type { LookupTable, Palette } from './presentation.js';

/**
 * Fetches a value that the model only refers to.
 *
 * @param path attribute path as stored, such as `00281201`.
 * @returns its bytes, little endian.
 */
export type BulkSource = (path: string) => Promise<Uint8Array>;

interface Descriptor {
  readonly count: number;
  readonly first: number;
  readonly bits: number;
}

const lutDescriptor = attribute('LUTDescriptor');
const lutData = attribute('LUTData');

/** More than any descriptor can say; an end to what segments expand to. */
const mostEntries = 65_536;

/** Descriptor of a table; `undefined` when it is missing or senseless. */
function descriptorOf(element: Element | undefined, signed: boolean): Descriptor | undefined {
  const [count, first, bits] = (element?.Value ?? []).map(Number);
  if (count === undefined || first === undefined || bits === undefined) return undefined;
  if (![count, first, bits].every(Number.isInteger) || bits < 8 || bits > 16) return undefined;
  return {
    // 65 536 does not fit into the element and is written as 0.
    count: count === 0 ? mostEntries : count & 0xffff,
    // Whether it is signed follows the pixels, but in implicit VR readers cannot know that.
    first: signed && first > 0x7fff ? first - mostEntries : first,
    bits,
  };
}

/** The bytes of a table's data, in whichever of its forms the model has them. */
async function bytesOf(
  element: Element | undefined,
  bulk: BulkSource,
): Promise<Uint8Array | undefined> {
  if (element?.BulkDataURI !== undefined) return await bulk(element.BulkDataURI);
  if (element?.InlineBinary !== undefined) return Buffer.from(element.InlineBinary, 'base64');
  if (element?.Value === undefined) return undefined;
  return new Uint8Array(Uint16Array.from(element.Value.map(Number)).buffer);
}

function wordsOf(bytes: Uint8Array): Uint16Array {
  const words = new Uint16Array(bytes.length >> 1);
  for (let at = 0; at < words.length; at++) {
    words[at] = (bytes[at * 2] ?? 0) | ((bytes[at * 2 + 1] ?? 0) << 8);
  }
  return words;
}

/** Entries of 8 bits are packed two to a word by some writers, and one to a word by others. */
function entriesOf(bytes: Uint8Array, count: number): Uint16Array {
  const packed = bytes.length < count * 2;
  return packed ? Uint16Array.from(bytes.subarray(0, count)) : wordsOf(bytes).subarray(0, count);
}

/**
 * A table of a Modality LUT or VOI LUT item.
 *
 * @param signed whether its input can be negative.
 * @returns `undefined` when the item has no table that makes sense.
 */
export async function lookupTableOf(
  item: DataSet,
  signed: boolean,
  bulk: BulkSource,
): Promise<LookupTable | undefined> {
  const descriptor = descriptorOf(item[lutDescriptor], signed);
  const bytes = descriptor && (await bytesOf(item[lutData], bulk));
  if (descriptor === undefined || bytes === undefined || bytes.length === 0) return undefined;
  const { first, bits, count } = descriptor;
  return { first, bits, entries: entriesOf(bytes, count) };
}

interface ColorTags {
  readonly descriptor: Tag;
  readonly data: Tag;
  readonly segmented: Tag;
}

const colors: readonly ColorTags[] = ['Red', 'Green', 'Blue'].map((color) => ({
  descriptor: attribute(`${color}PaletteColorLookupTableDescriptor`),
  data: attribute(`${color}PaletteColorLookupTableData`),
  segmented: attribute(`Segmented${color}PaletteColorLookupTableData`),
}));

/**
 * The palette of a PALETTE COLOR image; `undefined` when any of its tables is missing.
 *
 * @param signed whether the stored values can be negative.
 */
export async function paletteOf(
  dataSet: DataSet,
  signed: boolean,
  bulk: BulkSource,
): Promise<Palette | undefined> {
  const [red, green, blue] = await Promise.all(
    colors.map(async (tags) => await colorTable(dataSet, tags, signed, bulk)),
  );
  if (red === undefined || green === undefined || blue === undefined) return undefined;
  // Some writers say 16 bits and mean 8; a picture with none brighter than 1 in 256 is no picture.
  const wide =
    red.bits > 8 && [red, green, blue].some(({ entries }) => entries.some((one) => one > 0xff));
  const reduced = ({ entries, bits }: LookupTable) =>
    Uint8Array.from(entries, (one) => (wide ? one >> (bits - 8) : one));
  return { first: red.first, red: reduced(red), green: reduced(green), blue: reduced(blue) };
}

async function colorTable(
  dataSet: DataSet,
  { descriptor: tag, data, segmented }: ColorTags,
  signed: boolean,
  bulk: BulkSource,
): Promise<LookupTable | undefined> {
  const descriptor = descriptorOf(dataSet[tag], signed);
  if (descriptor === undefined) return undefined;
  const { first, bits, count } = descriptor;
  const segments = await bytesOf(dataSet[segmented], bulk);
  if (segments !== undefined && segments.length > 0) {
    const entries = expandSegments(bits > 8 ? wordsOf(segments) : segments, count);
    return { first, bits, entries };
  }
  const bytes = await bytesOf(dataSet[data], bulk);
  if (bytes === undefined || bytes.length === 0) return undefined;
  return { first, bits, entries: entriesOf(bytes, count) };
}

/**
 * Expands a segmented palette (PS3.3 §C.7.9.2): discrete segments (0) are copied, linear ones (1) run
 * from the entry before to their own end, and indirect ones (2) repeat segments that came earlier.
 * What is malformed ends the table, and its last entry fills the rest.
 */
function expandSegments(words: Uint8Array | Uint16Array, count: number): Uint16Array {
  const entries = new Uint16Array(count);
  let filled = 0;
  const word = (at: number): number => words[at] ?? 0;

  /** Expands up to `most` segments from `start` on; returns where the next one is. */
  const expand = (start: number, most: number, indirect: boolean): number => {
    let at = start;
    for (let segment = 0; segment < most && at + 2 < words.length && filled < count; segment++) {
      const length = word(at + 1);
      switch (word(at)) {
        case 0:
          for (let one = 0; one < length && filled < count; one++) {
            entries[filled++] = word(at + 2 + one);
          }
          at += 2 + length;
          break;
        case 1: {
          const from = entries[filled - 1] ?? 0;
          const step = (word(at + 2) - from) / Math.max(length, 1);
          for (let one = 1; one <= length && filled < count; one++) {
            entries[filled++] = Math.round(from + one * step);
          }
          at += 3;
          break;
        }
        case 2: {
          if (indirect) return words.length;
          // The offset is 32 bits, as two words or four bytes, and counts bytes.
          const width = words.BYTES_PER_ELEMENT;
          const parts = 4 / width;
          let offset = 0;
          for (let part = parts - 1; part >= 0; part--) {
            offset = offset * 2 ** (8 * width) + word(at + 2 + part);
          }
          expand(Math.floor(offset / width), length, true);
          at += 2 + parts;
          break;
        }
        default:
          return words.length;
      }
    }
    return at;
  };

  expand(0, Number.POSITIVE_INFINITY, false);
  return entries.fill(entries[Math.max(filled - 1, 0)] ?? 0, filled);
}
