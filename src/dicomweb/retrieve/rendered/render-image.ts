/** Renders frames of an instance that has pixels, as one picture, as an animation, or in parts. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import type { FrameIndex } from '../../../dicom/frames.js';
import type { ImagePixels } from '../../../dicom/pixel/image-pixels.js';
import type { BulkSource } from '../../../dicom/pixel/render/lookup-data.js';
import type { PictureFormat, RenderRequest } from '../../../dicom/pixel/render/render-request.js';
import { numberOf } from '../../../dicom/value.js';
import { ServiceError } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import type { RequestContext } from '../../route.js';
import { annotationsOf } from './annotation-lines.js';
import { iccProfileOf } from './icc-profile.js';
import { pictureParameters, type RenderQuery } from './render-query.js';
import {
  bulkSource,
  pixelsOf,
  readFrame,
  storedBytes,
  type RenderSource,
} from './render-source.js';
import { standardRenderedPolicy, type RenderedPolicy } from './rendered-policy.js';

const mediaTypes: Readonly<Record<PictureFormat, string>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  jp2: 'image/jp2',
};

/** The format that a media type stands for, among those of the policy. */
export function formatOf(mediaType: string, { formats }: RenderedPolicy): PictureFormat {
  const format = formats.find((one) => mediaTypes[one] === mediaType);
  if (format === undefined) throw new RangeError(`${mediaType} is not offered`);
  return format;
}

/** What pictures can be had in; `animated` for several frames, which only GIF shows in one file. */
export function pictureOffers(
  { formats }: RenderedPolicy,
  forms: readonly Offer['form'][],
  { animated = false }: { readonly animated?: boolean } = {},
): readonly Offer[] {
  return forms.flatMap((form) =>
    formats
      .filter((format) => !animated || form === 'multipart' || format === 'gif')
      .map((format) => ({ mediaType: mediaTypes[format], form })),
  );
}

const standardPictures = (forms: readonly Offer['form'][]) =>
  pictureOffers(standardRenderedPolicy, forms);

/** What renderings are answered in and asked with. */
export const describedPictures = {
  answers: standardPictures(['single', 'multipart']),
  query: pictureParameters,
} as const;

/** The same of thumbnails. */
export const describedThumbnail = { ...describedPictures, answers: standardPictures(['single']) };

/** An animation is one job: its frames, and what they are decoded to, are bounded. */
const mostAnimationFrames = 1000;
const mostAnimationBytes = 128 * 1024 ** 2;

const frameTime = attribute('FrameTime');
const cineRate = attribute('CineRate');
const displayRate = attribute('RecommendedDisplayFrameRate');

/** Milliseconds that a frame is shown (PS3.3 §C.7.6.5). */
function frameTimeOf(dataSet: DataSet): number | undefined {
  const rate = numberOf(dataSet, displayRate) ?? numberOf(dataSet, cineRate);
  if (rate !== undefined && rate > 0) return 1000 / rate;
  const time = numberOf(dataSet, frameTime);
  return time !== undefined && time > 0 ? time : undefined;
}

/** An instance whose frames can be rendered one by one. */
export interface ImageRenderer {
  /** Frames that there are. */
  readonly frames: number;
  /**
   * The bytes of a picture file.
   *
   * @param frames counted from 1, each among those that there are; several give an animation.
   */
  render(format: PictureFormat, frames: readonly number[]): Promise<Uint8Array>;
}

function requireFrames({ index }: RenderSource): FrameIndex {
  if (index.frames !== undefined && index.frames.frames > 0) return index.frames;
  throw new ServiceError('frame-not-found', 'The instance has no pixel data to be rendered.');
}

function requirePixels(source: RenderSource): ImagePixels {
  const pixels = pixelsOf(source);
  if (pixels !== undefined) return pixels;
  throw new ServiceError(
    'pixel-data-corrupt',
    'The attributes that describe the pixels are missing.',
  );
}

async function requestOf(
  { dataSet }: RenderSource,
  { quality, window, viewport, annotations: names, iccProfile: choice }: RenderQuery,
  bulk: BulkSource,
): Promise<Omit<RenderRequest, 'format'>> {
  const annotations = annotationsOf(dataSet, names);
  const iccProfile = await iccProfileOf(dataSet, choice, bulk);
  const time = frameTimeOf(dataSet);
  return {
    quality,
    ...(window !== undefined && { window }),
    ...(viewport !== undefined && { viewport }),
    ...(annotations !== undefined && { annotations }),
    ...(iccProfile !== undefined && { iccProfile }),
    ...(time !== undefined && { frameTime: time }),
  };
}

/** @throws ServiceError `not-acceptable`: the frames can be had one by one, or in parts. */
function refuseLongAnimation(index: FrameIndex, frames: readonly number[]): void {
  if (frames.length <= mostAnimationFrames && storedBytes(index, frames) <= mostAnimationBytes) {
    return;
  }
  throw new ServiceError(
    'not-acceptable',
    `An animation has up to ${mostAnimationFrames} frames of up to ${mostAnimationBytes} bytes in all; ask for fewer frames.`,
  );
}

/**
 * Prepares the rendering of an instance.
 *
 * @throws ServiceError `frame-not-found` for one without frames.
 */
export function imageRenderer(
  context: RequestContext,
  source: RenderSource,
  query: RenderQuery,
): ImageRenderer {
  const frameIndex = requireFrames(source);
  const bulk = bulkSource(context, source);
  return {
    frames: frameIndex.frames,
    async render(format, frames) {
      const stored = requirePixels(source);
      if (frames.length > 1) refuseLongAnimation(frameIndex, frames);
      const [request, read] = await Promise.all([
        requestOf(source, query, bulk),
        readFrames(context, source, { pixels: stored, frames: frameIndex, bulk }, frames),
      ]);
      const job = {
        frames: read,
        stored,
        from: source.syntax.uid,
        request: { ...request, format },
      };
      return await context.services.pixels.render(job, context.signal);
    },
  };
}

const framesTogether = 8;

async function readFrames(
  context: RequestContext,
  source: RenderSource,
  parts: Parameters<typeof readFrame>[2],
  frames: readonly number[],
) {
  const read: Awaited<ReturnType<typeof readFrame>>[] = [];
  for (let at = 0; at < frames.length; at += framesTogether) {
    const some = frames.slice(at, at + framesTogether);
    read.push(
      ...(await Promise.all(some.map((frame) => readFrame(context, source, parts, frame)))),
    );
  }
  return read;
}
