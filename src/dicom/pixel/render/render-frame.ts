/** From a native frame to a picture in a file format: the steps of rendering in their order. */
import { ServiceError } from '../../../errors.js';
import type { Frame } from '../image-pixels.js';
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import { annotate } from './annotate.js';
import { paletteColors, rgbOf } from './color.js';
import { gifWriter } from './formats/encode-gif.js';
import { encodeJp2 } from './formats/encode-jp2.js';
import { encodeJpeg } from './formats/encode-jpeg.js';
import { encodePng } from './formats/encode-png.js';
import { grays } from './gray.js';
import type { Picture } from './picture.js';
import type { Presentation, Window } from './presentation.js';
import type { PictureFormat, RenderRequest } from './render-request.js';
import { mostPicturePixels } from '../pixel-limits.js';
import { resample } from './resample.js';
import { samplesOf } from './samples.js';
import { place } from './viewport.js';

/** How long a frame of an animation is shown where nothing tells. */
export const defaultFrameTime = 100;

type Encode = (picture: Picture, request: RenderRequest) => Promise<Uint8Array>;

const encoders: Readonly<Record<PictureFormat, Encode>> = {
  jpeg: async (picture, { quality, iccProfile }) => await encodeJpeg(picture, quality, iccProfile),
  png: async (picture, { iccProfile }) => await encodePng(picture, iccProfile),
  jp2: encodeJp2,
  gif: async (picture, { frameTime = defaultFrameTime }) => {
    const gif = gifWriter(frameTime);
    gif.add(picture);
    return await Promise.resolve(gif.finish());
  },
};

/**
 * A frame as it is shown, in its own size, every pixel taken to be square.
 *
 * @param window instead of the VOI transform of the presentation; greyscale only.
 * @throws ServiceError `pixel-data-unsupported` | `pixel-data-corrupt`.
 */
export function pictureOf(frame: Frame, presentation: Presentation, window?: Window): Picture {
  const { rows, columns, samplesPerPixel, photometricInterpretation } = frame.pixels;
  const size = { width: columns, height: rows };
  if (samplesPerPixel === 3) return { ...size, channels: 3, data: rgbOf(frame) };
  if (samplesPerPixel !== 1) {
    throw unsupportedPixels(`Images of ${samplesPerPixel} samples per pixel cannot be rendered.`);
  }
  const samples = samplesOf(frame, presentation.samples, rows * columns);
  if (photometricInterpretation === 'PALETTE COLOR') {
    if (presentation.palette === undefined) {
      throw corruptPixels('The image lacks its palette.');
    }
    return { ...size, channels: 3, data: paletteColors(samples, presentation.palette) };
  }
  return { ...size, channels: 1, data: grays(samples, presentation, window) };
}

/**
 * A frame as a request asks for it: cut, scaled, mirrored and annotated.
 *
 * @throws ServiceError `invalid-query` for a region beyond the image, `pixel-data-too-large`, and as
 *   `pictureOf`.
 */
export function drawFrame(
  frame: Frame,
  presentation: Presentation,
  { window, viewport, annotations }: Omit<RenderRequest, 'format' | 'quality'>,
): Picture {
  const shown = pictureOf(frame, presentation, window);
  const placement = place(shown, presentation.pixelAspect, viewport);
  if (placement === undefined) {
    throw new ServiceError(
      'invalid-query',
      `The query parameter 'viewport' is invalid. The region must lie within the ${shown.width} × ${shown.height} pixels of the image.`,
      { parameter: 'viewport' },
    );
  }
  const pixels = placement.width * placement.height;
  if (pixels > mostPicturePixels) {
    throw new ServiceError(
      'pixel-data-too-large',
      `The picture would have ${pixels} pixels; up to ${mostPicturePixels} are sent. A viewport makes it smaller.`,
      { parameter: 'viewport', limitValue: mostPicturePixels },
    );
  }
  const placed = resample(shown, placement);
  return annotations === undefined ? placed : annotate(placed, annotations);
}

/** Writes a picture in the format of a request. */
export async function encodePicture(picture: Picture, request: RenderRequest): Promise<Uint8Array> {
  return await encoders[request.format](picture, request);
}

/**
 * Renders one frame (PS3.18 §8.3.5, PS3.4 §N.2).
 *
 * @returns the bytes of the picture file.
 * @throws ServiceError as `drawFrame` and the encoders.
 */
export async function renderFrame(
  frame: Frame,
  presentation: Presentation,
  request: RenderRequest,
): Promise<Uint8Array> {
  return await encodePicture(drawFrame(frame, presentation, request), request);
}
