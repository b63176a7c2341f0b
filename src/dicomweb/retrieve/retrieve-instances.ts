/** Retrieve of DICOM instances as files (PS3.18 §10.4.1.1): study, series, instance. */
import type { InstanceUids, StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import { formatMediaType } from '../../http/media-type.js';
import { answerRange } from '../../http/range.js';
import {
  multipartLength,
  newBoundary,
  writeMultipart,
  type OutgoingPart,
} from '../../multipart/writer.js';
import { instanceProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { chooseRepresentation } from '../negotiation.js';
import { instanceOf, resourcePath, seriesOf, studyOf } from '../path-uids.js';
import { flatten, listed, readAhead, resumed } from '../read-ahead.js';
import { answering, type RequestContext } from '../route.js';
import { octetStream } from './bulkdata/choose-bulk.js';
import {
  retrieveInstanceBulkData,
  retrieveSeriesBulkData,
  retrieveStudyBulkData,
} from './bulkdata/retrieve-all-bulk-data.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from './cache-headers.js';
import {
  checkInstances,
  chooseInstance,
  dicom,
  type ChosenInstance,
  type Packaging,
} from './instance-choice.js';
import { requestedInstance, requestedInstances } from './requested-version.js';
import { fileGone, rereading } from './reread.js';
import type { StoredImage } from './stored-image.js';
import { encodingEdition } from './transcode-frames.js';
import { transcodeInstance } from './transcode-instance.js';
import { isZip, zipOffer, zipResponse } from './zip/zip-instances.js';
import { reply, type Reply, type ReplyHeaders } from '../../http/reply.js';

const inParts: Packaging = { mediaType: dicom, form: 'multipart' };
const bulkInParts: Packaging = { mediaType: octetStream, form: 'multipart' };
const alone: Packaging = { mediaType: dicom, form: 'single' };
const { mediaType: zip, form } = zipOffer([]);
const archived: Packaging = { mediaType: zip, form };

/**
 * Files that are opened before their turn, so that one round trip hides behind another, and those
 * after that whose first frame is transcoded before their turn: eight in all.
 */
const filesAhead = 6;
const transcodedAhead = 2;

/** A file that is on its way. */
interface OpenedFile {
  readonly record: InstanceRecord;
  readonly contentType: string;
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes of the file, where known. */
  readonly length?: number;
  cancel(): void;
}

function instanceNotFound(): ServiceError {
  return new ServiceError('instance-not-found', 'No such instance is stored.');
}

function contentTypeOf({ to }: ChosenInstance): string {
  return formatMediaType(dicom, { 'transfer-syntax': to.uid });
}

/** @throws ServiceError `instance-not-found` when it was deleted meanwhile. */
async function openStored(
  { services, partition, signal }: RequestContext,
  chosen: ChosenInstance,
): Promise<OpenedFile> {
  const { record } = chosen;
  const file = await services.archive.files.open(partition, record, undefined, signal);
  if (file === undefined) throw fileGone();
  const { body, length } = file;
  const cancel = () => file.cancel();
  return { record, contentType: contentTypeOf(chosen), body, length, cancel };
}

/** @throws what `transcodeInstance` throws. */
async function openTranscoded(
  context: RequestContext,
  chosen: ChosenInstance,
  image: StoredImage,
): Promise<OpenedFile> {
  const file = await transcodeInstance(context, image, chosen.to);
  return {
    record: chosen.record,
    contentType: contentTypeOf(chosen),
    body: file.chunks(),
    cancel: () => undefined,
  };
}

/** What `work` resolves to; `undefined` when its instance was deleted meanwhile. */
async function unlessDeleted<Result>(work: Promise<Result>): Promise<Result | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'instance-not-found') return undefined;
    throw error;
  }
}

/** Opens an instance whose file has gone: it may have been replaced while others were read. */
async function again<Result>(
  { services, partition }: RequestContext,
  record: InstanceRecord,
  open: (record: InstanceRecord) => Promise<Result>,
): Promise<Result | undefined> {
  const row = await services.archive.catalog.instance(partition, record, instanceProperties);
  if (row === undefined || row.record.version === record.version) return undefined;
  return await open(row.record);
}

/**
 * Opens the files of instances ahead of their turn; those deleted in the meantime are passed over.
 * Frames take more memory than open files, so fewer instances are transcoded ahead than are opened.
 */
async function* openFiles(
  context: RequestContext,
  records: AsyncIterable<InstanceRecord>,
  packaging: Packaging,
): AsyncGenerator<OpenedFile, void, undefined> {
  const open = async (record: InstanceRecord) =>
    await unlessDeleted(
      chooseInstance(context, record, [packaging]).then(async (one) => ({
        one,
        file: one.image === undefined ? await openStored(context, one) : undefined,
      })),
    );
  const chosen = readAhead(
    records,
    filesAhead,
    async (record) => (await open(record)) ?? (await again(context, record, open)),
    (ready) => ready?.file?.cancel(),
  );
  const opened = readAhead(
    chosen,
    transcodedAhead,
    async (ready) => {
      if (ready?.one.image === undefined) return ready?.file;
      return await unlessDeleted(openTranscoded(context, ready.one, ready.one.image));
    },
    (file) => file?.cancel(),
  );
  for await (const file of opened) if (file !== undefined) yield file;
}

function partOf({ baseUrl }: RequestContext, file: OpenedFile): OutgoingPart {
  const { record, contentType, body, length } = file;
  return {
    headers: [
      ['Content-Type', contentType],
      ['Content-Location', baseUrl + resourcePath(record)],
    ],
    body,
    ...(length !== undefined && { length }),
  };
}

async function* partsOf(
  context: RequestContext,
  files: AsyncIterable<OpenedFile>,
): AsyncGenerator<OutgoingPart, void, undefined> {
  for await (const file of files) yield partOf(context, file);
}

/** The Content-Length of parts whose lengths are known. */
function lengthOf(parts: readonly OutgoingPart[], boundary: string): ReplyHeaders {
  const known = parts.flatMap(({ headers, length }) =>
    length === undefined ? [] : [{ headers, length }],
  );
  if (known.length < parts.length) return {};
  return { 'Content-Length': String(multipartLength(known, boundary)) };
}

function multipartResponse(
  parts: AsyncIterable<OutgoingPart>,
  boundary: string,
  headers: Readonly<Record<string, string>>,
): Reply {
  return reply(writeMultipart(parts, boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: dicom, boundary }),
    },
  });
}

async function retrieveAll(
  context: RequestContext,
  { study, series }: { readonly study: StudyInstanceUID } & Partial<InstanceUids>,
  absent: ErrorCode,
): Promise<Reply> {
  const { request, profile } = context;
  const bulk = profile.retrieve.bulkDataOfInstances ? [bulkInParts] : [];
  const { offer } = chooseRepresentation(request, [inParts, archived, ...bulk]);
  if (offer === bulkInParts) {
    return await (series === undefined ? retrieveStudyBulkData : retrieveSeriesBulkData)(context);
  }
  await checkInstances(context, study, series, offer);
  const records = async function* () {
    const rows = requestedInstances(context, study, series, instanceProperties);
    for await (const { record } of flatten(rows)) yield record;
  };
  const files = openFiles(context, records(), offer);
  // What cannot be had of the first instance shows while there is still a status to say so.
  const first = await files.next();
  if (first.done === true) throw new ServiceError(absent, 'Nothing is stored under these UIDs.');
  const all = resumed(first.value, files);
  if (isZip(offer)) return zipResponse(all, { study, ...(series && { series }) });
  const parts = partsOf(context, all);
  return multipartResponse(parts, newBoundary(), { 'Cache-Control': 'private, no-cache' });
}

/** However they are encoded. */
const filesOffers: readonly Packaging[] = [inParts, { mediaType: zip, form }];

/** `GET studies/{study}`: every instance of the study. */
export const retrieveStudy = answering({ answers: filesOffers }, async (context) => {
  return await retrieveAll(context, studyOf(context.params), 'study-not-found');
});

/** `GET studies/{study}/series/{series}`: every instance of the series. */
export const retrieveSeries = answering({ answers: filesOffers }, async (context) => {
  return await retrieveAll(context, seriesOf(context.params), 'series-not-found');
});

/** `GET studies/{study}/series/{series}/instances/{instance}`: one instance, in parts or alone. */
export const retrieveInstance = answering(
  { answers: [inParts, alone, { mediaType: zip, form }] },
  rereading(async (context) => {
    const { request, profile } = context;
    const uids = instanceOf(context.params);
    // What is not to be had of any instance is told before one is looked for.
    const bulk = profile.retrieve.bulkDataOfInstances ? [bulkInParts] : [];
    const asked = chooseRepresentation(request, [inParts, alone, archived, ...bulk]);
    if (asked.offer === bulkInParts) return await retrieveInstanceBulkData(context);
    const row = await requestedInstance(context, uids, instanceProperties);
    if (row === undefined) throw instanceNotFound();
    const chosen = await chooseInstance(context, row.record, [inParts, alone, archived]);
    const { offer } = chosen.choice;
    if (isZip(offer)) return zipResponse(openFiles(context, listed(row.record), archived), uids);
    const { version } = chosen.record;
    const contentType = contentTypeOf(chosen);
    const place = offer.form === 'multipart' ? context.baseUrl : '';
    const edition = chosen.image === undefined ? 'stored' : encodingEdition;
    const tag = entityTag(version, contentType, place, edition);
    const caching = cacheHeaders(tag, version);
    const unmodified = notModified(request, caching);
    if (unmodified !== undefined) return unmodified;

    if (offer.form === 'single' && chosen.image === undefined) {
      return await storedFile(context, chosen, { ...caching, 'Content-Type': contentType });
    }
    const { image } = chosen;
    const file =
      image === undefined
        ? await openStored(context, chosen)
        : await openTranscoded(context, chosen, image);
    if (offer.form === 'multipart') {
      const part = partOf(context, file);
      const boundary = boundaryOf(tag);
      return multipartResponse(listed(part), boundary, {
        ...caching,
        ...lengthOf([part], boundary),
      });
    }
    return reply(file.body, {
      headers: { ...caching, 'Accept-Ranges': 'none', 'Content-Type': contentType },
    });
  }),
);

/** One file as it is stored, or a range of its bytes. */
async function storedFile(
  { services, partition, signal, request }: RequestContext,
  { record }: ChosenInstance,
  headers: Readonly<Record<string, string>> & { readonly ETag: string },
): Promise<Reply> {
  const range = answerRange(request.headers, record.length, headers.ETag);
  const { offset, length } = range;
  const run = range.status === 206 ? { offset, length } : undefined;
  const file = await services.archive.files.open(partition, record, run, signal);
  if (file === undefined) throw fileGone();
  return reply(file.body, {
    status: range.status,
    headers: { ...headers, ...range.headers },
  });
}
