/**
 * JPEG (PS3.5 §8.2.1): chooses the decoder by the process that the codestream names, and tells what
 * colour its samples are.
 */
import type { Frame, ImagePixels } from '../image-pixels.js';
import { unsupportedPixels } from '../pixel-errors.js';
import type { PixelLimits } from '../pixel-limits.js';
import { checkSize, frameOfSamples, sampleBytes } from './codestream.js';
import { decodeDctJpeg } from './jpeg-dct.js';
import { readJpegHeader, type JpegHeader } from './jpeg-header.js';
import { decodeLosslessJpeg } from './jpeg-lossless.js';
import { yccToRgb } from '../luminance.js';
import { decodeTurboJpeg } from './jpeg-turbo.js';

/** What a decoder returns: one byte for each sample of 8 bits and less, otherwise two. */
interface Coded {
  readonly bytes: Uint8Array;
  readonly photometricInterpretation: string;
}

type Process = (bytes: Uint8Array, header: JpegHeader, stored: ImagePixels) => Promise<Coded>;

/** Decoders by frame header marker and precision; the lossless one takes every precision. */
const processes: Readonly<Record<string, Process>> = {
  'c0/8': turbo,
  'c1/8': turbo,
  'c2/8': turbo,
  'c0/12': dct,
  'c1/12': dct,
  c3: lossless,
};

/** Decodes JPEG of 8 or 12 bits with losses, or of 2 to 16 bits without. */
export async function decodeJpeg(
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
): Promise<Frame> {
  const header = readJpegHeader(payload);
  checkSize(header, stored, limits);
  const marker = header.process.toString(16);
  const decode = processes[`${marker}/${header.precision}`] ?? processes[marker];
  if (decode === undefined || (header.components !== 1 && header.components !== 3)) {
    throw unsupportedPixels(
      `JPEG of process ${marker.toUpperCase()}, ${header.precision} bits and ${header.components} components cannot be decoded.`,
    );
  }
  const coded = await decode(payload, header, stored);
  return frameOfSamples({ ...coded, precision: header.precision, planarConfiguration: 0 }, stored);
}

async function turbo(bytes: Uint8Array, header: JpegHeader, stored: ImagePixels): Promise<Coded> {
  const [holds, gives] = coloursOf(header, stored);
  const samples = await decodeTurboJpeg(bytes, header, holds !== gives);
  return { bytes: samples, photometricInterpretation: interpretationOf(header, stored, gives) };
}

async function dct(bytes: Uint8Array, header: JpegHeader, stored: ImagePixels): Promise<Coded> {
  const samples = decodeDctJpeg(bytes, header);
  const [holds, gives] = coloursOf(header, stored);
  if (holds !== gives) yccToRgb(samples, header.precision);
  return await Promise.resolve({
    bytes: packed(samples, header.precision),
    photometricInterpretation: interpretationOf(header, stored, gives),
  });
}

async function lossless(
  bytes: Uint8Array,
  header: JpegHeader,
  stored: ImagePixels,
): Promise<Coded> {
  const samples = decodeLosslessJpeg(bytes, header);
  return await Promise.resolve({
    bytes: packed(samples, header.precision),
    // This process transforms nothing: its samples are what the data set says.
    photometricInterpretation: interpretationOf(
      header,
      stored,
      stored.photometricInterpretation === 'YBR_FULL_422'
        ? 'YBR_FULL'
        : stored.photometricInterpretation,
    ),
  });
}

function interpretationOf(header: JpegHeader, stored: ImagePixels, ofColour: string): string {
  return header.components === 1 ? stored.photometricInterpretation : ofColour;
}

/**
 * What colours the components are, and what they are decoded to: RGB, unless the data set says that
 * full luminance and chrominance are there, which then stay as they are.
 */
function coloursOf(
  header: JpegHeader,
  stored: ImagePixels,
): readonly [holds: 'RGB' | 'YBR_FULL', gives: 'RGB' | 'YBR_FULL'] {
  if (!holdsYcc(header, stored)) return ['RGB', 'RGB'];
  return ['YBR_FULL', stored.photometricInterpretation === 'YBR_FULL' ? 'YBR_FULL' : 'RGB'];
}

/**
 * Whether the components are luminance and chrominance. The codestream's own markers come first, the
 * data set after them: it is often wrong about colour, and subsampled RGB is never meant.
 */
function holdsYcc(header: JpegHeader, stored: ImagePixels): boolean {
  const { components, frame, jfif, adobeTransform } = header;
  if (components !== 3) return false;
  if (jfif) return true;
  if (adobeTransform !== undefined) return adobeTransform !== 0;
  if (String.fromCharCode(...frame.map(({ id }) => id)) === 'RGB') return false;
  const [first] = frame;
  const subsampled = frame.some(
    ({ horizontal, vertical }) => horizontal !== first?.horizontal || vertical !== first.vertical,
  );
  return subsampled || stored.photometricInterpretation !== 'RGB';
}

function packed(samples: Uint16Array, precision: number): Uint8Array {
  if (sampleBytes(precision) === 1) return Uint8Array.from(samples);
  // The machines that Node.js serves on are little endian.
  return new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
}
