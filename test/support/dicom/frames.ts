/** Makes native frames and presentations for tests of rendering. */
import type { Frame, ImagePixels } from '../../../src/dicom/pixel/image-pixels.js';
import type { Presentation } from '../../../src/dicom/pixel/render/presentation.js';
import { pixelsOf } from './pixel-frames.js';

/** Image Pixel attributes of a row of four, unless told otherwise. */
export function imagePixels(changes: Partial<ImagePixels> = {}): ImagePixels {
  return pixelsOf({ rows: 1, columns: 4, ...changes });
}

/** A frame of bytes as they are given. */
export function frameOf(bytes: ArrayLike<number>, changes: Partial<ImagePixels> = {}): Frame {
  return { pixels: imagePixels(changes), bytes: Uint8Array.from(bytes) };
}

/** The bytes of an array of wider numbers. */
export function bytesOf(numbers: ArrayBufferView): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Shows stored values without any transform. */
export function presentation(changes: Partial<Presentation> = {}): Presentation {
  return {
    samples: 'integer',
    modality: { kind: 'rescale', slope: 1, intercept: 0 },
    inverse: false,
    pixelAspect: 1,
    ...changes,
  };
}
