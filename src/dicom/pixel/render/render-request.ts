/** What a client asks to see of an image (PS3.18 §8.3.5): plain values that a worker can be sent. */
import type { Annotations } from './annotate.js';
import type { Window } from './presentation.js';
import type { Viewport } from './viewport.js';

export type PictureFormat = 'jpeg' | 'png' | 'gif' | 'jp2';

export interface RenderRequest {
  readonly format: PictureFormat;
  /** 1 to 100; of JPEG. */
  readonly quality: number;
  /** Instead of the VOI transform of the data set; greyscale only. */
  readonly window?: Window;
  readonly viewport?: Viewport;
  readonly annotations?: Annotations;
  /** Put into JPEG and PNG of colour pictures. */
  readonly iccProfile?: Uint8Array;
  /** Milliseconds that each frame of an animation is shown. */
  readonly frameTime?: number;
}
