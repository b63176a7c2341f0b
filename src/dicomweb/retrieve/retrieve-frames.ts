/** Retrieve of frames (PS3.18 §10.4.1.1.6): ranged reads of the stored file, transcoded where asked. */
import { frameRuns, type FrameIndex } from '../../dicom/frames.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import type { Choice, Offer } from '../../http/accept.js';
import { formatMediaType } from '../../http/media-type.js';
import { answerRange } from '../../http/range.js';
import { multipartLength, writeMultipart, type OutgoingPart } from '../../multipart/writer.js';
import { indexProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { acceptedOf, chooseRepresentation } from '../negotiation.js';
import { instanceOf, resourcePath } from '../path-uids.js';
import { listed, readAhead, resumed } from '../read-ahead.js';
import { answering, type RequestContext } from '../route.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from './cache-headers.js';
import { parseFrameList } from './frame-list.js';
import { anyFrameOffers, chosenSyntax, frameOffers, frameType } from './frame-offers.js';
import { frameLength, openFrame } from './open-frame.js';
import { readAll } from './open-runs.js';
import { RepeatedFrames } from './repeated-frames.js';
import { rereading } from './reread.js';
import { loadImage, type StoredImage } from './stored-image.js';
import { storedSyntax } from './stored-syntax.js';
import { encodingEdition, framesAheadOf, transcodeStoredFrame } from './transcode-frames.js';
import { conceivableTargets, frameTargets, haveSameFrames } from './transcode-targets.js';
import { reply, type Reply, type ReplyHeaders } from '../../http/reply.js';

const framesAhead = 8;

/**
 * Several frames come in parts only.
 *
 * @throws ServiceError `not-acceptable`, or what the profile says to several frames in one part.
 */
function chooseFor(
  { request, profile }: RequestContext,
  stored: TransferSyntax,
  targets: readonly TransferSyntax[],
  frames: readonly number[],
): Choice {
  const offers = (...forms: Offer['form'][]) =>
    frameOffers(stored, targets, forms, profile.retrieve);
  if (frames.length === 1) return chooseRepresentation(request, offers('multipart', 'single'));
  const inParts = offers('multipart');
  if (
    profile.retrieve.severalFramesAlone === 'invalid-frame-list' &&
    acceptedOf(request, inParts) === undefined &&
    acceptedOf(request, offers('single')) !== undefined
  ) {
    throw new ServiceError(
      'invalid-frame-list',
      'Several frames cannot be sent as a single part: ask for one frame, or for multipart/related.',
      { parameter: 'frames' },
    );
  }
  return chooseRepresentation(request, inParts);
}

/** @throws ServiceError `frame-not-found` unless every frame of the list is there and has data. */
function requireFrames(index: FrameIndex | undefined, frames: readonly number[]): FrameIndex {
  if (index === undefined) {
    throw new ServiceError('frame-not-found', 'The instance has no pixel data, hence no frames.');
  }
  const missing = frames.find((frame) => frame > index.frames);
  if (missing !== undefined) {
    throw new ServiceError(
      'frame-not-found',
      `The instance has ${index.frames} frames; frame ${missing} is not among them.`,
    );
  }
  const empty =
    index.kind === 'encapsulated' &&
    frames.find((frame) => frameRuns(index, frame).every(({ length }) => length === 0));
  if (typeof empty === 'number') {
    throw new ServiceError('frame-not-found', `Frame ${empty} of the instance has no data.`);
  }
  return index;
}

/** Frames whose representation has been settled. */
interface ChosenFrames {
  readonly record: InstanceRecord;
  readonly frames: readonly number[];
  /** Where they lie. */
  readonly index: FrameIndex;
  readonly choice: Choice;
  readonly to: TransferSyntax;
  /** There when the frames have to be transcoded. */
  readonly image?: StoredImage;
}

/**
 * Settles what is sent: by the transfer syntaxes at first, and by what is known of the pixels when
 * they have to be decoded.
 */
async function chooseFrames(context: RequestContext): Promise<ChosenFrames> {
  const { services, partition, params } = context;
  const frames = parseFrameList(params['frames'] ?? '');
  const uids = instanceOf(params);
  // What no frame comes in is told before the instance is looked for.
  chooseRepresentation(context.request, anyFrameOffers);
  const row = await services.archive.catalog.instance(partition, uids, indexProperties);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  const { record } = row;
  const whole = await services.archive.files.index(partition, row);
  const index = requireFrames(whole.frames, frames);
  const from = storedSyntax(record);
  const choice = chooseFor(context, from, conceivableTargets(from), frames);
  const to = chosenSyntax(choice, from);
  if (haveSameFrames(from, to)) return { record, frames, index, choice, to };

  const image = await loadImage(context, record, whole);
  const targets = frameTargets(image, services.limits.pixels);
  const settled = chooseFor(context, image.syntax, targets, frames);
  const syntax = chosenSyntax(settled, image.syntax);
  return {
    record: image.record,
    frames,
    index: requireFrames(image.index.frames, frames),
    choice: settled,
    to: syntax,
    ...(!haveSameFrames(image.syntax, syntax) && { image }),
  };
}

/** `GET …/instances/{instance}/frames/{frames}`: the frames in the order of the list. */
export const retrieveFrames = answering(
  { answers: anyFrameOffers },
  rereading(async (context) => {
    const chosen = await chooseFrames(context);
    const { offer } = chosen.choice;
    const mediaType = frameType(offer, chosen.to, context.profile.retrieve);
    const contentType = formatMediaType(mediaType, { 'transfer-syntax': chosen.to.uid });
    const { version } = chosen.record;
    const place = offer.form === 'multipart' ? context.baseUrl : '';
    const edition = chosen.image === undefined ? 'stored' : encodingEdition;
    const tag = entityTag(version, contentType, place, edition, String(chosen.frames));
    const caching = cacheHeaders(tag, version);
    const unmodified = notModified(context.request, caching);
    if (unmodified !== undefined) return unmodified;

    if (offer.form === 'single') {
      return await singleFrame(context, chosen, { ...caching, 'Content-Type': contentType });
    }
    const parts = partsOf(context, chosen, contentType);
    // What cannot be had shows with the first frame, while there is still a status to say so.
    const first = await parts.next();
    const all = first.done === true ? listed<OutgoingPart>() : resumed(first.value, parts);
    const boundary = boundaryOf(tag);
    return reply(writeMultipart(all, boundary), {
      headers: {
        ...caching,
        'Content-Type': formatMediaType('multipart/related', { type: mediaType, boundary }),
        ...lengthOf(context, chosen, contentType, boundary),
      },
    });
  }),
);

async function transcodedFrame(
  context: RequestContext,
  image: StoredImage,
  to: TransferSyntax,
  index: FrameIndex,
  frame: number,
): Promise<Uint8Array> {
  const runs = frameRuns(index, frame);
  return (await transcodeStoredFrame(context, image, to, 'stored-attributes', runs)).bytes;
}

/** One frame by itself, or a range of its bytes. */
async function singleFrame(
  context: RequestContext,
  { record, frames: [frame = 1], index, image, to }: ChosenFrames,
  headers: Readonly<Record<string, string>> & { readonly ETag: string },
): Promise<Reply> {
  const asked = context.request.headers;
  if (image !== undefined) {
    const bytes = await transcodedFrame(context, image, to, index, frame);
    const range = answerRange(asked, bytes.length, headers.ETag);
    const part = bytes.subarray(range.offset, range.offset + range.length);
    return reply(listed(part), {
      status: range.status,
      headers: { ...headers, ...range.headers },
    });
  }
  const range = answerRange(asked, frameLength(index, frame), headers.ETag);
  const body = await openFrame(context, record, index, frame, range);
  return reply(body.chunks(), {
    status: range.status,
    headers: { ...headers, ...range.headers },
  });
}

/** A frame on its way. */
interface OpenedFrame extends Pick<OutgoingPart, 'body'> {
  readonly frame: number;
  readonly length: number;
  readonly cancel?: () => void;
}

/** Longer frames are read again when a list repeats them. */
const longestSharedFrame = 4 * 1024 ** 2;

/** Opens the frames of a list, in its order; what it repeats is read and transcoded once. */
function openFrames(
  context: RequestContext,
  { record, frames, index, image, to }: ChosenFrames,
): AsyncIterable<OpenedFrame> {
  const repeated = new RepeatedFrames(frames);
  const bytesOf = async (frame: number): Promise<Uint8Array> =>
    image === undefined
      ? await readAll(await openFrame(context, record, index, frame))
      : await transcodedFrame(context, image, to, index, frame);
  return readAhead(
    frames,
    image === undefined ? framesAhead : framesAheadOf(image),
    async (frame): Promise<OpenedFrame> => {
      const short = frameLength(index, frame) <= longestSharedFrame;
      if (image !== undefined || (short && repeated.isShared(frame))) {
        const bytes = await repeated.take(frame, async () => await bytesOf(frame));
        return { frame, body: bytes, length: bytes.length };
      }
      const body = await openFrame(context, record, index, frame);
      return { frame, body: body.chunks(), length: body.length, cancel: () => body.cancel() };
    },
    ({ cancel }) => cancel?.(),
  );
}

/** The headers of the part of each frame. */
function partHeaders(
  { baseUrl }: RequestContext,
  { record }: ChosenFrames,
  contentType: string,
): (frame: number) => OutgoingPart['headers'] {
  const location = `${baseUrl}${resourcePath(record)}/frames`;
  return (frame) => [
    ['Content-Type', contentType],
    ['Content-Location', `${location}/${frame}`],
  ];
}

async function* partsOf(
  context: RequestContext,
  chosen: ChosenFrames,
  contentType: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const headersOf = partHeaders(context, chosen, contentType);
  for await (const { frame, body, length } of openFrames(context, chosen)) {
    yield { headers: headersOf(frame), body, length };
  }
}

/** The Content-Length of frames in parts; none of frames that are yet to be transcoded. */
function lengthOf(
  context: RequestContext,
  chosen: ChosenFrames,
  contentType: string,
  boundary: string,
): ReplyHeaders {
  const { frames, index, image } = chosen;
  if (image !== undefined) return {};
  const headersOf = partHeaders(context, chosen, contentType);
  const parts = frames.map((frame) => {
    return { headers: headersOf(frame), length: frameLength(index, frame) };
  });
  return { 'Content-Length': String(multipartLength(parts, boundary)) };
}
