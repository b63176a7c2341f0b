/**
 * JPEG 2000 by OpenJPEG and High-Throughput JPEG 2000 by OpenJPH (PS3.5 §8.2.4, §8.2.14). OpenJPEG
 * reads both; OpenJPH is faster, but its wrapper mixes up components that are more than 8 bits deep or
 * have no colour transform.
 */
import type { Frame, ImagePixels } from '../image-pixels.js';
import { corruptPixels, refuseLargeFrame } from '../pixel-errors.js';
import type { PixelLimits } from '../pixel-limits.js';
import { checkSize, frameOfSamples, sampleBytes } from './codestream.js';
import {
  asUnsigned,
  codestreamOf,
  readJpeg2000Header,
  refuseMissingTiles,
  type Jpeg2000Header,
} from './jpeg-2000-header.js';
import { wasmDecoder } from './wasm-decoder.js';

type Decode = ReturnType<typeof wasmDecoder>;

const openJpeg = wasmDecoder({
  script: '@cornerstonejs/codec-openjpeg/decodewasmjs',
  wasm: '@cornerstonejs/codec-openjpeg/decodewasm',
  decoder: 'J2KDecoder',
});

const openJph = wasmDecoder({
  script: '@cornerstonejs/codec-openjph/wasmjs',
  wasm: '@cornerstonejs/codec-openjph/wasm',
  decoder: 'HTJ2KDecoder',
});

/** Photometric interpretations that name the codec's own transformation. */
const transforms: ReadonlySet<string> = new Set(['YBR_RCT', 'YBR_ICT']);

/** Decodes JPEG 2000 Part 1; colour comes interleaved by pixel. */
export async function decodeJpeg2000(
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
): Promise<Frame> {
  return await decodeWith(() => openJpeg, payload, stored, limits);
}

/** Decodes HTJ2K; colour comes interleaved by pixel. */
export async function decodeHighThroughputJpeg2000(
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
): Promise<Frame> {
  return await decodeWith(highThroughputDecoder, payload, stored, limits);
}

function highThroughputDecoder({ components, precision, transformed }: Jpeg2000Header): Decode {
  return components === 1 || (transformed && precision <= 8) ? openJph : openJpeg;
}

async function decodeWith(
  decoderFor: (header: Jpeg2000Header) => Decode,
  payload: Uint8Array,
  stored: ImagePixels,
  limits: PixelLimits,
): Promise<Frame> {
  const codestream = codestreamOf(payload);
  const header = readJpeg2000Header(codestream);
  checkSize(header, stored, limits);
  // The codecs work on four bytes a sample, twice over: their memory ends where two bytes a sample
  // reach the limit.
  const { rows, columns, components } = header;
  refuseLargeFrame({ rows, columns, samplesPerPixel: components, bitsAllocated: 16 }, limits);
  refuseMissingTiles(codestream, header);
  const unsigned = header.signed ? asUnsigned(codestream, header) : codestream;
  const bytes = await decoderFor(header)(unsigned, (decoder, info) => {
    if (info.width !== header.columns || info.height !== header.rows) {
      throw corruptPixels('The JPEG 2000 codestream decodes to another size than it says.');
    }
    return Uint8Array.from(decoder.getDecodedBuffer());
  }).catch((cause: unknown) => {
    throw corruptPixels('The JPEG 2000 codestream cannot be decoded.', cause);
  });
  if (header.signed) restoreSigns(bytes, header.precision);
  const named = stored.photometricInterpretation;
  const isRgb = header.components === 3 && (header.transformed || transforms.has(named));
  return frameOfSamples(
    {
      bytes,
      precision: header.precision,
      photometricInterpretation: isRgb ? 'RGB' : named === 'YBR_FULL_422' ? 'YBR_FULL' : named,
      planarConfiguration: 0,
    },
    stored,
  );
}

/** Takes away the half range that unsigned samples are higher by, in two's complement of their bits. */
function restoreSigns(bytes: Uint8Array, precision: number): void {
  const width = sampleBytes(precision);
  const top = 1 << ((precision - 1) % 8);
  for (let at = width - 1; at < bytes.length; at += width) bytes[at] = (bytes[at] ?? 0) ^ top;
}
