/**
 * JPEG 2000 and High-Throughput JPEG 2000, reversible (ISO/IEC 15444-1 and -15, PS3.5 §8.2.4), by
 * OpenJPEG and OpenJPH. Their wrappers get right what is unsigned: one component of up to 16 bits, and
 * three of up to 8 with the reversible colour transform. Without the transform, or with more bits, they
 * mix components up, so such colour, and signed samples, are made by editing codestreams.
 */
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame } from '../image-pixels.js';
import { type CodedSamples, codedSamples } from './coded-samples.js';
import { joinComponents, markSigned } from './jpeg-2000-codestream.js';
import { type CodecEncoder, type EncodeSamples, wasmEncoder } from './wasm-codec.js';

interface Jpeg2000Encoder extends CodecEncoder {
  setQuality(lossless: boolean, layersOrStep: number): void;
  setDecompositions(levels: number): void;
  setProgressionOrder(order: number): void;
  /** Of OpenJPH: a tile-part for each resolution, and their lengths in the main header. */
  setTilePartDivisionsAtResolutions?(divide: boolean): void;
  setTLMMarker?(write: boolean): void;
}

/** One of the two encoders, and where it differs from the other. */
interface Codec {
  readonly encode: EncodeSamples<Jpeg2000Encoder>;
  /** OpenJPEG refuses more than the shorter side has halvings; OpenJPH with none loses extremes. */
  readonly fewestDecompositions: number;
  /** Resolutions come one after the other in tile-parts whose lengths are told (PS3.5 §8.2.14). */
  readonly progressive?: boolean;
}

const openJpeg: Codec = {
  encode: wasmEncoder('@cornerstonejs/codec-openjpeg/wasmjs', 'J2KEncoder'),
  fewestDecompositions: 0,
};
const openJph: Codec = {
  encode: wasmEncoder('@cornerstonejs/codec-openjph', 'HTJ2KEncoder'),
  fewestDecompositions: 1,
};

const progressiveOpenJph: Codec = { ...openJph, progressive: true };

/** Progression orders by their number in a COD segment (ISO/IEC 15444-1 table A.16). */
const progression = { resolutionFirst: 2, componentFirst: 4 };
const mostDecompositions = 5;

/**
 * Encodes 8 or 16 bits allocated as JPEG 2000. RGB of at most 8 bits becomes YBR_RCT; every other
 * photometric interpretation stays, its components untransformed. Planar Configuration becomes 0.
 */
export async function encodeJpeg2000(frame: Frame): Promise<EncodedFrame> {
  return await encodeReversibly(frame, openJpeg);
}

/** The same as High-Throughput JPEG 2000, reversible (ISO/IEC 15444-15). */
export async function encodeHighThroughputJpeg2000(frame: Frame): Promise<EncodedFrame> {
  return await encodeReversibly(frame, openJph);
}

/**
 * The same with RPCL progression and tile-part lengths, so that the first bytes of a frame are a smaller
 * picture. Components have to be transformed, or there is one of them.
 */
export async function encodeProgressiveJpeg2000(frame: Frame): Promise<EncodedFrame> {
  return await encodeReversibly(frame, progressiveOpenJph);
}

async function encodeReversibly(frame: Frame, codec: Codec): Promise<EncodedFrame> {
  const { pixels } = frame;
  const coded = codedSamples(frame);
  if (pixels.photometricInterpretation === 'RGB' && coded.precision <= 8) {
    return {
      bytes: await encodeImage(coded, codec, progression.resolutionFirst),
      pixels: { ...pixels, planarConfiguration: 0, photometricInterpretation: 'YBR_RCT' },
    };
  }

  const signed = pixels.pixelRepresentation === 1;
  const { resolutionFirst, componentFirst } = progression;
  const order = codec.progressive === true ? resolutionFirst : componentFirst;
  const codestreams: Uint8Array[] = [];
  for (let component = 0; component < coded.components; component += 1) {
    const one = componentOf(coded, component);
    if (signed) fromSigned(one);
    codestreams.push(await encodeImage(one, codec, order));
  }
  const bytes = joinComponents(codestreams);
  if (signed) markSigned(bytes);
  return { bytes, pixels: { ...pixels, planarConfiguration: 0 } };
}

async function encodeImage(
  { columns, rows, components, precision, samples }: CodedSamples,
  { encode, fewestDecompositions, progressive = false }: Codec,
  order: number,
): Promise<Uint8Array> {
  return await encode(
    {
      width: columns,
      height: rows,
      bitsPerSample: precision,
      componentCount: components,
      isSigned: false,
      isUsingColorTransform: components === 3,
    },
    samples,
    (encoder) => {
      encoder.setQuality(true, 1);
      const halvings = Math.floor(Math.log2(Math.min(columns, rows)));
      encoder.setDecompositions(
        Math.max(fewestDecompositions, Math.min(mostDecompositions, halvings)),
      );
      encoder.setProgressionOrder(order);
      if (!progressive) return;
      encoder.setTilePartDivisionsAtResolutions?.(true);
      encoder.setTLMMarker?.(true);
    },
  );
}

/** One component by itself, in samples of its own. */
function componentOf(coded: CodedSamples, component: number): CodedSamples {
  const { components, samples } = coded;
  if (components === 1) return coded;
  const own = samples.slice(0, samples.length / components);
  for (let at = 0; at < own.length; at += 1) own[at] = samples[at * components + component] ?? 0;
  return { ...coded, components: 1, samples: own };
}

/**
 * Turns signed samples into the unsigned ones that enter the wavelet transform as the same numbers:
 * half the range is taken from unsigned samples there, and from signed ones nothing
 * (ISO/IEC 15444-1 §G.1). In two's complement that is the sign bit flipped.
 */
function fromSigned({ samples, precision }: CodedSamples): void {
  const sign = 2 ** (precision - 1);
  for (let at = 0; at < samples.length; at += 1) samples[at] = (samples[at] ?? 0) ^ sign;
}
