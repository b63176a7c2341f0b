/** Native pixel data, little endian (PS3.5 §A.1, §A.2, §A.5): the bytes as they are. */
import type { EncodedFrame } from '../encode-frame.js';
import type { Frame } from '../image-pixels.js';

/** Hands the frame's own bytes on; they are not copied. */
export function encodeNative(frame: Frame): EncodedFrame {
  return { bytes: frame.bytes, pixels: frame.pixels };
}
