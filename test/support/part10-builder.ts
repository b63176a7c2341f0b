/**
 * Builds Part 10 files for tests: every transfer syntax form, every VR, nested sequences of both
 * length forms, encapsulated pixel data, and the broken variants that real archives hold. It shares
 * no code with the reader, so that the two check each other.
 */
import { deflateRawSync } from 'node:zlib';
import type { DataSet, Element, PersonName, Value } from '../../src/dicom/data-set.js';
import { keepElementSecret } from './leaks.js';

/** Transfer syntaxes by the name of what they are an example of. */
export const syntaxes = {
  implicit: '1.2.840.10008.1.2',
  explicit: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.1.99',
  bigEndian: '1.2.840.10008.1.2.2',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
  jpegLossless: '1.2.840.10008.1.2.4.70',
  jpegLs: '1.2.840.10008.1.2.4.80',
  jpeg2000: '1.2.840.10008.1.2.4.90',
  htj2k: '1.2.840.10008.1.2.4.201',
  mpeg4: '1.2.840.10008.1.2.4.102',
  rle: '1.2.840.10008.1.2.5',
} as const;

export type ElementValue = string | number | bigint | PersonName | null;

/** One element to write. Made by `element`, `binary` or `sequence`, or written out for odd cases. */
export interface ElementSpec {
  /** Eight hex digits. */
  readonly tag: string;
  /** The two letters to write; anything goes, `??` as well. */
  readonly vr: string;
  /** Values to encode by VR; text as UTF-8. */
  readonly values?: readonly ElementValue[];
  /** The value as it stands, instead of `values`: no padding, no swapping. */
  readonly bytes?: Uint8Array;
  readonly items?: readonly (readonly ElementSpec[])[];
  /** Whether a sequence and its items have their length in the header or end in delimiters. */
  readonly form?: 'defined' | 'undefined';
  /** A false length for the header, whatever the value. */
  readonly declaredLength?: number;
  /** Writes the header with a 16- or 32-bit length whatever the VR. */
  readonly lengthBits?: 16 | 32;
}

/** Elements as a list, or as a DICOM JSON data set. */
export type Elements = readonly ElementSpec[] | DataSet;

export type PixelDataSpec =
  | { readonly native: Uint8Array; readonly vr?: string }
  | {
      readonly fragments: readonly Uint8Array[];
      /** Entries of the Basic Offset Table; absent means an empty table. */
      readonly offsetTable?: readonly number[];
      /** Leaves the sequence delimiter out. */
      readonly undelimited?: boolean;
    };

export interface Part10Spec {
  /** Defaults to explicit VR little endian. */
  readonly transferSyntaxUID?: string;
  readonly elements?: Elements;
  readonly pixelData?: PixelDataSpec;
  /** Added to the file meta information, replacing elements of the same tag. */
  readonly meta?: readonly ElementSpec[];
  /** Tags of the file meta information to leave out; `00020000` leaves out the group length. */
  readonly omitMeta?: readonly string[];
  /** A false group length. */
  readonly metaGroupLength?: number;
  /** Writes the file meta information in implicit VR, against the standard. */
  readonly metaImplicit?: boolean;
  /** Defaults to 128 nulls. */
  readonly preamble?: Uint8Array;
  /** Defaults to `DICM`. */
  readonly magic?: string;
  /** Bytes after the data set, inside the deflated stream when there is one. */
  readonly trailing?: Uint8Array;
  /** Keeps the order of `elements` instead of sorting by tag. */
  readonly keepOrder?: boolean;
}

export interface SampleSpec {
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
  /** Replace or add elements. */
  readonly overrides?: Elements;
  /** Tags to leave out. */
  readonly omit?: readonly string[];
  readonly transferSyntaxUID?: string;
  /** Defaults to 16 × 16 pixels of 16 bits, a ramp; `null` writes none. */
  readonly pixelData?: PixelDataSpec | null;
}

interface Encoding {
  readonly explicit: boolean;
  readonly big: boolean;
}

const ctImageStorage = '1.2.840.10008.5.1.4.1.1.2';
const longForm = new Set([
  'OB',
  'OD',
  'OF',
  'OL',
  'OV',
  'OW',
  'SQ',
  'SV',
  'UC',
  'UN',
  'UR',
  'UT',
  'UV',
]);

/** An element with values: `element('00100010', 'PN', 'Doe^Jane')`. */
export function element(tag: string, vr: string, ...values: ElementValue[]): ElementSpec {
  keepElementSecret(tag, vr, values);
  return { tag, vr, values };
}

/** An element with bytes as they stand: `binary('00091010', 'OB', Buffer.alloc(6))`. */
export function binary(tag: string, vr: string, bytes: Uint8Array): ElementSpec {
  return { tag, vr, bytes };
}

/** A sequence: `sequence('00081140', [[element('00081155', 'UI', '1.2.3')]])`. */
export function sequence(
  tag: string,
  items: readonly (readonly ElementSpec[])[],
  form: 'defined' | 'undefined' = 'defined',
): ElementSpec {
  return { tag, vr: 'SQ', items, form };
}

/** Turns a DICOM JSON data set into elements to write. InlineBinary is written as it stands. */
export function elementsOf(source: Elements): readonly ElementSpec[] {
  if (isList(source)) return source;
  return Object.entries(source).map(([tag, one]: [string, Element]) => {
    if (one.InlineBinary !== undefined) {
      return binary(tag, one.vr, Buffer.from(one.InlineBinary, 'base64'));
    }
    if (one.vr === 'SQ') {
      return sequence(
        tag,
        (one.Value ?? []).map((item) => elementsOf(item as DataSet)),
      );
    }
    const values: readonly Value[] = one.Value ?? [];
    return element(tag, one.vr, ...values.map((value) => value as ElementValue));
  });
}

/** `base` with elements of `changes` replaced or added, and `omit` left out. */
export function withElements(
  base: Elements,
  changes: Elements,
  omit: readonly string[] = [],
): readonly ElementSpec[] {
  const byTag = new Map(elementsOf(base).map((one) => [one.tag, one]));
  for (const one of elementsOf(changes)) byTag.set(one.tag, one);
  for (const tag of omit) byTag.delete(tag);
  return [...byTag.values()];
}

/** Encodes a data set without preamble and file meta information. */
export function encodeDataSet(
  elements: Elements,
  transferSyntaxUID: string = syntaxes.explicit,
  keepOrder = false,
): Buffer {
  return encodeElements(elementsOf(elements), encodingOf(transferSyntaxUID), keepOrder);
}

/** Builds a file. */
export function buildPart10(spec: Part10Spec = {}): Buffer {
  const transferSyntaxUID = spec.transferSyntaxUID ?? syntaxes.explicit;
  const encoding = encodingOf(transferSyntaxUID);
  const elements = elementsOf(spec.elements ?? []);
  const body = Buffer.concat([
    encodeElements(elements, encoding, spec.keepOrder ?? false),
    ...(spec.pixelData === undefined ? [] : [encodePixelData(spec.pixelData, encoding)]),
    spec.trailing ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([
    spec.preamble ?? Buffer.alloc(128),
    Buffer.from(spec.magic ?? 'DICM', 'latin1'),
    encodeMeta(spec, elements, transferSyntaxUID),
    transferSyntaxUID.trim() === syntaxes.deflated ? padded(deflateRawSync(body)) : body,
  ]);
}

/** The elements of a small CT-like instance, without pixel data but with what describes it. */
export function sampleElements(spec: SampleSpec = {}): readonly ElementSpec[] {
  const base = [
    element('00080005', 'CS', 'ISO_IR 192'),
    element('00080008', 'CS', 'ORIGINAL', 'PRIMARY', 'AXIAL'),
    element('00080016', 'UI', ctImageStorage),
    element('00080018', 'UI', spec.instance ?? '1.2.826.0.1.3680043.8.498.3'),
    element('00080020', 'DA', '20240229'),
    element('00080030', 'TM', '101500'),
    element('00080050', 'SH', 'ACC-1'),
    element('00080060', 'CS', 'CT'),
    element('00080090', 'PN', 'Curie^Marie'),
    element('00081030', 'LO', 'Thorax'),
    element('00100010', 'PN', 'Doe^Jane'),
    element('00100020', 'LO', 'PAT-1'),
    element('00100030', 'DA', '19700101'),
    element('00100040', 'CS', 'F'),
    element('0020000D', 'UI', spec.study ?? '1.2.826.0.1.3680043.8.498.1'),
    element('0020000E', 'UI', spec.series ?? '1.2.826.0.1.3680043.8.498.2'),
    element('00200010', 'SH', 'S1'),
    element('00200011', 'IS', '1'),
    element('00200013', 'IS', '1'),
    element('00280002', 'US', 1),
    element('00280004', 'CS', 'MONOCHROME2'),
    element('00280010', 'US', 16),
    element('00280011', 'US', 16),
    element('00280030', 'DS', '0.5', '0.5'),
    element('00280100', 'US', 16),
    element('00280101', 'US', 16),
    element('00280102', 'US', 15),
    element('00280103', 'US', 0),
    element('00281052', 'DS', '-1024'),
    element('00281053', 'DS', '1'),
  ];
  return withElements(base, spec.overrides ?? [], spec.omit);
}

/** A small valid CT-like file of about 1.5 KiB: patient module, 16 × 16 pixels of 16 bits. */
export function sampleInstance(spec: SampleSpec = {}): Buffer {
  const pixelData = spec.pixelData === undefined ? { native: ramp(512) } : spec.pixelData;
  return buildPart10({
    ...(spec.transferSyntaxUID === undefined ? {} : { transferSyntaxUID: spec.transferSyntaxUID }),
    ...(pixelData === null ? {} : { pixelData }),
    elements: sampleElements(spec),
  });
}

/** Bytes 0, 1, 2 … modulo 256. */
export function ramp(length: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => index % 256));
}

/** Splits bytes into chunks of the given sizes, again and again until all is used. */
export function chunksOf(bytes: Uint8Array, ...sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = Math.max(1, sizes[turn % sizes.length] ?? bytes.length);
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

function isList(source: Elements): source is readonly ElementSpec[] {
  return Array.isArray(source);
}

function encodingOf(transferSyntaxUID: string): Encoding {
  const uid = transferSyntaxUID.replace(/[ \0]+$/, '');
  return { explicit: uid !== syntaxes.implicit, big: uid === syntaxes.bigEndian };
}

function encodeMeta(
  spec: Part10Spec,
  elements: readonly ElementSpec[],
  transferSyntaxUID: string,
): Buffer {
  const valueOf = (tag: string, otherwise: string): ElementValue =>
    elements.find((one) => one.tag === tag)?.values?.[0] ?? otherwise;
  const meta = withElements(
    [
      binary('00020001', 'OB', Buffer.from([0, 1])),
      element('00020002', 'UI', valueOf('00080016', ctImageStorage)),
      element('00020003', 'UI', valueOf('00080018', '1.2.826.0.1.3680043.8.498.3')),
      element('00020010', 'UI', transferSyntaxUID),
      element('00020012', 'UI', '1.2.826.0.1.3680043.8.498'),
    ],
    spec.meta ?? [],
    spec.omitMeta,
  );
  const encoding = { explicit: spec.metaImplicit !== true, big: false };
  const rest = encodeElements(meta, encoding, false);
  if (spec.omitMeta?.includes('00020000') === true) return rest;
  const length = element('00020000', 'UL', spec.metaGroupLength ?? rest.length);
  return Buffer.concat([encodeElement(length, encoding, false), rest]);
}

function encodePixelData(spec: PixelDataSpec, encoding: Encoding): Buffer {
  const tag = '7FE00010';
  if ('native' in spec) {
    return encodeElement(binary(tag, spec.vr ?? 'OW', padded(spec.native)), encoding, false);
  }
  const table = Buffer.alloc((spec.offsetTable?.length ?? 0) * 4);
  spec.offsetTable?.forEach((offset, index) => table.writeUInt32LE(offset, index * 4));
  return Buffer.concat([
    header({ tag, vr: 'OB' }, 0xffffffff, encoding),
    ...[table, ...spec.fragments].flatMap((value) => [
      delimiter('FFFEE000', value.length, encoding),
      value,
    ]),
    ...(spec.undelimited === true ? [] : [delimiter('FFFEE0DD', 0, encoding)]),
  ]);
}

function encodeElements(
  elements: readonly ElementSpec[],
  encoding: Encoding,
  keepOrder: boolean,
): Buffer {
  const ordered = keepOrder
    ? elements
    : elements.toSorted((a, b) => Number.parseInt(a.tag, 16) - Number.parseInt(b.tag, 16));
  return Buffer.concat(ordered.map((one) => encodeElement(one, encoding, keepOrder)));
}

function encodeElement(spec: ElementSpec, encoding: Encoding, keepOrder: boolean): Buffer {
  const open = spec.form === 'undefined';
  const value = spec.items
    ? Buffer.concat([
        ...spec.items.flatMap((item) => {
          const content = encodeElements(item, encoding, keepOrder);
          return [
            delimiter('FFFEE000', open ? 0xffffffff : content.length, encoding),
            content,
            ...(open ? [delimiter('FFFEE00D', 0, encoding)] : []),
          ];
        }),
        ...(open ? [delimiter('FFFEE0DD', 0, encoding)] : []),
      ])
    : Buffer.from(spec.bytes ?? encodeValues(spec, encoding.big));
  const length = spec.declaredLength ?? (open ? 0xffffffff : value.length);
  return Buffer.concat([header(spec, length, encoding), value]);
}

function header(spec: ElementSpec, length: number, encoding: Encoding): Buffer {
  const tag = tagBytes(spec.tag, encoding.big);
  if (!encoding.explicit) return Buffer.concat([tag, integer(length, 4, encoding.big)]);
  const long = spec.lengthBits === undefined ? longForm.has(spec.vr) : spec.lengthBits === 32;
  return Buffer.concat([
    tag,
    Buffer.from(spec.vr, 'latin1'),
    ...(long
      ? [Buffer.alloc(2), integer(length, 4, encoding.big)]
      : [integer(length, 2, encoding.big)]),
  ]);
}

function delimiter(tag: string, length: number, encoding: Encoding): Buffer {
  return Buffer.concat([tagBytes(tag, encoding.big), integer(length, 4, encoding.big)]);
}

function tagBytes(tag: string, big: boolean): Buffer {
  return Buffer.concat([
    integer(Number.parseInt(tag.slice(0, 4), 16), 2, big),
    integer(Number.parseInt(tag.slice(4), 16), 2, big),
  ]);
}

function integer(value: number, size: 2 | 4, big: boolean): Buffer {
  const bytes = Buffer.alloc(size);
  if (big) bytes.writeUIntBE(value, 0, size);
  else bytes.writeUIntLE(value, 0, size);
  return bytes;
}

function encodeValues(spec: ElementSpec, big: boolean): Uint8Array {
  const values = spec.values ?? [];
  const write = numberWriters[spec.vr];
  if (write) {
    return Buffer.concat(values.map((value) => (big ? write(value).reverse() : write(value))));
  }
  if (spec.vr === 'AT') return Buffer.concat(values.map((value) => tagBytes(textOf(value), big)));
  const text = Buffer.from(values.map(textOf).join('\\'), 'utf8');
  return padded(text, spec.vr === 'UI' ? 0 : 0x20);
}

const numberWriters: Record<string, ((value: ElementValue) => Buffer) | undefined> = {
  US: (value) => typed(new Uint16Array([Number(value)])),
  SS: (value) => typed(new Int16Array([Number(value)])),
  UL: (value) => typed(new Uint32Array([Number(value)])),
  SL: (value) => typed(new Int32Array([Number(value)])),
  FL: (value) => typed(new Float32Array([Number(value)])),
  FD: (value) => typed(new Float64Array([Number(value)])),
  UV: (value) => typed(new BigUint64Array([BigInt(value as string)])),
  SV: (value) => typed(new BigInt64Array([BigInt(value as string)])),
};

/** Bytes of a typed array; tests run on little-endian machines. */
function typed(array: ArrayBufferView): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

function textOf(value: ElementValue): string {
  if (value === null) return '';
  if (typeof value !== 'object') return String(value);
  return [value.Alphabetic, value.Ideographic, value.Phonetic]
    .map((group) => group ?? '')
    .join('=')
    .replace(/=+$/, '');
}

function padded(bytes: Uint8Array, padding = 0): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(bytes.length % 2, padding)]);
}
