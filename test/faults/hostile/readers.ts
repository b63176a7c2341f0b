/** Cases that store a file which is meant to do harm to whoever asks for it, and then ask for it. */
import { deflateRawSync } from 'node:zlib';
import { binary, element, ramp, sampleInstance, syntaxes } from '../../support/part10-builder.js';
import type { FileCase } from './files.js';
import type { Answer, PlainRequest } from './case.js';

const deflatedFrames = '1.2.840.10008.1.2.8.1';

function storeOf(file: Buffer): PlainRequest {
  const headers = { 'Content-Type': 'application/dicom', Accept: 'application/dicom+json' };
  return { method: 'POST', path: '/studies', headers, body: file };
}

function get(path: string, accept: string): PlainRequest {
  return { method: 'GET', path, headers: { Accept: accept } };
}

function instanceOf({ uids }: FileCase): string {
  return `/studies/${uids.study}/series/${uids.series}/instances/${uids.instance}`;
}

function framesIn(transferSyntaxUID: string): string {
  return `multipart/related; type="application/octet-stream"; transfer-syntax=${transferSyntaxUID}`;
}

/** Samples that stay compressed, and samples of each kind of codec. */
const frameForms = [
  framesIn('*'),
  framesIn(syntaxes.explicit),
  'multipart/related; type="image/jls"',
  'multipart/related; type="image/jp2"',
  'multipart/related; type="image/dicom-rle"',
] as const;

/** Ways to ask for the pixels of an instance. */
function pixelsOf(one: FileCase, frames: string): PlainRequest {
  const { random } = one;
  const instance = instanceOf(one);
  return random.pick([
    get(`${instance}/frames/${frames}`, random.pick(frameForms)),
    get(`${instance}/frames/1/rendered`, random.pick(['image/jpeg', 'image/png', 'image/gif'])),
    get(`${instance}/thumbnail`, 'image/jpeg'),
    get(instance, 'multipart/related; type="application/dicom"; transfer-syntax=*'),
    get(instance, `multipart/related; type="application/dicom"; transfer-syntax=${syntaxes.rle}`),
    get(`${instance}/pixeldata`, framesIn('*')),
    get(`${instance}/metadata`, 'application/dicom+json'),
  ]);
}

/** Up to 30 000 fragments, of one frame or of as many, with a table of offsets or without, empty ones too. */
export function manyFragments(one: FileCase): readonly PlainRequest[] {
  const { random, uids } = one;
  const count = random.oneIn(3) ? 30_000 : random.pick([1, 100, 5000]);
  const size = random.pick([0, 2, 8]);
  const frames = random.pick([1, 2, count]);
  const fragment = ramp(size);
  const file = sampleInstance({
    ...uids,
    transferSyntaxUID: random.pick([syntaxes.jpegBaseline, syntaxes.jpeg2000, syntaxes.rle]),
    overrides: [element('00280008', 'IS', frames), element('00280100', 'US', 8)],
    pixelData: {
      fragments: Array.from({ length: count }, () => fragment),
      ...(random.oneIn(2) && {
        offsetTable: Array.from({ length: frames }, (_, index) => index * (size + 8)),
      }),
    },
  });
  const asked = random.pick(['1', String(frames), `1,${frames}`, String(frames + 1)]);
  return [storeOf(file), pixelsOf(one, asked), pixelsOf(one, asked)];
}

/** A frame asked for up to 7001 times in one request, as it is stored and through a codec. */
export function repeatedFrames(one: FileCase): readonly PlainRequest[] {
  const { random, uids } = one;
  const side = random.pick([16, 64]);
  const file = sampleInstance({
    ...uids,
    overrides: [
      element('00280008', 'IS', 2),
      element('00280010', 'US', side),
      element('00280011', 'US', side),
    ],
    pixelData: { native: Buffer.alloc(side * side * 4, 7) },
  });
  const repeats = random.pick([2, 500, 7001]) - 1;
  const frames = `${`${random.pick(['1', '2'])},`.repeat(repeats)}1`;
  return [storeOf(file), get(`${instanceOf(one)}/frames/${frames}`, random.pick(frameForms))];
}

/** Sides of frames: two that are never decoded, and one that is. */
const sides = [65_535, 20_000, 3000] as const;
const deflatedNulls = new Map<number, Buffer>();

function nulls(bytes: number): Buffer {
  const known = deflatedNulls.get(bytes) ?? deflateRawSync(Buffer.alloc(bytes));
  deflatedNulls.set(bytes, known);
  return known;
}

/** A few bytes that stand for a frame of any size, or inflate to more than their frame has. */
export function pixelBombs(one: FileCase): readonly PlainRequest[] {
  const { random, uids } = one;
  const side = random.pick(sides);
  const inflated = random.pick([10, side === 3000 ? side ** 2 : 1e6, 128e6]);
  const jpegHeader = Buffer.from('ffd8ffc0000b08ffffffff01011100ffda0008010100003f00', 'hex');
  const j2kHeader = Buffer.from(
    'ff4fff510029000000010000000100000000000000000001000000010000000000000000000001070101',
    'hex',
  );
  const jlsHeader = Buffer.from('ffd8fff7000b08ffffffff01011100ffda0008010100000000', 'hex');
  const [transferSyntaxUID, payload] = random.pick<readonly [string, Buffer]>([
    [deflatedFrames, nulls(inflated)],
    [deflatedFrames, nulls(inflated)],
    [syntaxes.rle, Buffer.concat([ramp(64), Buffer.alloc(100_000, '\x81\x00', 'latin1')])],
    [syntaxes.jpegBaseline, Buffer.concat([jpegHeader, Buffer.alloc(10_000)])],
    [syntaxes.jpegLossless, Buffer.concat([jpegHeader, Buffer.alloc(10_000)])],
    [syntaxes.jpeg2000, Buffer.concat([j2kHeader, Buffer.alloc(10_000)])],
    [syntaxes.htj2k, Buffer.concat([j2kHeader, Buffer.alloc(10_000)])],
    [syntaxes.jpegLs, Buffer.concat([jlsHeader, Buffer.alloc(10_000)])],
  ]);
  const file = sampleInstance({
    ...uids,
    transferSyntaxUID,
    overrides: [
      element('00280010', 'US', side),
      element('00280011', 'US', side),
      element('00280100', 'US', 8),
      element('00280101', 'US', 8),
      element('00280102', 'US', 7),
    ],
    pixelData: { fragments: [payload], offsetTable: [0] },
  });
  return [storeOf(file), pixelsOf(one, '1')];
}

/** Patterns that take long to match by trying again, and a value that almost fits them. */
export function longPatterns(one: FileCase): readonly PlainRequest[] {
  const { random, uids } = one;
  const file = sampleInstance({
    ...uids,
    pixelData: null,
    overrides: [
      element('00100010', 'PN', 'a'.repeat(64)),
      element('00081030', 'LO', 'a'.repeat(64)),
    ],
  });
  const pattern = random.pick([
    `*${'?'.repeat(5000)}`,
    `*${'?'.repeat(255)}`,
    `${'*a'.repeat(127)}b`,
    '*a'.repeat(128),
    `${'*?'.repeat(120)}b`,
    `${'*'.repeat(255)}b`,
    `${'a*'.repeat(5000)}b`,
  ]);
  const path = random.pick(['/studies', '/series', '/instances', `/studies/${uids.study}/series`]);
  const key = random.pick([
    'PatientName',
    'StudyDescription',
    '00100010',
    'ReferringPhysicianName',
  ]);
  const fuzzy = random.oneIn(3) ? '&fuzzymatching=true' : '';
  const query = `${key}=${encodeURIComponent(pattern)}${fuzzy}`;
  return [storeOf(file), get(`${path}?${query}`.slice(0, 15_000), 'application/dicom+json')];
}

/** The first characters of the cells of a table (RFC 4180). */
function beginnings(table: string): readonly string[] {
  return [...table.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(?:,|\r\n|$)/g)].map(
    ([, quoted, plain = '']) => (quoted ?? plain).slice(0, 2),
  );
}

function noFormula({ text }: Answer): string | undefined {
  const formula = beginnings(text).find((cell) => /^(?:[=@\t\r]|[+-]\D)/.test(cell));
  return formula === undefined ? undefined : `a cell that begins with ${formula}`;
}

/** Values that a spreadsheet would compute, asked for as a table. */
export function formulas(one: FileCase): readonly PlainRequest[] {
  const { random, uids } = one;
  const formula = () =>
    random.pick([
      '=HYPERLINK("http://e.example","x")',
      '=1+1',
      '+cmd|x',
      '-cmd|x',
      '@SUM(A1)',
      ' =1+1',
      '"=1+1',
      ',=1+1',
    ]);
  const file = sampleInstance({
    ...uids,
    pixelData: null,
    overrides: [
      element('00100010', 'PN', formula()),
      element('00100020', 'LO', formula()),
      element('00081030', 'LO', formula()),
      binary('0008103E', 'LO', Buffer.from(`${formula()}\\${formula()}`.padEnd(80))),
    ],
  });
  const level = random.pick(['/studies', '/series', '/instances']);
  const table = get(`${level}?StudyInstanceUID=${uids.study}&includefield=all`, 'text/csv');
  return [storeOf(file), { ...table, judge: noFormula }];
}
