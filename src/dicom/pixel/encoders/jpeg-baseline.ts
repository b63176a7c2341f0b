/**
 * JPEG Baseline (ISO/IEC 10918-1 process 1, PS3.5 §8.2.1) by libjpeg-turbo: 8 bits, and colour as
 * YCbCr with chroma of half the width, which is what YBR_FULL_422 says.
 */
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame, ImagePixels } from '../image-pixels.js';
import { rgbOf } from '../render/color.js';
import { chroma, encodeJpegSamples } from './jpeg-codec.js';

/** Of 100, by the scale of the Independent JPEG Group: visually lossless for a viewer's preview. */
const quality = 90;

/** Encodes 8-bit greyscale, RGB or YBR_FULL of at least 64 pixels. */
export async function encodeJpegBaseline(frame: Frame): Promise<EncodedFrame> {
  const { pixels } = frame;
  const samples = pixels.samplesPerPixel === 3 ? rgbOf(frame) : frame.bytes;
  const bytes = await encodeJpegSamples(
    {
      width: pixels.columns,
      height: pixels.rows,
      bitsPerSample: 8 * bufferFactor(pixels),
      componentCount: pixels.samplesPerPixel,
      isSigned: false,
      isUsingColorTransform: false,
    },
    samples,
    quality,
    chroma.halfWidth,
  );
  return {
    bytes,
    pixels: {
      ...pixels,
      planarConfiguration: 0,
      photometricInterpretation:
        pixels.samplesPerPixel === 3 ? 'YBR_FULL_422' : pixels.photometricInterpretation,
    },
    lossy: { method: 'ISO_10918_1', ratio: samples.length / bytes.length },
  };
}

/**
 * The codec makes its output buffer as large as the input, which noise and small pictures outgrow,
 * and reads the width of a sample for nothing but that. So this asks for samples wide enough to leave
 * room for TurboJPEG's own bound, within the 31 bytes that the field can say.
 */
function bufferFactor({ rows, columns, samplesPerPixel }: ImagePixels): number {
  const padded = Math.ceil(rows / 8) * 8 * Math.ceil(columns / 16) * 16;
  const bound = padded * (samplesPerPixel === 3 ? 4 : 2) + 2048;
  return Math.min(31, Math.ceil(bound / (rows * columns * samplesPerPixel)));
}
