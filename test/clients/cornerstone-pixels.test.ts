/**
 * Whether cornerstone, which reads metadata once and decodes frames in any syntax by it, shows what is
 * stored: its own decoders and colour conversions, over every pair of stored form and target.
 */
import { describe, expect, it, jest } from '@jest/globals';
import { createRequire } from 'node:module';
import path from 'node:path';
import { encodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import type { Frame, ImagePixels } from '../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import { rgbOf } from '../../src/dicom/pixel/render/color.js';
import { transcodeFrame } from '../../src/dicom/pixel/transcode-frame.js';
import { canTranscodeAlone } from '../../src/dicom/pixel/transcodable.js';
import { transferSyntaxOf } from '../../src/dicom/transfer-syntax.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import { syntaxes } from '../support/part10-builder.js';
import { decodeByLibJpeg, picture, pixelsOf, valuesOf } from '../support/dicom/pixel-frames.js';

const loader = path.join(__dirname, '../../node_modules/@cornerstonejs/dicom-image-loader');
const requireThere = createRequire(path.join(loader, 'package.json'));

/** The codecs of the loader, which has versions of its own: where the script is, where its WebAssembly. */
const codecs = [
  ['codec-openjph/wasmjs', 'codec-openjph/wasm'],
  ['codec-openjpeg/decodewasmjs', 'codec-openjpeg/decodewasm'],
  ['codec-charls/decodewasmjs', 'codec-charls/decodewasm'],
  ['codec-libjpeg-turbo-8bit/decodewasmjs', 'codec-libjpeg-turbo-8bit/decodewasm'],
].map(
  (names) =>
    names.map((name) => requireThere.resolve(`@cornerstonejs/${name}`)) as [string, string],
);

type Factory = (options: object) => Promise<unknown>;

jest.mock('comlink', () => ({ expose: () => undefined }), { virtual: true });
for (const [script, wasm] of codecs) {
  // A bundler would tell where the WebAssembly is.
  jest.doMock(script, () => {
    const defaults = { locateFile: () => wasm, print: () => undefined, printErr: () => undefined };
    return async () => await jest.requireActual<Factory>(script)(defaults);
  });
}

/** What the loader's decoders take, and leave. */
interface ImageFrame extends ImagePixels {
  pixelData?: ArrayLike<number>;
  pixelDataLength?: number;
}

interface Worker {
  readonly decodeImageFrame: (
    frame: ImageFrame,
    syntax: string,
    bytes: Uint8Array,
    config: object,
    options: object,
  ) => Promise<ImageFrame>;
}

type IsRequired = (frame: ImageFrame) => boolean;
type Convert = (frame: ImageFrame, target: Uint8ClampedArray, rgba: boolean) => void;

const root = path.join(loader, 'dist/esm');

/** The samples that cornerstone shows: grey as decoded, colour as red, green and blue. */
async function shown(stored: ImagePixels, syntax: string, bytes: Uint8Array): Promise<number[]> {
  if (syntax === syntaxes.jpegBaseline && stored.samplesPerPixel === 3) {
    // It has the browser decode these, whatever the attributes say.
    return [...(await decodeByLibJpeg(bytes)).bytes];
  }
  const { decodeImageFrame } = (await import(`${root}/decodeImageFrameWorker`)) as Worker;
  const frame = await decodeImageFrame(
    { ...stored },
    syntax,
    // Wide samples have to start at an even byte.
    Uint8Array.from(bytes),
    {},
    { preScale: { enabled: false } },
  );
  if (stored.samplesPerPixel === 1) return Array.from(frame.pixelData ?? []);
  const required = (await import(`${root}/imageLoader/isColorConversionRequired`)) as {
    default: IsRequired;
  };
  if (!required.default(frame)) return Array.from(frame.pixelData ?? []);
  const { default: convert } = (await import(`${root}/imageLoader/convertColorSpace`)) as {
    default: Convert;
  };
  const target = new Uint8ClampedArray(3 * stored.rows * stored.columns);
  convert(frame, target, false);
  return [...target];
}

interface Stored {
  readonly pixels: ImagePixels;
  readonly syntax: TransferSyntaxUID;
  readonly bytes: Uint8Array;
  /** What is to be seen. */
  readonly truth: readonly number[];
}

const native = syntaxes.explicit as TransferSyntaxUID;

/** A picture of soft edges in colours that luminance and chrominance can say. */
function colours(changes: Partial<ImagePixels> = {}): Frame {
  const pixels = pixelsOf({ samplesPerPixel: 3, rows: 16, columns: 24, ...changes });
  const bytes = Uint8Array.from({ length: 16 * 24 * 3 }, (_, at) => {
    const [pixel, sample] = [Math.floor(at / 3), at % 3];
    return 60 + 40 * sample + Math.round(30 * Math.sin((pixel % 24) / 6 + sample) + pixel / 24);
  });
  return { pixels, bytes };
}

function inPlanes({ pixels, bytes }: Frame): Frame {
  const count = pixels.rows * pixels.columns;
  const moved = Uint8Array.from(
    bytes,
    (_, at) => bytes[(at % count) * 3 + Math.floor(at / count)] ?? 0,
  );
  return { pixels: { ...pixels, planarConfiguration: 1 }, bytes: moved };
}

/** Stores a frame in a syntax, and has its data set say something else of it. */
async function stored(
  frame: Frame,
  syntax: string,
  says: Partial<ImagePixels> = {},
): Promise<Stored> {
  const encoded = await encodeFrame(frame, syntax as TransferSyntaxUID);
  const { samplesPerPixel, bitsAllocated } = frame.pixels;
  const isColour = samplesPerPixel === 3 && bitsAllocated === 8;
  const truth = isColour ? [...rgbOf(frame)] : valuesOf(frame);
  const pixels = { ...encoded.pixels, ...says };
  return { pixels, syntax: syntax as TransferSyntaxUID, bytes: encoded.bytes, truth };
}

const rgb = colours();
const ybr = colours({ photometricInterpretation: 'YBR_FULL' });
const named = (photometricInterpretation: string) => ({ photometricInterpretation });

/** Half of the chrominance left out, as native frames do it. */
function halved({ pixels, bytes }: Frame): Stored {
  const pairs = Array.from({ length: bytes.length / 6 }, (_, pair) => bytes.slice(pair * 6));
  const half = Uint8Array.from(
    pairs.flatMap(([y1 = 0, cb = 0, cr = 0, y2 = 0]) => [y1, y2, cb, cr]),
  );
  const whole = Uint8Array.from(
    pairs.flatMap(([y1 = 0, cb = 0, cr = 0, y2 = 0]) => [y1, cb, cr, y2, cb, cr]),
  );
  return {
    pixels: { ...pixels, photometricInterpretation: 'YBR_FULL_422' },
    syntax: native,
    bytes: half,
    truth: [...rgbOf({ pixels, bytes: whole })],
  };
}

const sources: Readonly<Record<string, () => Stored | Promise<Stored>>> = {
  'native RGB': () => stored(rgb, native),
  'native RGB in planes': () => stored(inPlanes(rgb), native),
  'native YBR_FULL': () => stored(ybr, native),
  'native YBR_FULL in planes': () => stored(inPlanes(ybr), native),
  'native YBR_FULL_422': () => halved(ybr),
  'RLE of RGB': () => stored(rgb, syntaxes.rle),
  'RLE of RGB in planes': () => stored(rgb, syntaxes.rle, { planarConfiguration: 1 }),
  'RLE of YBR_FULL': () => stored(ybr, syntaxes.rle),
  'RLE of YBR_FULL in planes': () => stored(ybr, syntaxes.rle, { planarConfiguration: 1 }),
  'JPEG Baseline, YBR_FULL_422': () => stored(rgb, syntaxes.jpegBaseline),
  'JPEG Baseline, YBR_FULL': () => stored(rgb, syntaxes.jpegBaseline, named('YBR_FULL')),
  'JPEG Baseline, YBR_FULL in planes': () =>
    stored(rgb, syntaxes.jpegBaseline, { ...named('YBR_FULL'), planarConfiguration: 1 }),
  'JPEG Baseline, RGB': () => stored(rgb, syntaxes.jpegBaseline, named('RGB')),
  'JPEG Baseline, RGB in planes': () =>
    stored(rgb, syntaxes.jpegBaseline, { ...named('RGB'), planarConfiguration: 1 }),
  'JPEG Lossless of RGB': () => stored(rgb, syntaxes.jpegLossless),
  'JPEG Lossless of YBR_FULL': () => stored(ybr, syntaxes.jpegLossless),
  'JPEG-LS of RGB': () => stored(rgb, syntaxes.jpegLs),
  'JPEG-LS of YBR_FULL': () => stored(ybr, syntaxes.jpegLs),
  'JPEG 2000, YBR_RCT': () => stored(rgb, syntaxes.jpeg2000),
  'JPEG 2000, YBR_RCT in planes': () => stored(rgb, syntaxes.jpeg2000, { planarConfiguration: 1 }),
  'JPEG 2000, transformed and called RGB': () => stored(rgb, syntaxes.jpeg2000, named('RGB')),
  'JPEG 2000, transformed and called YBR_FULL': () =>
    stored(rgb, syntaxes.jpeg2000, named('YBR_FULL')),
  'JPEG 2000 of YBR_FULL': () => stored(ybr, syntaxes.jpeg2000),
  'HTJ2K, YBR_RCT': () => stored(rgb, syntaxes.htj2k),
  'HTJ2K of YBR_FULL': () => stored(ybr, syntaxes.htj2k),
  'grey of 8 bits': () => stored(picture(pixelsOf()), native),
  'inverted grey of 8 bits': () => stored(picture(pixelsOf(named('MONOCHROME1'))), native),
  'grey of 12 bits': () => stored(picture(pixelsOf({ bitsAllocated: 16, bitsStored: 12 })), native),
  'grey of 16 bits, signed': () =>
    stored(picture(pixelsOf({ bitsAllocated: 16, pixelRepresentation: 1 })), native),
  'grey of 12 bits, signed, in JPEG-LS': () =>
    stored(
      picture(pixelsOf({ bitsAllocated: 16, bitsStored: 12, pixelRepresentation: 1 })),
      syntaxes.jpegLs,
    ),
  'RGB of 16 bits': () =>
    stored(picture(pixelsOf({ bitsAllocated: 16, samplesPerPixel: 3 })), native),
};

/** Targets in which a frame may differ by what the codec loses. */
const lossy: ReadonlySet<string> = new Set([syntaxes.jpegBaseline]);

/** The greatest difference, and the mean one. */
function difference(one: readonly number[], other: readonly number[]) {
  if (one.length !== other.length) return { worst: Infinity, mean: Infinity };
  const all = one.map((value, at) => Math.abs(value - (other[at] ?? 0)));
  return { worst: Math.max(...all), mean: all.reduce((sum, value) => sum + value, 0) / all.length };
}

describe('the pixels that cornerstone shows of a frame that is stored as', () => {
  it.each(Object.keys(sources))('%s, in every target', async (name) => {
    const source = await sources[name]?.();
    if (source === undefined) throw new Error(`There is no ${name}.`);
    const { pixels, syntax, bytes, truth } = source;
    const from = transferSyntaxOf(syntax);
    const failures: string[] = [];
    for (const to of encodableSyntaxes) {
      const target = transferSyntaxOf(to);
      if (from === undefined || target === undefined || from.uid === to) continue;
      if (!canTranscodeAlone(from, target, pixels)) continue;
      const job = { payload: bytes, stored: pixels, from: from.uid, to } as const;
      const frame = await transcodeFrame(
        { ...job, describedBy: 'stored-attributes' },
        defaultPixelLimits,
      );
      // The decoder of JPEG Lossless loses the last pixel of colour.
      const end = to === syntaxes.jpegLossless && pixels.samplesPerPixel === 3 ? -3 : undefined;
      const seen = await shown(pixels, to, frame.bytes);
      const { worst, mean } = difference(seen.slice(0, end), truth.slice(0, end));
      const loses = lossy.has(to) || lossy.has(syntax);
      // Red, green and blue out of luminance and chrominance are rounded or cut off by cornerstone.
      if (loses ? mean > 3 : worst > 2) failures.push(`${to}: worst ${worst}, mean ${mean}`);
    }
    expect(failures).toEqual([]);
  });
});
