/** Deflated Image Frame Compression (PS3.5 §A.4.13): each frame is deflated by itself (RFC 1951). */
import { inflateRawSync } from 'node:zlib';
import { frameBytes, type Frame, type ImagePixels } from '../image-pixels.js';
import { corruptPixels } from '../pixel-errors.js';
import { decodeNative } from './native.js';

/** Decodes one deflated frame. A frame that would inflate to more than its attributes say is refused. */
export function decodeDeflated(payload: Uint8Array, stored: ImagePixels): Frame {
  // A frame of an odd number of bytes may be padded.
  const maxOutputLength = frameBytes(stored) + 1;
  let inflated: Uint8Array;
  try {
    inflated = inflateRawSync(payload, { maxOutputLength });
  } catch (cause) {
    throw corruptPixels('The deflated frame cannot be inflated to the size of a frame.', cause);
  }
  return decodeNative(inflated, stored);
}
