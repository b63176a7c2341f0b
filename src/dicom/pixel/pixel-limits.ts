/** What one frame may cost, checked before anything is decoded. */

export interface PixelLimits {
  /** Bytes of one decoded frame, and of the compressed one it is made from. */
  readonly frameBytes: number;
}

export const defaultPixelLimits: PixelLimits = {
  frameBytes: 128 * 1024 ** 2,
};

/** Pixels of the largest picture that is made; a viewport cannot ask for more. */
export const mostPicturePixels = 2 ** 25;
