/** JPEG-LS Lossless (ISO/IEC 14495-1, PS3.5 §8.2.3) by CharLS, NEAR 0, colour interleaved by sample. */
import { ServiceError } from '../../../errors.js';
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame } from '../image-pixels.js';
import { type CodedSamples, codedSamples } from './coded-samples.js';
import { firstComponent } from './jpeg-ls-codestream.js';
import { type CodecEncoder, wasmEncoder } from './wasm-codec.js';

interface JpegLsEncoder extends CodecEncoder {
  setNearLossless(near: number): void;
  setInterleaveMode(mode: number): void;
}

const encode = wasmEncoder<JpegLsEncoder>('@cornerstonejs/codec-charls/wasmjs', 'JpegLSEncoder');

/** Values of ILV (ISO/IEC 14495-1 §C.2.3). */
const interleave = { none: 0, sample: 2 };

/** Least precision: the format has 2, but some decoders refuse what is below 6, and DCMTK is one. */
const narrowest = 8;

/**
 * Encodes 8 or 16 bits allocated, one or three samples; Planar Configuration becomes 0.
 *
 * @throws ServiceError `pixel-data-unsupported` for colour that is random in every bit: the codec has
 *   room for a codestream of the frame's size and a kilobyte, which only such noise outgrows.
 */
export async function encodeJpegLs(frame: Frame): Promise<EncodedFrame> {
  const coded = codedSamples(frame, { narrowest, signExtended: true });
  const bytes = await encodeSamples(coded)
    .catch(async (cause: unknown) => {
      if (coded.components > 1) throw cause;
      return await encodeNoise(coded);
    })
    .catch((cause: unknown) => {
      const message = 'The frame does not become smaller as JPEG-LS.';
      throw new ServiceError('pixel-data-unsupported', message, {}, cause);
    });
  return { bytes, pixels: { ...frame.pixels, planarConfiguration: 0 } };
}

async function encodeSamples(
  { columns, rows, precision, components, samples }: CodedSamples,
  mode = components === 1 ? interleave.none : interleave.sample,
): Promise<Uint8Array> {
  return await encode(
    {
      width: columns,
      height: rows,
      bitsPerSample: precision,
      componentCount: components,
      isSigned: false,
      isUsingColorTransform: false,
    },
    samples,
    (encoder) => {
      encoder.setNearLossless(0);
      encoder.setInterleaveMode(mode);
    },
  );
}

/**
 * Grey that grows when it is encoded. The codec takes its room from the size of the picture, so it gets
 * an empty component beside it, in a scan of its own that is cut off again.
 */
async function encodeNoise(coded: CodedSamples): Promise<Uint8Array> {
  const { samples } = coded;
  const both =
    samples instanceof Uint8Array
      ? new Uint8Array(samples.length * 2)
      : new Uint16Array(samples.length * 2);
  both.set(samples);
  return firstComponent(
    await encodeSamples({ ...coded, components: 2, samples: both }, interleave.none),
  );
}
