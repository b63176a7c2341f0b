/** RLE Lossless (PS3.5 Annex G): a plane of bytes for each byte of a pixel, the highest byte first. */
import { frameBytes, type Frame, type ImagePixels } from '../image-pixels.js';
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';

/** The header: how many segments there are, and where each of at most 15 starts. */
const headerBytes = 64;

/** Decodes RLE; samples come interleaved by pixel. */
export function decodeRle(payload: Uint8Array, stored: ImagePixels): Frame {
  const { samplesPerPixel, bitsAllocated } = stored;
  // Single bits are packed into bytes before they are compressed.
  const width = bitsAllocated === 1 ? 1 : bitsAllocated / 8;
  const segments = samplesPerPixel * width;
  if (!Number.isInteger(width) || segments > 15 || (bitsAllocated === 1 && samplesPerPixel > 1)) {
    throw unsupportedPixels(
      `RLE of ${samplesPerPixel} samples of ${bitsAllocated} bits cannot be decoded.`,
    );
  }
  const starts = segmentStarts(payload, segments);
  const bytes = new Uint8Array(frameBytes(stored));
  starts.forEach((start, segment) => {
    const end = starts[segment + 1] ?? payload.length;
    const sample = Math.floor(segment / width);
    const place = sample * width + (width - 1 - (segment % width));
    unpack(payload.subarray(start, end), bytes, place, segments);
  });
  const photometricInterpretation =
    stored.photometricInterpretation === 'YBR_FULL_422'
      ? 'YBR_FULL'
      : stored.photometricInterpretation;
  return { pixels: { ...stored, photometricInterpretation, planarConfiguration: 0 }, bytes };
}

function segmentStarts(payload: Uint8Array, segments: number): readonly number[] {
  if (payload.length < headerBytes) throw corruptPixels('The RLE frame has no complete header.');
  const view = new DataView(payload.buffer, payload.byteOffset, headerBytes);
  const count = view.getUint32(0, true);
  if (count !== segments) {
    throw corruptPixels(
      `The RLE frame has ${count} segments where its attributes ask for ${segments}.`,
    );
  }
  const starts = Array.from({ length: count }, (_, index) => view.getUint32(4 + index * 4, true));
  starts.forEach((start, index) => {
    const least = starts[index - 1] ?? headerBytes;
    if (start < least || start > payload.length) {
      throw corruptPixels('The RLE frame has a segment outside its data.');
    }
  });
  return starts;
}

/**
 * Unpacks one segment into every `stride`-th byte of `target` from `first` on (PS3.5 §G.3.2).
 * Segments may hold more than the plane needs: padding.
 *
 * @throws ServiceError `pixel-data-corrupt` when they hold less.
 */
function unpack(segment: Uint8Array, target: Uint8Array, first: number, stride: number): void {
  let to = first;
  let at = 0;
  while (to < target.length) {
    const control = segment[at++];
    if (control === undefined) throw corruptPixels('A segment of the RLE frame ends early.');
    if (control === 128) continue;
    if (control < 128) {
      const literals = segment.subarray(at, at + control + 1);
      if (literals.length <= control && literals.length * stride < target.length - to) {
        throw corruptPixels('A segment of the RLE frame ends early.');
      }
      for (const byte of literals) {
        if (to >= target.length) break;
        target[to] = byte;
        to += stride;
      }
      at += control + 1;
      continue;
    }
    const byte = segment[at++];
    if (byte === undefined) throw corruptPixels('A segment of the RLE frame ends early.');
    for (let left = 257 - control; left > 0 && to < target.length; left--) {
      target[to] = byte;
      to += stride;
    }
  }
}
