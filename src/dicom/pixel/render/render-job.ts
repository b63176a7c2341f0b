/**
 * The work of rendering as plain values that a worker can be sent: stored frames in, the bytes of a
 * picture file out. Decoding happens here too, so that a hostile codestream is the worker's alone.
 */
import type { TransferSyntaxUID } from '../../uid.js';
import { decodeFrame, type PixelLimits } from '../decode-frame.js';
import type { ImagePixels } from '../image-pixels.js';
import { refuseLargeJob } from '../job-memory.js';
import { gifWriter } from './formats/encode-gif.js';
import type { Presentation } from './presentation.js';
import { defaultFrameTime, drawFrame, renderFrame } from './render-frame.js';
import type { RenderRequest } from './render-request.js';

/** One frame as stored, and how it is to be shown. */
export interface StoredFrame {
  /** Native: the frame's bytes, little endian, from a byte on. Encapsulated: its fragments joined. */
  readonly payload: Uint8Array;
  readonly presentation: Presentation;
}

export interface RenderJob {
  /** One; several only for an animation, in the order in which they are shown. */
  readonly frames: readonly StoredFrame[];
  /** What the data set says of the pixels. */
  readonly stored: ImagePixels;
  readonly from: TransferSyntaxUID;
  readonly request: RenderRequest;
}

/**
 * Decodes and renders.
 *
 * @returns the bytes of the picture file.
 * @throws ServiceError as `decodeFrame` and `renderFrame`; RangeError for a job without frames.
 */
export async function runRenderJob(
  { frames, stored, from, request }: RenderJob,
  limits: PixelLimits,
): Promise<Uint8Array> {
  const [first, ...others] = frames;
  if (first === undefined) throw new RangeError('There is no frame to render.');
  refuseLargeJob(first.payload.length, stored, [from]);
  if (others.length === 0) {
    const frame = await decodeFrame(first.payload, stored, from, limits);
    return await renderFrame(frame, first.presentation, request);
  }
  const gif = gifWriter(request.frameTime ?? defaultFrameTime);
  for (const { payload, presentation } of frames) {
    const frame = await decodeFrame(payload, stored, from, limits);
    gif.add(drawFrame(frame, presentation, request));
  }
  return gif.finish();
}
