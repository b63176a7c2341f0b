/** Frames of 1-bit pixels share bytes where their pixels do not fill whole ones (PS3.5 §8.1.1). */
import type { FrameIndex } from '../frames.js';

/**
 * The payload of a frame from a byte boundary on, as `decodeFrame` takes it.
 *
 * @param bytes the frame's runs, joined (`frameRuns`).
 * @param frame counted from 1.
 */
export function alignFrame(bytes: Uint8Array, index: FrameIndex, frame: number): Uint8Array {
  if (index.kind !== 'native') return bytes;
  const shift = (index.frameBits * (frame - 1)) % 8;
  if (shift === 0) return bytes;
  const aligned = new Uint8Array(Math.ceil(index.frameBits / 8));
  for (let at = 0; at < aligned.length; at++) {
    aligned[at] = ((bytes[at] ?? 0) >> shift) | ((bytes[at + 1] ?? 0) << (8 - shift));
  }
  return aligned;
}
