/**
 * Native frames for tests of codecs: drawn by fast-check, or a picture that looks like one. And the
 * codecs' own decoders, so that encoders are not checked by the decoders of the service alone.
 */
import { createRequire } from 'node:module';
import fc from 'fast-check';
import type { Frame, ImagePixels } from '../../../src/dicom/pixel/image-pixels.js';

/** Image Pixel attributes of unsigned 8-bit grey unless told otherwise. */
export function pixelsOf(given: Partial<ImagePixels> = {}): ImagePixels {
  const bitsAllocated = given.bitsAllocated ?? 8;
  const bitsStored = given.bitsStored ?? bitsAllocated;
  return {
    rows: 16,
    columns: 16,
    samplesPerPixel: 1,
    photometricInterpretation: given.samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2',
    planarConfiguration: 0,
    bitsAllocated,
    bitsStored,
    highBit: bitsStored - 1,
    pixelRepresentation: 0,
    ...given,
  };
}

/** Little-endian words of the frame's width. Negative ones in two's complement of the whole word. */
export function frameOf(pixels: ImagePixels, words: readonly number[]): Frame {
  const width = pixels.bitsAllocated / 8;
  const bytes = Buffer.alloc(words.length * width);
  for (const [at, word] of words.entries()) {
    bytes.writeUIntLE(word < 0 ? word + 2 ** pixels.bitsAllocated : word, at * width, width);
  }
  return { pixels, bytes };
}

/** The sample values of a frame, pixel by pixel: spare bits dropped, signs extended. */
export function valuesOf({ pixels, bytes }: Frame): number[] {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit } = pixels;
  const width = bitsAllocated / 8;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const planar = pixels.planarConfiguration === 1;
  return Array.from({ length: rows * columns * samplesPerPixel }, (_, at) => {
    const pixel = Math.floor(at / samplesPerPixel);
    const stored = planar ? (at % samplesPerPixel) * rows * columns + pixel : at;
    const word = buffer.readUIntLE(stored * width, width);
    const value = Math.floor(word / 2 ** (highBit + 1 - bitsStored)) % 2 ** bitsStored;
    const negative = pixels.pixelRepresentation === 1 && value >= 2 ** (bitsStored - 1);
    return negative ? value - 2 ** bitsStored : value;
  });
}

/** A smooth picture with some noise over the whole range of its samples. */
export function picture(pixels: ImagePixels): Frame {
  const { rows, columns, samplesPerPixel, bitsStored, pixelRepresentation } = pixels;
  const least = pixelRepresentation === 1 ? -(2 ** (bitsStored - 1)) : 0;
  const words = Array.from({ length: rows * columns * samplesPerPixel }, (_, at) => {
    const pixel = Math.floor(at / samplesPerPixel);
    const wave = Math.sin((pixel % columns) / 9 + (at % samplesPerPixel)) + Math.cos(pixel / 700);
    const noise = ((at * 7919) % 31) / 310;
    return least + Math.floor(((wave + 2.05 + noise) / 4.2) * 2 ** bitsStored);
  });
  return frameOf(pixels, words);
}

/**
 * Frames of up to 12 × 12 pixels that every lossless encoder takes: grey of any depth and sign, with
 * and without meaning in the spare bits, and colour of both planar configurations.
 */
export const anyFrame: fc.Arbitrary<Frame> = fc
  .record({
    rows: fc.integer({ min: 1, max: 12 }),
    columns: fc.integer({ min: 1, max: 12 }),
    bitsAllocated: fc.constantFrom(8, 16),
    spareBits: fc.integer({ min: 0, max: 15 }),
    kind: fc.constantFrom('MONOCHROME1', 'MONOCHROME2', 'PALETTE COLOR', 'RGB', 'YBR_FULL'),
    signed: fc.boolean(),
    planar: fc.boolean(),
    spareBitsUsed: fc.boolean(),
  })
  .chain((shape) => {
    const { rows, columns, bitsAllocated, kind } = shape;
    const samplesPerPixel = kind === 'RGB' || kind === 'YBR_FULL' ? 3 : 1;
    const signed = shape.signed && kind.startsWith('MONOCHROME');
    const bitsStored = Math.max(1, bitsAllocated - shape.spareBits);
    const pixels = pixelsOf({
      rows,
      columns,
      samplesPerPixel,
      photometricInterpretation: kind,
      planarConfiguration: samplesPerPixel === 3 && shape.planar ? 1 : 0,
      bitsAllocated,
      bitsStored,
      pixelRepresentation: signed ? 1 : 0,
    });
    const bits = shape.spareBitsUsed ? bitsAllocated : bitsStored;
    const least = signed ? -(2 ** (bits - 1)) : 0;
    const count = rows * columns * samplesPerPixel;
    return fc
      .array(fc.integer({ min: least, max: least + 2 ** bits - 1 }), {
        minLength: count,
        maxLength: count,
      })
      .map((words) => frameOf(pixels, words));
  });

/** What a codestream says of itself, and its samples: interleaved words, little endian. */
export interface Decoded {
  readonly bitsPerSample: number;
  readonly componentCount: number;
  readonly isSigned?: boolean;
  readonly bytes: Uint8Array;
}

interface CodecDecoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): Omit<Decoded, 'bytes'>;
  delete(): void;
}

type Codec = (options: object) => Promise<Record<string, new () => CodecDecoder>>;

const load = createRequire(__filename);

function wasmDecoder(specifier: string, name: string) {
  let codec: ReturnType<Codec> | undefined;
  return async (codestream: Uint8Array): Promise<Decoded> => {
    codec ??= (load(specifier) as Codec)({ print: () => undefined });
    const DecoderClass = (await codec)[name];
    if (DecoderClass === undefined) throw new Error(`There is no ${name}.`);
    const decoder = new DecoderClass();
    decoder.getEncodedBuffer(codestream.length).set(codestream);
    decoder.decode();
    const bytes = Uint8Array.from(decoder.getDecodedBuffer());
    const info = decoder.getFrameInfo();
    decoder.delete();
    return { ...info, bytes };
  };
}

export const decodeByCharLs = wasmDecoder('@cornerstonejs/codec-charls/wasmjs', 'JpegLSDecoder');
export const decodeByOpenJpeg = wasmDecoder('@cornerstonejs/codec-openjpeg/wasmjs', 'J2KDecoder');
export const decodeByOpenJph = wasmDecoder('@cornerstonejs/codec-openjph', 'HTJ2KDecoder');
export const decodeByLibJpeg = wasmDecoder(
  '@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs',
  'JPEGDecoder',
);

interface JpegLosslessDecoder {
  decompress(codestream: ArrayBuffer): ArrayBuffer;
  readonly frame: { readonly precision: number; readonly numComp: number };
}

/** Decodes JPEG Lossless by jpeg-lossless-decoder-js, which loses the last pixel of colour. */
export function decodeJpegLossless(codestream: Uint8Array): Decoded {
  const { Decoder } = load('jpeg-lossless-decoder-js') as {
    Decoder: new () => JpegLosslessDecoder;
  };
  const decoder = new Decoder();
  const bytes = new Uint8Array(decoder.decompress(Uint8Array.from(codestream).buffer));
  const { precision, numComp } = decoder.frame;
  return { bitsPerSample: precision, componentCount: numComp, bytes };
}
