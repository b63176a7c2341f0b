/** Part 10 files that are meant to do harm: each is a sample file with one kind of damage. */
import { deflateRawSync } from 'node:zlib';
import {
  binary,
  buildPart10,
  element,
  encodeDataSet,
  ramp,
  sampleElements,
  sampleInstance,
  sequence,
  syntaxes,
  type ElementSpec,
  type SampleSpec,
} from '../../support/part10-builder.js';
import { manyElements, wrongDates } from '../../support/dicom/many-elements.js';
import type { Random } from './random.js';

/** UIDs that no other case has. */
export interface CaseUids {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}

/** What a file is made from. */
export interface FileCase {
  readonly random: Random;
  readonly uids: CaseUids;
  /** How many cases of this kind came before. */
  readonly turn: number;
}

type FileAttack = (one: FileCase) => Buffer;

const headerSyntaxes = [syntaxes.explicit, syntaxes.implicit, syntaxes.bigEndian] as const;

function sample({ uids }: FileCase, overrides: readonly ElementSpec[], more: SampleSpec = {}) {
  return sampleInstance({ ...uids, ...more, overrides });
}

/** Cuts at one byte after the other, so that every boundary of a header comes up. */
function truncated(one: FileCase): Buffer {
  const transferSyntaxUID = headerSyntaxes[one.turn % headerSyntaxes.length] ?? syntaxes.explicit;
  const items = sequence(
    '00081140',
    [[element('00081150', 'UI', '1.2'), element('00081155', 'UI', '1.2.3')]],
    one.turn % 2 === 0 ? 'defined' : 'undefined',
  );
  const file = sample(one, [items], {
    transferSyntaxUID,
    ...(one.turn % 5 === 0 && {
      transferSyntaxUID: syntaxes.jpegBaseline,
      pixelData: { fragments: [ramp(20), ramp(30)], offsetTable: [0] },
    }),
  });
  return file.subarray(0, Math.floor(one.turn / headerSyntaxes.length) % file.length);
}

function scrambled(one: FileCase): Buffer {
  const { random } = one;
  if (random.oneIn(10)) return random.bytes(random.below(4096));
  if (random.oneIn(10)) {
    return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), random.bytes(2048)]);
  }
  const file = Buffer.from(sample(one, [], { transferSyntaxUID: random.pick(headerSyntaxes) }));
  for (let flips = 1 + random.below(32); flips > 0; flips--) {
    file[132 + random.below(file.length - 132)] = random.below(256);
  }
  return file;
}

function lengthBomb(one: FileCase): Buffer {
  const { random } = one;
  const declaredLength = random.pick([
    0xffffffff, 0xfffffffe, 0x7fffffff, 0x80000000, 0x40000000, 0xffff, 0x10000, 3, 1,
  ]);
  const form = random.pick<'defined' | 'undefined'>(['defined', 'undefined']);
  const target = random.pick([
    { ...binary('00091010', 'UN', ramp(8)), declaredLength },
    { ...binary('00091010', 'OB', ramp(8)), declaredLength },
    { ...binary('00104000', 'UT', ramp(8)), declaredLength },
    { ...binary('00420011', 'OB', ramp(8)), declaredLength },
    { ...sequence('00081140', [[element('00081155', 'UI', '1.2')]], form), declaredLength },
    { ...element('00081155', 'UI', '1.2.3'), declaredLength: declaredLength & 0xffff },
    sequence('00081140', [[{ ...binary('00091010', 'UN', ramp(8)), declaredLength }]], form),
    { ...binary('7FE00010', 'OW', ramp(8)), declaredLength },
    { ...binary('7FE00001', 'OV', ramp(8)), declaredLength },
  ]);
  return sample(one, [target], { pixelData: null });
}

function deeplyNested(one: FileCase): Buffer {
  const { random } = one;
  const depth = random.pick([60, 63, 64, 65, 66, 200, 2000, 20_000]);
  const delimited = random.oneIn(2);
  const level = Buffer.from('400030a753510000fffffffffeff00e0ffffffff', 'hex');
  const closing = Buffer.from('feff0de000000000feffdde000000000', 'hex');
  const levels = Array.from({ length: depth }, () => level);
  const ends = Array.from({ length: delimited ? depth : 0 }, () => closing);
  return Buffer.concat([sample(one, [], { pixelData: null }), ...levels, ...ends]);
}

function wrongRepresentations(one: FileCase): Buffer {
  const { random } = one;
  const letters = () => String.fromCharCode(65 + random.below(26), 65 + random.below(26));
  const vrs = ['SQ', 'OB', 'OW', 'UN', 'AT', 'FD', 'US', 'PN', 'DS', 'UT', 'UI', 'OV'] as const;
  const changed = sampleElements(one.uids).flatMap((spec) =>
    random.oneIn(6)
      ? [
          {
            ...binary(spec.tag, '', encodeDataSet([spec]).subarray(8)),
            vr: random.pick([...vrs, letters(), '??', '\0\0', '  ', 'zz']),
            ...(random.oneIn(4) && { lengthBits: random.pick<16 | 32>([16, 32]) }),
          },
        ]
      : [],
  );
  return sample(one, changed);
}

function duplicates(one: FileCase): Buffer {
  const { random } = one;
  const own = sampleElements(one.uids);
  const again = own.filter(() => random.oneIn(3));
  const elements = Array.from({ length: 1 + random.below(20) }, () => again).flat();
  return buildPart10({ elements: [...own, ...elements, ...own], keepOrder: random.oneIn(2) });
}

function hugeCount(one: FileCase): Buffer {
  const { random } = one;
  const head = sampleInstance({ ...one.uids, pixelData: null });
  const count = random.oneIn(40)
    ? random.pick([199_000, 999_000])
    : random.pick([1000, 5000, 20_000]);
  if (random.oneIn(3)) return Buffer.concat([head, manyElements(count, 'LO', '')]);
  if (random.oneIn(2)) return Buffer.concat([head, wrongDates(count)]);
  const items = Buffer.alloc(count * 8, Buffer.from('feff00e000000000', 'hex'));
  return Buffer.concat([head, Buffer.from('3100050053510000ffffffff', 'hex'), items]);
}

/** Text where the header may hold it: up to what one value, or many, can be made of. */
function muchText(one: FileCase): Buffer {
  const { random } = one;
  const length = random.oneIn(50)
    ? random.pick([15_000_000, 60_000_000, 70_000_000])
    : random.pick([70_000, 1_000_000]);
  const filling = random.pick(['x', '\\', '=', '^', '\\\\a']);
  const vr = random.pick(['UT', 'UC', 'LT', 'UR']);
  const bytes = Buffer.alloc(length, filling);
  return sample(one, [{ ...binary('0040A160', vr, bytes), lengthBits: 32 }], { pixelData: null });
}

function deflateBomb(one: FileCase): Buffer {
  const { random } = one;
  const inflated = random.oneIn(20) ? 1.5 * 1024 ** 3 : random.pick([1e6, 3e7, 1e8]);
  const meta = buildPart10({ transferSyntaxUID: syntaxes.deflated, elements: [] });
  const head = encodeDataSet(sampleElements(one.uids));
  // Nulls at the end, as the value of pixels, of text, or where nothing is known.
  const places = ['', 'e07f10004f570000ffffff7f', '40a060a155540000ffffff7f', 'ffffffffffffffff'];
  const start = Buffer.from(random.pick(places as [string, ...string[]]), 'hex');
  // What one block of nulls deflates to can be repeated: its window holds nulls as well.
  const block = deflateRawSync(Buffer.alloc(1024 ** 2), { finishFlush: 2 });
  const blocks: Buffer[] = Array.from({ length: Math.ceil(inflated / 1024 ** 2) }, () => block);
  const bare = meta.subarray(0, meta.length - 2);
  return Buffer.concat([
    bare,
    deflateRawSync(Buffer.concat([head, start]), { finishFlush: 2 }),
    ...blocks,
    ...(random.oneIn(2) ? [deflateRawSync(Buffer.alloc(0))] : []),
  ]);
}

function exoticText(one: FileCase): Buffer {
  const { random } = one;
  const terms = [
    'ISO 2022 IR 87',
    'ISO 2022 IR 149',
    'ISO 2022 IR 58',
    'ISO_IR 192',
    'GB18030',
    'ISO_IR 13',
    'ISO_IR 166',
    '',
    'constructor',
    '\u0000',
    'x'.repeat(500),
  ] as const;
  const term = () => random.pick(terms);
  const escapes = ['1b2442', '1b242943', '1b242941', '1b284a', '1b2d41', '1b', '1b24', '1b2428'];
  const pieces = Array.from({ length: random.below(random.oneIn(20) ? 20_000 : 40) }, () =>
    random.oneIn(2)
      ? Buffer.from(random.pick(escapes as [string, ...string[]]), 'hex')
      : random.bytes(1 + random.below(12)),
  );
  const text = Buffer.concat(pieces);
  return sample(one, [
    element('00080005', 'CS', ...Array.from({ length: 1 + random.below(5) }, term)),
    binary('00100010', 'PN', text.subarray(0, 60_000)),
    binary('00100020', 'LO', text.subarray(0, 64)),
    { ...binary('00104000', 'LT', text.subarray(0, 60_000)) },
    { ...binary('0040A160', 'UT', text), lengthBits: 32 },
  ]);
}

/** UIDs that mean a path, a key or code where they end up unchecked. */
export const hostileUids = [
  '..',
  '../../etc/passwd',
  '1.2/../../3',
  '1.2%2f..%2f3',
  '1.2|3',
  "1.2' or 1 eq 1 or '",
  '1.2\u0000.3',
  '1.2#3',
  '1.2?x=1',
  '.',
  '1..2',
  '1.2.',
  '__proto__',
  'constructor',
  '9'.repeat(65),
  '9.'.repeat(600) + '9',
  '1.2\r\nX-Injected: 1',
  '1.2\\..\\3',
  '',
] as const;

function traversal(one: FileCase): Buffer {
  const { random } = one;
  const key = random.pick(['study', 'series', 'instance']);
  return sampleInstance({ ...one.uids, [key]: random.pick(hostileUids) });
}

/** Values that become names of properties, tallies and keys of rows. */
function hostileValues(one: FileCase): Buffer {
  const { random } = one;
  const values = [
    '__proto__',
    'constructor',
    'toString',
    '<script>alert(1)</script>',
    "'; drop table studies; --",
    '*',
    '?',
    '\u0000\u0001\u007f',
    '|}~!#/\\',
    'x'.repeat(30_000),
    '😀'.repeat(50),
    '\ufeff',
  ] as const;
  return sample(
    one,
    ['00080060', '00100010', '00100020', '00080050', '00081030', '00200010', '00080090'].map(
      (tag) => element(tag, random.pick(['LO', 'UT', 'CS', 'PN']), random.pick(values)),
    ),
  );
}

/** The attacks by files. */
export const fileAttacks = {
  'file cut off': truncated,
  'random bytes in a file': scrambled,
  'length bomb': lengthBomb,
  'deep nesting': deeplyNested,
  'wrong VRs': wrongRepresentations,
  'duplicate tags': duplicates,
  'huge element count': hugeCount,
  'much text': muchText,
  'deflate bomb': deflateBomb,
  'character sets': exoticText,
  'path traversal in a file': traversal,
  'hostile values': hostileValues,
} as const satisfies Readonly<Record<string, FileAttack>>;
