import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { everyFrame } from '../../../src/dicom/frames.js';
import { defaultPart10Limits, parsePart10 } from '../../../src/dicom/part10/part10.js';
import type { Tag } from '../../../src/dicom/tag.js';
import { transferSyntaxOf, type TransferSyntax } from '../../../src/dicom/transfer-syntax.js';
import { rewrittenPart10 } from '../../../src/dicom/write/rewrite-part10.js';
import type { Rewrite } from '../../../src/dicom/write/rewrite.js';
import { chunked, collect, watched } from '../../support/byte-streams.js';
import {
  binary,
  buildPart10,
  element,
  ramp,
  sampleInstance,
  sequence,
  syntaxes,
  type ElementSpec,
  type PixelDataSpec,
} from '../../support/part10-builder.js';

const numRuns = 25;

function syntaxOf(uid: string): TransferSyntax {
  const syntax = transferSyntaxOf(uid);
  if (syntax === undefined) throw new Error(`${uid} is no UID`);
  return syntax;
}

async function rewrite(
  file: Uint8Array,
  targetUid: string,
  rest: Partial<Rewrite> = {},
  sizes: readonly number[] = [97],
): Promise<Buffer> {
  const target = syntaxOf(targetUid);
  return await collect(
    rewrittenPart10(chunked(file, sizes), { target, ...rest }, defaultPart10Limits),
  );
}

/** The same elements with every sequence of undefined length, as they are written. */
function opened(elements: readonly ElementSpec[]): readonly ElementSpec[] {
  return elements.map((one) =>
    one.items === undefined ? one : sequence(one.tag, one.items.map(opened), 'undefined'),
  );
}

const known: fc.Arbitrary<ElementSpec> = fc.oneof(
  fc.stringMatching(/^[A-Za-z^ ]{0,30}$/).map((text) => element('00100010', 'PN', text)),
  fc.nat(65_535).map((value) => element('00280010', 'US', value)),
  fc.integer().map((value) => element('00186020', 'SL', value)),
  fc.double({ noNaN: true }).map((value) => element('00189087', 'FD', value)),
  fc.constant(element('00209165', 'AT', '0018A001')),
  fc.nat(300).map((length) => binary('60003000', 'OW', ramp(length * 2))),
  fc.nat(99).map((length) => binary('00660016', 'OF', ramp(length * 4))),
  fc.nat(300).map((length) => element('0040A160', 'UT', 'x'.repeat(length))),
);
const unknown: fc.Arbitrary<ElementSpec> = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => element('00091011', 'UV', value)),
  fc.nat(300).map((length) => binary('00091010', 'OB', ramp(length * 2))),
);

const dataSetsOf = (leaf: fc.Arbitrary<ElementSpec>, ...sequences: readonly string[]) =>
  fc.letrec<{ elements: ElementSpec[]; nested: ElementSpec }>((tie) => ({
    elements: fc.uniqueArray(fc.oneof({ maxDepth: 4 }, leaf, tie('nested')), {
      minLength: 1,
      maxLength: 5,
      selector: ({ tag }) => tag,
    }),
    nested: fc
      .tuple(
        fc.constantFrom(...sequences),
        fc.array(tie('elements'), { minLength: 1, maxLength: 3 }),
        fc.constantFrom('defined' as const, 'undefined' as const),
      )
      .map(([tag, items, form]) => sequence(tag, items, form)),
  })).elements;

const standardDataSets = dataSetsOf(known, '00081140', '54000100');
const anyDataSets = dataSetsOf(fc.oneof(known, unknown), '00081140', '00091020', '54000100');
const chunkSizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });

const words: Readonly<Record<string, number>> = { OW: 2, OF: 4 };

/** Binary words the other way round: the builder writes bytes as they are given. */
function swapped(elements: readonly ElementSpec[]): readonly ElementSpec[] {
  return elements.map((one) => {
    if (one.items !== undefined) return { ...one, items: one.items.map(swapped) };
    const word = words[one.vr];
    if (one.bytes === undefined || word === undefined) return one;
    const bytes = Buffer.from(one.bytes);
    return { ...one, bytes: word === 2 ? bytes.swap16() : bytes.swap32() };
  });
}

function build(elements: readonly ElementSpec[], transferSyntaxUID: string): Buffer {
  const isBig = transferSyntaxUID === syntaxes.bigEndian;
  return buildPart10({ elements: isBig ? swapped(elements) : elements, transferSyntaxUID });
}

describe('rewrittenPart10', () => {
  it.each(['explicit', 'bigEndian', 'deflated'] as const)(
    'writes what is %s in every native syntax, whatever the elements and chunks',
    async (source) => {
      await fc.assert(
        fc.asyncProperty(anyDataSets, chunkSizes, async (elements, sizes) => {
          const file = build(elements, syntaxes[source]);
          const open = opened(elements);
          expect(await rewrite(file, syntaxes.explicit, {}, sizes)).toEqual(
            build(open, syntaxes.explicit),
          );
          expect(await rewrite(file, syntaxes.implicit, {}, sizes)).toEqual(
            build(open, syntaxes.implicit),
          );
        }),
        { numRuns },
      );
    },
  );

  it('finds the VRs of what is implicit, and comes back to the same bytes', async () => {
    await fc.assert(
      fc.asyncProperty(standardDataSets, chunkSizes, async (elements, sizes) => {
        const explicit = await rewrite(build(elements, syntaxes.implicit), syntaxes.explicit);
        expect(explicit).toEqual(build(opened(elements), syntaxes.explicit));
        const implicit = await rewrite(explicit, syntaxes.implicit, {}, sizes);
        expect(await rewrite(implicit, syntaxes.explicit, {}, sizes)).toEqual(explicit);
      }),
      { numRuns },
    );
  });

  it('deflates, to an even length', async () => {
    for (let length = 0; length < 40; length++) {
      const elements = [element('0040A160', 'UT', 'ab'.repeat(length))];
      const deflated = await rewrite(build(elements, syntaxes.explicit), syntaxes.deflated);
      expect(deflated.length % 2).toBe(0);
      const plain = build(elements, syntaxes.explicit);
      // The two UIDs differ by four bytes, which the file meta information is longer by.
      const start =
        plain.length -
        (8 + 4 + length * 2) +
        (deflated.readUInt32LE(140) - plain.readUInt32LE(140));
      expect(inflateRawSync(deflated.subarray(start))).toEqual(
        plain.subarray(plain.length - (12 + length * 2)),
      );
      expect(await rewrite(deflated, syntaxes.explicit)).toEqual(plain);
    }
  });

  it('leaves the VR of private elements open, and what they hold as it was', async () => {
    const inner = [element('00280010', 'US', 7)];
    const elements = [binary('00091010', 'OB', ramp(6)), sequence('00091020', [inner])];
    const file = build(elements, syntaxes.implicit);
    const { dataSet } = await parsePart10(await rewrite(file, syntaxes.explicit));
    expect(dataSet.elements.map(({ vr }) => vr)).toEqual(['UN', 'UN']);
    expect(await rewrite(await rewrite(file, syntaxes.explicit), syntaxes.implicit)).toEqual(file);
  });

  it('keeps items in implicit VR within UN of undefined length (PS3.5 §6.2.2)', async () => {
    const items = build(
      [sequence('00091020', [[element('00280010', 'US', 7)]], 'undefined')],
      syntaxes.implicit,
    );
    // In explicit VR the header has 12 bytes.
    const content = items.subarray(items.length - 8 - 10 - 8 - 8);
    const header = Buffer.from('09002010554e0000ffffffff', 'hex');
    const file = buildPart10({ trailing: Buffer.concat([header, content]) });
    expect(await rewrite(file, syntaxes.explicit)).toEqual(file);
    expect(await rewrite(file, syntaxes.implicit)).toEqual(items);
  });

  it('keeps empty sequences and items empty', async () => {
    const elements = [sequence('00081140', []), sequence('00081199', [[]])];
    const file = build(elements, syntaxes.explicit);
    const { dataSet } = await parsePart10(await rewrite(file, syntaxes.implicit));
    expect(dataSet.elements.map(({ items }) => items?.map((item) => item.elements))).toEqual([
      [],
      [[]],
    ]);
  });

  it('writes values that are too long for their header as UN', async () => {
    const text = 'x'.repeat(70_000);
    const file = build([element('00081030', 'LO', text)], syntaxes.implicit);
    const explicit = await rewrite(file, syntaxes.explicit);
    expect(explicit.toString('latin1', explicit.length - 70_008, explicit.length - 70_004)).toMatch(
      /^UN/,
    );
    expect(await rewrite(explicit, syntaxes.implicit)).toEqual(file);
  });

  it('pads odd values, leaves group lengths out, and passes padding at the end over', async () => {
    const elements = [
      element('00080000', 'UL', 999),
      binary('00080060', 'CS', Buffer.from('CTX')),
      binary('00080058', 'UI', Buffer.from('1.2')),
    ];
    const file = buildPart10({ elements, trailing: Buffer.alloc(22) });
    expect(await rewrite(file, syntaxes.explicit)).toEqual(
      build(
        [element('00080060', 'CS', 'CTX '), element('00080058', 'UI', '1.2')],
        syntaxes.explicit,
      ),
    );
  });

  it.each([
    [0, 'US'],
    [1, 'SS'],
  ])('reads `US or SS` by PixelRepresentation %i', async (representation, vr) => {
    const elements = [
      element('00189810', vr, 5),
      element('00280103', 'US', representation),
      element('00280106', vr, 6),
      sequence('00409096', [[element('00409211', vr, 7)]], 'undefined'),
    ];
    const file = build(elements, syntaxes.implicit);
    expect(await rewrite(file, syntaxes.explicit, { signedPixels: representation === 1 })).toEqual(
      build(elements, syntaxes.explicit),
    );
  });

  it('keeps the rest of the file meta information', async () => {
    const meta = [element('00020016', 'AE', 'SENDER'), binary('00020102', 'OB', ramp(10))];
    const spec = { elements: [element('00100020', 'LO', 'P1')], meta };
    expect(await rewrite(buildPart10(spec), syntaxes.implicit)).toEqual(
      buildPart10({ ...spec, transferSyntaxUID: syntaxes.implicit }),
    );
  });

  it('sets, adds and removes attributes of the instance, not of items', async () => {
    const item = [element('00280004', 'CS', 'RGB ')];
    const file = build(
      [
        sequence('00081140', [item], 'undefined'),
        element('00280004', 'CS', 'RGB'),
        element('00280006', 'US', 0),
        element('00281052', 'DS', '0'),
      ],
      syntaxes.explicit,
    );
    const changes = new Map([
      ['7FE00001' as Tag, undefined],
      ['00282110' as Tag, { vr: 'CS' as const, value: Buffer.from('01') }],
      ['00280004' as Tag, { vr: 'CS' as const, value: Buffer.from('YBR_FULL_422') }],
      ['00280006' as Tag, undefined],
    ]);
    expect(await rewrite(file, syntaxes.implicit, { changes })).toEqual(
      build(
        [
          sequence('00081140', [item], 'undefined'),
          element('00280004', 'CS', 'YBR_FULL_422'),
          element('00281052', 'DS', '0'),
          element('00282110', 'CS', '01'),
        ],
        syntaxes.implicit,
      ),
    );
  });

  it('returns its source when the consumer has enough', async () => {
    for (const uid of [syntaxes.explicit, syntaxes.deflated]) {
      const file = sampleInstance({
        transferSyntaxUID: uid,
        pixelData: { native: Buffer.alloc(300_000, 1) },
      });
      const source = watched([file.subarray(0, 200), file.subarray(200)]);
      const target = syntaxOf(syntaxes.implicit);
      for await (const chunk of rewrittenPart10(source, { target }, defaultPart10Limits)) {
        if (chunk.length > 0) break;
      }
      expect(source.returned()).toBe(true);
    }
  });

  it('fails when a deflated stream ends early', async () => {
    const cut = sampleInstance({ transferSyntaxUID: syntaxes.deflated }).subarray(0, 600);
    await expect(rewrite(cut, syntaxes.implicit)).rejects.toThrow(/unexpected end/);
  });

  it.each([
    ['cut within a value', (file: Buffer) => file.subarray(0, file.length - 1)],
    ['cut within its meta information', (file: Buffer) => file.subarray(0, 140)],
  ])('fails for a stored file that is %s', async (_what, damage) => {
    await expect(rewrite(damage(sampleInstance()), syntaxes.implicit)).rejects.toMatchObject({
      code: 'storage-corrupt',
    });
  });
});

describe('rewrittenPart10 of big-endian pixel data', () => {
  it.each([
    [1, [1, 0, 3, 2, 5, 4, 7, 6]],
    [2, [1, 0, 3, 2, 5, 4, 7, 6]],
    [4, [3, 2, 1, 0, 7, 6, 5, 4]],
  ])('turns round samples of %i bytes, in words of two at least', async (sampleBytes, expected) => {
    const elements = [binary('60003000', 'OW', Buffer.from([0, 1, 2, 3]))];
    const file = buildPart10({
      elements: [...elements, binary('7FE00010', 'OW', ramp(8))],
      transferSyntaxUID: syntaxes.bigEndian,
    });
    const rewritten = await rewrite(file, syntaxes.explicit, { sampleBytes });
    expect([...rewritten.subarray(-8)]).toEqual(expected);
    expect(rewritten.includes(Buffer.from([1, 0, 3, 2]))).toBe(true);
  });
});

describe('rewrittenPart10 with frames', () => {
  const frames = [ramp(20), ramp(31), ramp(8)];
  const three = element('00280008', 'IS', '3');

  /** Rewrites with frames reversed byte by byte, as a codec of the test. */
  async function transcoded(
    pixelData: PixelDataSpec,
    from: string,
    to: string,
    { nativeLength, extra = [] }: { nativeLength?: number; extra?: readonly ElementSpec[] } = {},
  ) {
    const file = sampleInstance({
      transferSyntaxUID: from,
      pixelData,
      overrides: [three, element('00280010', 'US', 2), element('00280011', 'US', 5), ...extra],
    });
    const parsed = await parsePart10(file);
    if (parsed.frames === undefined) throw new Error('no frames');
    async function* transcode(payloads: AsyncIterable<Uint8Array>) {
      for await (const payload of payloads) yield Buffer.from(payload).reverse();
    }
    const rewritten = await rewrite(file, to, {
      pixelData: { frames: everyFrame(parsed.frames), vr: 'OW', nativeLength, transcode },
    });
    return { rewritten, parsed: await parsePart10(rewritten) };
  }

  const reversed = (some: readonly Uint8Array[]) => some.map((one) => Buffer.from(one).reverse());
  const cut = (file: Buffer, parsed: Awaited<ReturnType<typeof parsePart10>>) => {
    if (parsed.frames === undefined) throw new Error('no frames');
    return [...everyFrame(parsed.frames)].map((runs) =>
      Buffer.concat(runs.map(({ offset, length }) => file.subarray(offset, offset + length))),
    );
  };

  it.each(['explicit', 'implicit', 'bigEndian', 'deflated'] as const)(
    'puts native frames that are %s into fragments',
    async (from) => {
      const native = [ramp(20), ramp(20).reverse(), Buffer.alloc(20, 3)];
      const { rewritten, parsed } = await transcoded(
        { native: Buffer.concat(native) },
        syntaxes[from],
        syntaxes.rle,
      );
      expect(parsed.meta.transferSyntaxUID).toBe(syntaxes.rle);
      expect(cut(rewritten, parsed)).toEqual(reversed(native));
    },
  );

  it('takes frames out of fragments, several to a frame, and keeps what follows', async () => {
    const pixelData = {
      fragments: [ramp(12), ramp(8), Buffer.concat([ramp(10), ramp(10)]), ramp(20)],
      offsetTable: [0, 36, 64],
    };
    const trailing = element('FFFCFFFC', 'OB');
    const { rewritten, parsed } = await transcoded(pixelData, syntaxes.jpegLs, syntaxes.explicit, {
      nativeLength: 60,
      extra: [trailing],
    });
    const expected = reversed([
      Buffer.concat([ramp(12), ramp(8)]),
      Buffer.concat([ramp(10), ramp(10)]),
      ramp(20),
    ]);
    expect(parsed.frames).toMatchObject({ kind: 'native', length: 60, frames: 3 });
    expect(cut(rewritten, parsed)).toEqual(expected);
  });

  it('pads odd fragments, and takes an undelimited end', async () => {
    const pixelData = { fragments: frames, undelimited: true };
    const { rewritten, parsed } = await transcoded(pixelData, syntaxes.rle, syntaxes.jpegLs);
    expect(parsed.frames).toMatchObject({ fragments: [20, 32, 8] });
    expect(cut(rewritten, parsed)).toEqual(
      reversed(frames).map((one) => Buffer.concat([one, Buffer.alloc(one.length % 2)])),
    );
  });

  it('refuses frames that do not add up', async () => {
    const pixelData = { fragments: frames };
    for (const nativeLength of [58, 60]) {
      const work = transcoded(pixelData, syntaxes.rle, syntaxes.explicit, { nativeLength });
      await expect(work).rejects.toMatchObject({ code: 'storage-corrupt' });
    }
  });

  it('leaves out an icon whose compression the new syntax does not have, and keeps others', async () => {
    const jpeg = { fragments: frames };
    const plainIcon = sequence('00880200', [[binary('7FE00010', 'OB', ramp(16))]]);
    const kept = await transcoded(jpeg, syntaxes.rle, syntaxes.jpegLs, { extra: [plainIcon] });
    expect(kept.parsed.dataSet.elements.some(({ tag }) => tag === '00880200')).toBe(true);

    // The content of the icon's PixelData in fragments: offset table, one fragment, delimiter.
    const fragments = Buffer.from(
      'feff00e000000000feff00e00400000001020304feffdde000000000',
      'hex',
    );
    const icon: ElementSpec = {
      ...binary('7FE00010', 'OB', fragments),
      declaredLength: 0xffffffff,
    };
    const packed = sequence('00880200', [[element('00280010', 'US', 1), icon]], 'undefined');
    const left = await transcoded(jpeg, syntaxes.rle, syntaxes.jpegLs, { extra: [packed] });
    const tags = left.parsed.dataSet.elements.map(({ tag }) => tag);
    expect(tags).not.toContain('00880200');
    expect(tags).toContain('7FE00010');
  });
});
