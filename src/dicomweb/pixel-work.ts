/**
 * The port for work on pixels: decoding, encoding, rendering. Handlers await it and never run a codec
 * themselves, because a codec holds up its thread and hostile input may end it.
 */
import type { EncodedFrame } from '../dicom/pixel/encode-frame.js';
import type { PixelLimits } from '../dicom/pixel/pixel-limits.js';
import type { RenderJob } from '../dicom/pixel/render/render-job.js';
import type { TranscodeJob } from '../dicom/pixel/transcode-frame.js';

/**
 * Does work on pixels, one frame or picture a call. A payload is the worker's from the call on: its
 * memory may be moved away, and the caller must not look at it again.
 *
 * Both reject with what `transcodeFrame` and `runRenderJob` throw, with ServiceError
 * `pixel-data-corrupt` when a frame ends its worker or takes longer than the service waits,
 * `overloaded` when too much is waiting already, and with the signal's reason once it is aborted.
 */
export interface PixelWork {
  transcode(job: TranscodeJob, signal: AbortSignal): Promise<EncodedFrame>;
  render(job: RenderJob, signal: AbortSignal): Promise<Uint8Array>;
  /** Ends what is under way; further work is refused. */
  close(): Promise<void>;
}

/** Does the work in the caller's own thread: for tools and tests, where pixels are trusted. */
export function pixelWorkInThread(limits: PixelLimits): PixelWork {
  // Loaded when first needed: most processes never see a codec.
  return {
    async transcode(job, signal) {
      signal.throwIfAborted();
      const { transcodeFrame } = await import('../dicom/pixel/transcode-frame.js');
      return await transcodeFrame(job, limits);
    },
    async render(job, signal) {
      signal.throwIfAborted();
      const { runRenderJob } = await import('../dicom/pixel/render/render-job.js');
      return await runRenderJob(job, limits);
    },
    async close() {
      await Promise.resolve();
    },
  };
}
