/** Rendered resources and thumbnails of instances and frames (PS3.18 §10.4.1.1.3, §10.4.1.2). */
import type { InstanceUids } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import { writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import { acceptedOf, chooseRepresentation } from '../../negotiation.js';
import { instanceOf, resourcePath } from '../../path-uids.js';
import { resumed } from '../../read-ahead.js';
import { answering, type RequestContext } from '../../route.js';
import {
  boundaryOf,
  cacheHeaders,
  entityTag,
  notModified,
  type CacheHeaders,
} from '../cache-headers.js';
import { parseFrameList } from '../frame-list.js';
import {
  describedPictures,
  describedThumbnail,
  formatOf,
  imageRenderer,
  type ImageRenderer,
  pictureOffers,
} from './render-image.js';
import { parseRenderQuery, parseThumbnailQuery, type RenderQuery } from './render-query.js';
import { renderedKind } from './rendered-kind.js';
import { renderSource, type RenderSource } from './render-source.js';
import { documentOffers, sendDocument } from './send-document.js';
import { reply, type Reply } from '../../../http/reply.js';

/** What of an instance is to be shown, and how. */
export interface RenderedRequest {
  readonly purpose: 'rendered' | 'thumbnail';
  readonly query: RenderQuery;
  /** Frames by number; of the whole instance when left out. */
  readonly frames?: readonly number[];
}

/** The row, the data set and the index of an instance: one read. */
export async function sourceOf(context: RequestContext, uids: InstanceUids): Promise<RenderSource> {
  const row = await context.services.archive.catalog.instance(context.partition, uids);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  return await renderSource(context, row);
}

/** The answer warns of annotations that it does not have (PS3.18 §8.3.5.1.1). */
export function warningOf({ unknownAnnotations }: RenderQuery): Readonly<Record<string, string>> {
  if (unknownAnnotations.length === 0) return {};
  const names = unknownAnnotations.map((name) => name.replace(/[^\w-]/g, '?').slice(0, 32));
  return {
    Warning: `299 - "The following annotation values are not supported: ${names.slice(0, 8).join(', ')}"`,
  };
}

/**
 * Refuses what nothing is rendered as, before anything is looked for.
 *
 * @throws ServiceError `not-acceptable`
 */
export function requireRenderable(
  { request, profile }: RequestContext,
  { purpose, frames }: Pick<RenderedRequest, 'purpose' | 'frames'>,
): void {
  const pictures = pictureOffers(profile.rendered, ['single', 'multipart']);
  const mayBeDocument = purpose === 'rendered' && frames === undefined;
  chooseRepresentation(request, mayBeDocument ? [...pictures, ...documentOffers] : pictures);
}

/** Refuses what has no picture, or none that this service can make. */
function refuse(kind: ReturnType<typeof renderedKind>): never {
  if (kind === 'video') {
    throw new ServiceError(
      'not-acceptable',
      'Single frames of a video cannot be rendered; /rendered of the instance is the video.',
    );
  }
  throw new ServiceError('frame-not-found', 'The instance has no pixel data to be rendered.');
}

/** Sends one instance, or frames of it, as `requested`. */
export async function sendRendered(
  context: RequestContext,
  source: RenderSource,
  requested: RenderedRequest,
): Promise<Reply> {
  const kind = renderedKind(source);
  if (kind !== 'image') {
    if (kind === undefined || requested.purpose === 'thumbnail' || requested.frames !== undefined) {
      return refuse(kind);
    }
    return await sendDocument(context, source, kind);
  }
  const renderer = imageRenderer(context, source, requested.query);
  const missing = requested.frames?.find((frame) => frame > renderer.frames);
  if (missing !== undefined) {
    throw new ServiceError(
      'frame-not-found',
      `The instance has ${renderer.frames} frames; frame ${missing} is not among them.`,
    );
  }
  return await sendPictures(context, source, renderer, requested);
}

/** Several frames alone are an animation, or not to be had. */
function chooseFor(
  { request, profile }: RequestContext,
  { purpose, frames }: RenderedRequest,
): Offer {
  const policy = profile.rendered;
  const several = frames !== undefined && frames.length > 1;
  const forms = several ? (['multipart', 'single'] as const) : (['single', 'multipart'] as const);
  const offers = pictureOffers(policy, purpose === 'thumbnail' ? ['single'] : forms, {
    animated: several,
  });
  if (
    several &&
    profile.retrieve.severalFramesAlone === 'invalid-frame-list' &&
    acceptedOf(request, offers) === undefined
  ) {
    throw new ServiceError(
      'invalid-frame-list',
      'Several frames cannot be sent as one picture: ask for one frame, or for multipart/related.',
      { parameter: 'frames' },
    );
  }
  return chooseRepresentation(request, offers).offer;
}

async function sendPictures(
  context: RequestContext,
  source: RenderSource,
  renderer: ImageRenderer,
  requested: RenderedRequest,
): Promise<Reply> {
  const { purpose, query } = requested;
  const { mediaType, form } = chooseFor(context, requested);
  const format = formatOf(mediaType, context.profile.rendered);
  const all = Array.from({ length: renderer.frames }, (_, at) => at + 1);
  // Of a whole instance an animation and parts have every frame, another picture the first.
  const whole = purpose === 'rendered' && (form === 'multipart' || format === 'gif') ? all : [1];
  const frames = requested.frames ?? whole;
  const { version } = source.record;
  const tag = entityTag(
    version,
    purpose,
    mediaType,
    form,
    frames.length === all.length ? 'all' : frames.join(','),
    JSON.stringify(query),
    form === 'multipart' ? context.baseUrl : '',
  );
  const headers = { ...cacheHeaders(tag, version), ...warningOf(query) };
  const unchanged = notModified(context.request, headers);
  if (unchanged !== undefined) return unchanged;
  if (form === 'single') {
    const bytes = await renderer.render(format, frames);
    return reply(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), {
      headers: { ...headers, 'Content-Type': mediaType, 'Content-Length': String(bytes.length) },
    });
  }
  const parts = (async function* () {
    for (const frame of frames) {
      const bytes = await renderer.render(format, [frame]);
      const location = `${resourcePath(source.record)}/frames/${frame}/rendered`;
      yield picturePart(mediaType, context.baseUrl + location, bytes);
    }
  })();
  return await sendParts(parts, mediaType, headers);
}

/** One of several pictures in a multipart answer, with the URL that it alone is had from (PS3.18 §8.6.1.2). */
export function picturePart(mediaType: string, location: string, bytes: Uint8Array): OutgoingPart {
  return {
    headers: [
      ['Content-Type', mediaType],
      ['Content-Location', location],
    ],
    body: bytes,
    length: bytes.length,
  };
}

/**
 * Sends parts as they are made. The first is awaited, so that what fails at once is still an answer.
 *
 * @throws ServiceError `frame-not-found` when there is none.
 */
export async function sendParts(
  parts: AsyncGenerator<OutgoingPart, void, undefined>,
  mediaType: string,
  headers: CacheHeaders,
): Promise<Reply> {
  const first = await parts.next();
  if (first.done === true) {
    throw new ServiceError('frame-not-found', 'Nothing in it can be rendered as a picture.');
  }
  const boundary = boundaryOf(headers.ETag);
  return reply(writeMultipart(resumed(first.value, parts), boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: mediaType, boundary }),
    },
  });
}

/** `GET …/instances/{instance}/rendered`. */
export const retrieveRenderedInstance = answering(describedPictures, async (context) => {
  const uids = instanceOf(context.params);
  const query = parseRenderQuery(context.request, context.profile.rendered);
  const requested: RenderedRequest = { purpose: 'rendered', query };
  requireRenderable(context, requested);
  return await sendRendered(context, await sourceOf(context, uids), requested);
});

/** `GET …/frames/{frames}/rendered`, and `…/rendered/{frames}` as cornerstone asks. */
export const retrieveRenderedFrames = answering(describedPictures, async (context) => {
  const frames = parseFrameList(context.params['frames'] ?? '');
  const uids = instanceOf(context.params);
  const query = parseRenderQuery(context.request, context.profile.rendered);
  const requested: RenderedRequest = { purpose: 'rendered', query, frames };
  requireRenderable(context, requested);
  return await sendRendered(context, await sourceOf(context, uids), requested);
});

/** `GET …/instances/{instance}/thumbnail`: its first frame. */
export const retrieveInstanceThumbnail = answering(describedThumbnail, async (context) => {
  const uids = instanceOf(context.params);
  const query = parseThumbnailQuery(context.request);
  const requested: RenderedRequest = { purpose: 'thumbnail', query };
  requireRenderable(context, requested);
  return await sendRendered(context, await sourceOf(context, uids), requested);
});

/** `GET …/frames/{frames}/thumbnail`, and `…/thumbnail/{frames}`: the first of the frames. */
export const retrieveFramesThumbnail = answering(describedThumbnail, async (context) => {
  const [first = 1] = parseFrameList(context.params['frames'] ?? '');
  const uids = instanceOf(context.params);
  const query = parseThumbnailQuery(context.request);
  const requested: RenderedRequest = { purpose: 'thumbnail', query, frames: [first] };
  requireRenderable(context, requested);
  return await sendRendered(context, await sourceOf(context, uids), requested);
});
