import { describe, expect, it } from '@jest/globals';
import { frameRuns, type FrameIndex } from '../../src/dicom/frames.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import {
  binary,
  buildPart10,
  element,
  ramp,
  sampleElements,
  syntaxes,
  withElements,
  type ElementSpec,
  type PixelDataSpec,
} from '../support/part10-builder.js';

const start = Buffer.from('ffd8ffe0', 'hex');
const part = (size: number, fill: number): Buffer => Buffer.alloc(size, fill);
const begin = (size: number, fill: number): Buffer => Buffer.concat([start, part(size - 4, fill)]);

interface Case {
  readonly frames?: number;
  readonly transferSyntaxUID?: string;
  readonly overrides?: readonly ElementSpec[];
  readonly pixelData?: PixelDataSpec;
  readonly float?: ElementSpec;
}

async function indexOf(spec: Case): Promise<{ file: Buffer; index: FrameIndex | undefined }> {
  const frames = spec.frames === undefined ? [] : [element('00280008', 'IS', spec.frames)];
  const file = buildPart10({
    transferSyntaxUID: spec.transferSyntaxUID ?? syntaxes.jpegBaseline,
    elements: withElements(sampleElements(), [
      ...frames,
      ...(spec.overrides ?? []),
      ...(spec.float === undefined ? [] : [spec.float]),
    ]),
    ...(spec.pixelData === undefined ? {} : { pixelData: spec.pixelData }),
  });
  return { file, index: (await parsePart10(file)).frames };
}

/** The payload of every frame, as a retrieve would send it. */
async function payloads(spec: Case): Promise<Buffer[]> {
  const { file, index } = await indexOf(spec);
  if (index === undefined) return [];
  return Array.from({ length: index.frames }, (_, at) =>
    Buffer.concat(
      frameRuns(index, at + 1).map(({ offset, length }) => file.subarray(offset, offset + length)),
    ),
  );
}

const one = [begin(10, 1), part(20, 2)];
const two = [begin(30, 3), part(8, 4), part(6, 5)];
const fragments = [...one, ...two];
const grouped = [Buffer.concat(one), Buffer.concat(two)];
const secondFrame = 8 + 10 + 8 + 20;

describe('indexFrames of encapsulated pixel data', () => {
  it('takes fragments for frames when there are as many', async () => {
    const each = [part(4, 1), part(6, 2), part(8, 3)];
    expect(await payloads({ frames: 3, pixelData: { fragments: each } })).toEqual(each);
  });

  it.each([undefined, 1])(
    'puts all fragments into one frame when NumberOfFrames is %p',
    async (frames) => {
      expect(
        await payloads({ ...(frames === undefined ? {} : { frames }), pixelData: { fragments } }),
      ).toEqual([Buffer.concat(fragments)]);
    },
  );

  it('follows the Basic Offset Table', async () => {
    const blind = fragments.map((fragment) => part(fragment.length, 9));
    expect(
      await payloads({
        frames: 2,
        pixelData: { fragments: blind, offsetTable: [0, secondFrame] },
      }),
    ).toEqual([part(30, 9), part(44, 9)]);
  });

  it.each([5, 40])('follows an Extended Offset Table of %p entries, held or not', async (count) => {
    const pairs = Array.from({ length: count }, (_, at) => [part(4, at), part(6, at)]);
    const table = Buffer.alloc(count * 8);
    for (let at = 0; at < count; at += 1) table.writeBigUInt64LE(BigInt(at * 26), at * 8);
    expect(
      await payloads({
        frames: count,
        overrides: [binary('7FE00001', 'OV', table)],
        pixelData: { fragments: pairs.flat() },
      }),
    ).toEqual(pairs.map((pair) => Buffer.concat(pair)));
  });

  it.each([
    ['no table', undefined],
    ['offsets that hit no fragment', [0, 13]],
    ['offsets that do not start at 0', [4, secondFrame]],
    ['more offsets than frames', [0, 18, secondFrame]],
  ])('goes by the starts of codestreams when there are %s', async (_, offsetTable) => {
    expect(
      await payloads({
        frames: 2,
        pixelData: { fragments, ...(offsetTable === undefined ? {} : { offsetTable }) },
      }),
    ).toEqual(grouped);
  });

  it.each([
    ['jpeg2000', 'ff4fff51'],
    ['htj2k', 'ff4fff51'],
    ['jpeg2000', '0000000c6a502020'],
    ['jpegLs', 'ffd8'],
  ] as const)('knows how %s starts: %s', async (name, marker) => {
    const opening = Buffer.concat([Buffer.from(marker, 'hex'), part(4, 1)]);
    expect(
      await payloads({
        frames: 2,
        transferSyntaxUID: syntaxes[name],
        pixelData: { fragments: [opening, part(4, 2), opening] },
      }),
    ).toEqual([Buffer.concat([opening, part(4, 2)]), opening]);
  });

  it('takes one fragment for each RLE frame', async () => {
    const each = [part(64, 1), part(66, 2), part(68, 3)];
    expect(
      await payloads({
        frames: 2,
        transferSyntaxUID: syntaxes.rle,
        pixelData: { fragments: each },
      }),
    ).toEqual(each.slice(0, 2));
  });

  it('takes a video for one frame', async () => {
    expect(
      await payloads({
        frames: 300,
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments: [part(4, 1), part(6, 2)] },
      }),
    ).toEqual([Buffer.concat([part(4, 1), part(6, 2)])]);
  });

  it('has the frames that are there when there are fewer than announced', async () => {
    expect(await payloads({ frames: 5, pixelData: { fragments: one } })).toEqual(one);
  });

  it('keeps the fragments but no frames when nothing tells them apart', async () => {
    const blind = [part(4, 1), part(6, 2), part(8, 3)];
    const { index } = await indexOf({ frames: 2, pixelData: { fragments: blind } });
    expect(index).toMatchObject({ kind: 'encapsulated', fragments: [4, 6, 8], frames: 0 });
  });

  it('reads pixel data whose delimiter is missing', async () => {
    expect(await payloads({ frames: 2, pixelData: { fragments: one, undelimited: true } })).toEqual(
      one,
    );
  });

  it('has no frames without fragments', async () => {
    const { index } = await indexOf({ pixelData: { fragments: [] } });
    expect(index).toMatchObject({ kind: 'encapsulated', fragments: [], frames: 0 });
  });

  it('gives the value from the offset table to before the delimiter as bulk', async () => {
    const { file } = await indexOf({ pixelData: { fragments: one, offsetTable: [0] } });
    const { bulk } = await parsePart10(file);
    const length = 8 + 4 + 8 + 10 + 8 + 20;
    expect(bulk).toEqual([
      { path: '7FE00010', vr: 'OB', offset: file.length - 8 - length, length, encapsulated: true },
    ]);
  });
});

describe('indexFrames of native pixel data', () => {
  const plain = { transferSyntaxUID: syntaxes.explicit };

  it('cuts by Rows, Columns, SamplesPerPixel and BitsAllocated', async () => {
    const spec = {
      ...plain,
      frames: 2,
      overrides: [element('00280002', 'US', 3), element('00280100', 'US', 8)],
      pixelData: { native: ramp(2 * 768) },
    };
    expect((await indexOf(spec)).index).toMatchObject({ frames: 2, frameBits: 6144 });
    expect(await payloads(spec)).toEqual([ramp(768), ramp(768)]);
  });

  it('reads big-endian attributes', async () => {
    const spec = {
      frames: 2,
      transferSyntaxUID: syntaxes.bigEndian,
      pixelData: { native: ramp(1024) },
    };
    expect((await indexOf(spec)).index).toMatchObject({ frames: 2, frameBits: 4096 });
  });

  it.each([
    ['YBR_FULL_422', 512, 4096],
    ['YBR_FULL_422', 768, 6144],
    ['YBR_PARTIAL_420', 384, 3072],
    ['YBR_FULL', 768, 6144],
  ])('counts the samples of %s in %p bytes', async (photometric, length, frameBits) => {
    const { index } = await indexOf({
      ...plain,
      overrides: [
        element('00280002', 'US', 3),
        element('00280004', 'CS', photometric),
        element('00280100', 'US', 8),
      ],
      pixelData: { native: ramp(length) },
    });
    expect(index).toMatchObject({ frames: 1, frameBits });
  });

  it.each([
    ['7FE00008', 'OF', 32, 1024],
    ['7FE00009', 'OD', 64, 2048],
  ])('indexes (%s)', async (tag, vr, bitsAllocated, length) => {
    const { index } = await indexOf({
      ...plain,
      overrides: [element('00280100', 'US', bitsAllocated)],
      float: binary(tag, vr, Buffer.alloc(length * 2)),
      frames: 2,
    });
    expect(index).toMatchObject({ kind: 'native', length: length * 2, frames: 2 });
  });

  it('has the complete frames of pixel data that is too short', async () => {
    const { index } = await indexOf({ ...plain, frames: 3, pixelData: { native: ramp(1200) } });
    expect(index).toMatchObject({ frames: 2, frameBits: 4096 });
  });

  it('gives all there is of a single frame that is too short', async () => {
    const { index } = await indexOf({ ...plain, pixelData: { native: ramp(100) } });
    expect(index).toMatchObject({ frames: 1, frameBits: 800, length: 100 });
  });

  it('has no index when nothing tells the size of several frames', async () => {
    const { index } = await indexOf({
      ...plain,
      frames: 2,
      overrides: [element('00280010', 'US', 0)],
      pixelData: { native: ramp(1024) },
    });
    expect(index).toBeUndefined();
  });

  it('has no index without pixel data', async () => {
    expect((await indexOf(plain)).index).toBeUndefined();
  });
});
