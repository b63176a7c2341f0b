/** Retrieve of frames (PS3.18 §10.4.1.1.6): ranged reads of the stored file, transcoded where asked. */
import { frameRuns, type ByteRun, type FrameIndex } from '../../dicom/frames.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import { streamBody } from '../../http/body.js';
import type { Choice } from '../../http/accept.js';
import { formatMediaType } from '../../http/media-type.js';
import { answerRange } from '../../http/range.js';
import { writeMultipart, type OutgoingPart } from '../../multipart/writer.js';
import { indexProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { acceptedOf, chooseRepresentation } from '../negotiation.js';
import { instanceOf, resourcePath } from '../path-uids.js';
import { listed, readAhead, resumed } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { sliceRuns } from './bulkdata/bulk-resource.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from './cache-headers.js';
import { parseFrameList } from './frame-list.js';
import { chosenSyntax, frameOffers } from './frame-offers.js';
import { openRuns } from './open-runs.js';
import { loadImage, type StoredImage } from './stored-image.js';
import { storedSyntax } from './stored-syntax.js';
import { encodingEdition, framesAheadOf, transcodeStoredFrame } from './transcode-frames.js';
import { conceivableTargets, frameTargets, haveSameFrames } from './transcode-targets.js';

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
  if (frames.length === 1) {
    return chooseRepresentation(request, frameOffers(stored, targets, ['multipart', 'single']));
  }
  const inParts = frameOffers(stored, targets, ['multipart']);
  if (
    profile.retrieve.severalFramesAlone === 'invalid-frame-list' &&
    acceptedOf(request, inParts) === undefined &&
    acceptedOf(request, frameOffers(stored, targets, ['single'])) !== undefined
  ) {
    throw new ServiceError(
      'invalid-frame-list',
      'Several frames cannot be sent as a single part: ask for one frame, or for multipart/related.',
      { parameter: 'frames' },
    );
  }
  return chooseRepresentation(request, inParts);
}

function runsOf(index: FrameIndex | undefined, frame: number): readonly ByteRun[] {
  if (index === undefined) {
    throw new ServiceError('frame-not-found', 'The instance has no pixel data, hence no frames.');
  }
  if (frame > index.frames) {
    throw new ServiceError(
      'frame-not-found',
      `The instance has ${index.frames} frames; frame ${frame} is not among them.`,
    );
  }
  return frameRuns(index, frame);
}

/** Frames whose representation has been settled. */
interface ChosenFrames {
  readonly record: InstanceRecord;
  readonly frames: readonly number[];
  /** Where each of them lies. */
  readonly runs: readonly (readonly ByteRun[])[];
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
  const row = await services.archive.catalog.instance(partition, uids, indexProperties);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  const { record } = row;
  const index = await services.archive.instanceIndex(partition, row);
  const runs = frames.map((frame) => runsOf(index.frames, frame));
  const from = storedSyntax(record);
  const choice = chooseFor(context, from, conceivableTargets(from), frames);
  const to = chosenSyntax(choice, from);
  if (haveSameFrames(from, to)) return { record, frames, runs, choice, to };

  const image = await loadImage(context, record, index);
  const targets = frameTargets(image, services.limits.pixels);
  const settled = chooseFor(context, image.syntax, targets, frames);
  const syntax = chosenSyntax(settled, image.syntax);
  return {
    record: image.record,
    frames,
    runs: frames.map((frame) => runsOf(image.index.frames, frame)),
    choice: settled,
    to: syntax,
    ...(!haveSameFrames(image.syntax, syntax) && { image }),
  };
}

/** `GET …/instances/{instance}/frames/{frames}`: the frames in the order of the list. */
export async function retrieveFrames(context: RequestContext): Promise<Response> {
  const chosen = await chooseFrames(context);
  const { offer } = chosen.choice;
  const contentType = formatMediaType(offer.mediaType, { 'transfer-syntax': chosen.to.uid });
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
  return new Response(streamBody(writeMultipart(all, boundary)), {
    headers: {
      ...caching,
      'Content-Type': formatMediaType('multipart/related', { type: offer.mediaType, boundary }),
    },
  });
}

/** One frame by itself, or a range of its bytes. */
async function singleFrame(
  context: RequestContext,
  { record, runs: [runs = []], image, to }: ChosenFrames,
  headers: Readonly<Record<string, string>> & { readonly ETag: string },
): Promise<Response> {
  const asked = context.request.headers;
  if (image !== undefined) {
    const { bytes } = await transcodeStoredFrame(context, image, to, runs);
    const range = answerRange(asked, bytes.length, headers.ETag);
    const part = bytes.subarray(range.offset, range.offset + range.length);
    return new Response(streamBody(listed(part)), {
      status: range.status,
      headers: { ...headers, ...range.headers },
    });
  }
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  const range = answerRange(asked, length, headers.ETag);
  const body = await openRuns(context, record, sliceRuns(runs, range.offset, range.length));
  return new Response(streamBody(body.chunks()), {
    status: range.status,
    headers: { ...headers, ...range.headers },
  });
}

async function* partsOf(
  context: RequestContext,
  { record, frames, runs, image, to }: ChosenFrames,
  contentType: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const opened = readAhead(
    listed(...runs),
    image === undefined ? framesAhead : framesAheadOf(image),
    async (some): Promise<Pick<OutgoingPart, 'body'> & { length: number; cancel?: () => void }> => {
      if (image !== undefined) {
        const { bytes } = await transcodeStoredFrame(context, image, to, some);
        return { body: bytes, length: bytes.length };
      }
      const body = await openRuns(context, record, some);
      return { body: body.chunks(), length: body.length, cancel: () => body.cancel() };
    },
    ({ cancel }) => cancel?.(),
  );
  let position = 0;
  for await (const { body, length } of opened) {
    const frame = frames[position++] ?? 0;
    yield {
      headers: [
        ['Content-Type', contentType],
        ['Content-Location', `${context.baseUrl}${resourcePath(record)}/frames/${frame}`],
      ],
      body,
      length,
    };
  }
}
