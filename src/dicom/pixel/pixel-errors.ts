/** How a frame that cannot be had is reported: damaged, of an unknown kind, or too large. */
import { ServiceError } from '../../errors.js';
import { frameBytes, type ImagePixels } from './image-pixels.js';
import type { PixelLimits } from './pixel-limits.js';

/** The pixel data contradicts itself, its data set or its encoding. */
export function corruptPixels(message: string, cause?: unknown): ServiceError {
  return new ServiceError('pixel-data-corrupt', message, {}, cause);
}

/** The pixel data may be valid, but this service has no way to read or write it. */
export function unsupportedPixels(message: string): ServiceError {
  return new ServiceError('pixel-data-unsupported', message);
}

/** @throws ServiceError `pixel-data-too-large` when a frame of such pixels is over the limit. */
export function refuseLargeFrame(
  pixels: Pick<ImagePixels, 'rows' | 'columns' | 'samplesPerPixel' | 'bitsAllocated'>,
  { frameBytes: most }: PixelLimits,
): void {
  refuseOver(frameBytes(pixels), most);
}

/** @throws ServiceError `pixel-data-too-large` */
export function refuseOver(bytes: number, most: number): void {
  if (bytes <= most) return;
  throw new ServiceError(
    'pixel-data-too-large',
    `One frame takes ${bytes} bytes; frames of up to ${most} bytes are decoded.`,
    { limit: 'maxFrameBytes', limitValue: most },
  );
}
