/** Retrieve of frames (PS3.18 §10.4.1.1.6): ranged reads of the stored file, as stored. */
import { frameRuns, type ByteRun, type FrameIndex } from '../../dicom/frames.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import { streamBody } from '../../http/body.js';
import type { Choice, Offer } from '../../http/accept.js';
import { formatMediaType } from '../../http/media-type.js';
import { newBoundary, writeMultipart, type OutgoingPart } from '../../multipart/writer.js';
import { indexProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { acceptedOf, chooseRepresentation } from '../negotiation.js';
import { instanceOf, resourcePath } from '../path-uids.js';
import { listed, readAhead } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { parseFrameList } from './frame-list.js';
import { openRuns } from './open-runs.js';
import { storedSyntax } from './stored-syntax.js';

const octetStream = 'application/octet-stream';
const framesAhead = 8;

/** Uncompressed little-endian frames are the same bytes in each of these. */
const littleEndianSyntaxes = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2', '1.2.840.10008.1.2.1.99'];

/** What stored frames can be had as without decoding them. */
function offersOf(syntax: TransferSyntax, forms: readonly Offer['form'][]): readonly Offer[] {
  const transferSyntaxes = littleEndianSyntaxes.includes(syntax.uid)
    ? [syntax.uid, ...littleEndianSyntaxes.filter((uid) => uid !== syntax.uid)]
    : [syntax.uid];
  const mediaTypes = syntax.encapsulated ? [octetStream, syntax.frameMediaType] : [octetStream];
  return forms.flatMap((form) =>
    [...new Set(mediaTypes)].map((mediaType) => ({ mediaType, form, transferSyntaxes })),
  );
}

/**
 * Several frames come in parts only.
 *
 * @throws ServiceError `not-acceptable`, or what the profile says to several frames in one part.
 */
function chooseFor(
  { request, profile }: RequestContext,
  syntax: TransferSyntax,
  frames: readonly number[],
): Choice {
  if (frames.length === 1) {
    return chooseRepresentation(request, offersOf(syntax, ['multipart', 'single']));
  }
  const inParts = offersOf(syntax, ['multipart']);
  if (
    profile.retrieve.severalFramesAlone === 'invalid-frame-list' &&
    acceptedOf(request, inParts) === undefined &&
    acceptedOf(request, offersOf(syntax, ['single'])) !== undefined
  ) {
    throw new ServiceError(
      'invalid-frame-list',
      'Several frames cannot be sent as a single part: ask for one frame, or for multipart/related.',
      { parameter: 'frames' },
    );
  }
  return chooseRepresentation(request, inParts);
}

function runsOf(index: FrameIndex, frame: number): readonly ByteRun[] {
  if (frame > index.frames) {
    throw new ServiceError(
      'frame-not-found',
      `The instance has ${index.frames} frames; frame ${frame} is not among them.`,
    );
  }
  return frameRuns(index, frame);
}

/** `GET …/instances/{instance}/frames/{frames}`: the frames in the order of the list. */
export async function retrieveFrames(context: RequestContext): Promise<Response> {
  const { services, partition, params } = context;
  const frames = parseFrameList(params['frames'] ?? '');
  const uids = instanceOf(params);
  const row = await services.archive.catalog.instance(partition, uids, indexProperties);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  const { record } = row;
  const index = (await services.archive.instanceIndex(partition, row)).frames;
  if (index === undefined) {
    throw new ServiceError('frame-not-found', 'The instance has no pixel data, hence no frames.');
  }
  const runs = frames.map((frame) => runsOf(index, frame));
  const syntax = storedSyntax(record);
  const { offer, transferSyntax } = chooseFor(context, syntax, frames);
  const sent =
    transferSyntax === undefined || transferSyntax === '*' ? record.transferSyntax : transferSyntax;
  const contentType = formatMediaType(offer.mediaType, { 'transfer-syntax': sent });

  const [first] = runs;
  if (offer.form === 'single' && first !== undefined) {
    const body = await openRuns(context, record, first);
    return new Response(streamBody(body.chunks()), {
      headers: { 'Content-Type': contentType, 'Content-Length': String(body.length) },
    });
  }
  const boundary = newBoundary();
  const parts = partsOf(context, record, frames, runs, contentType);
  return new Response(streamBody(writeMultipart(parts, boundary)), {
    headers: {
      'Content-Type': formatMediaType('multipart/related', { type: offer.mediaType, boundary }),
    },
  });
}

async function* partsOf(
  context: RequestContext,
  record: InstanceRecord,
  frames: readonly number[],
  runs: readonly (readonly ByteRun[])[],
  contentType: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const opened = readAhead(
    listed(...runs),
    framesAhead,
    async (some) => await openRuns(context, record, some),
    (body) => body.cancel(),
  );
  let position = 0;
  for await (const body of opened) {
    const frame = frames[position++] ?? 0;
    yield {
      headers: [
        ['Content-Type', contentType],
        ['Content-Location', `${context.baseUrl}${resourcePath(record)}/frames/${frame}`],
      ],
      body: body.chunks(),
      length: body.length,
    };
  }
}
