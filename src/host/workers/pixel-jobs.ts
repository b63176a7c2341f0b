/** What the service and the threads that work on pixels tell each other. */
import type { EncodedFrame } from '../../dicom/pixel/encode-frame.js';
import type { PixelLimits } from '../../dicom/pixel/pixel-limits.js';
import type { RenderJob } from '../../dicom/pixel/render/render-job.js';
import type { TranscodeJob } from '../../dicom/pixel/transcode-frame.js';

/** What a worker is started with. */
export interface PixelWorkerData {
  readonly limits: PixelLimits;
}

/** One piece of work; a worker has one at a time. */
export type PixelJob =
  | { readonly kind: 'transcode'; readonly job: TranscodeJob }
  | { readonly kind: 'render'; readonly job: RenderJob };

export type PixelResult = EncodedFrame | Uint8Array;
