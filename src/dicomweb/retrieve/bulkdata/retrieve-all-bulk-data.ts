/** Retrieve of all bulk values, or of all pixel data, of a study, series or instance (CP-2040). */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import { reply, type Reply } from '../../../http/reply.js';
import { writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import {
  indexProperties,
  type InstanceIndex,
  type InstanceRecord,
} from '../../../storage/archive/records.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import type { Ulid } from '../../../storage/archive/ulid.js';
import { acceptedOf, acceptKey, chooseRepresentation } from '../../negotiation.js';
import { instanceOf, seriesOf, studyOf } from '../../path-uids.js';
import { flatten, listed, readAhead, resumed } from '../../read-ahead.js';
import { answering, type RequestContext } from '../../route.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import { anyFrameOffers } from '../frame-offers.js';
import { storedImage } from '../stored-image.js';
import { storedSyntax } from '../stored-syntax.js';
import { encodingEdition } from '../transcode-frames.js';
import { bulkResource, pixelDataResource, type BulkResource } from './bulk-resource.js';
import {
  chooseBulk,
  dependsOnPixels,
  type FoundBulk,
  octetStream,
  valuesOffers,
} from './choose-bulk.js';
import { openBulk, partsOf, type OpenedBulk } from './open-bulk.js';

/** Values that are opened before their turn, so that one round trip hides behind another. */
const valuesAhead = 8;

/** What of an instance is retrieved. */
interface Selection {
  readonly name: 'bulkdata' | 'pixeldata';
  /** What it can be had in as far as nothing is known of the instances. */
  readonly offers: readonly Offer[];
  readonly frameByFrame: boolean;
  readonly of: (index: InstanceIndex, record: InstanceRecord) => readonly BulkResource[];
}

const everyValue: Selection = {
  name: 'bulkdata',
  offers: [{ mediaType: octetStream, form: 'multipart' }],
  frameByFrame: false,
  of: (index, record) =>
    index.bulk.map((value) => bulkResource(value, index, storedSyntax(record))),
};

const pixelData: Selection = {
  name: 'pixeldata',
  offers: anyFrameOffers.filter((offer) => offer.form === 'multipart'),
  frameByFrame: true,
  of: (index, record) => {
    const resource = pixelDataResource(index, storedSyntax(record));
    return resource === undefined ? [] : [resource];
  },
};

/** The instances of an answer. */
interface Instances {
  /** Reads them, their metadata too when that is asked for. */
  readonly rows: (withMetadata: boolean) => AsyncIterable<InstanceRow>;
  /** Changes with every one of them. */
  readonly version: string;
  /** The write that changed them last, where that is known. */
  readonly write?: Ulid;
}

const forms = ['multipart'] as const;

async function* select(
  { services, partition }: RequestContext,
  rows: AsyncIterable<InstanceRow>,
  { of, frameByFrame }: Selection,
): AsyncGenerator<FoundBulk & { readonly row: InstanceRow }, void, undefined> {
  for await (const row of rows) {
    const { record } = row;
    const index = await services.archive.files.index(partition, row);
    for (const resource of of(index, record)) yield { row, record, index, resource, frameByFrame };
  }
}

/**
 * Refuses, before the first byte, what cannot be had of one of the instances in any syntax that the request
 * names. Whoever takes plain bytes in any syntax gets all.
 *
 * @throws ServiceError `not-acceptable`
 */
async function checkAll(
  context: RequestContext,
  { rows }: Instances,
  selection: Selection,
): Promise<void> {
  const inAnySyntax = {
    mediaType: octetStream,
    form: 'multipart',
    transferSyntaxes: [''],
  } as const;
  if (acceptedOf(context.request, [inAnySyntax]) !== undefined) return;
  let open = false;
  for await (const found of select(context, rows(false), selection)) {
    open = dependsOnPixels(context, found) || open;
  }
  if (!open) return;
  for await (const found of select(context, rows(true), selection)) {
    if (!dependsOnPixels(context, found)) continue;
    await chooseBulk(context, found, forms, { stored: await storedImage(context, found.row) });
  }
}

/** Opens values ahead of their turn; those of instances deleted in the meantime are passed over. */
async function* openAll(
  context: RequestContext,
  found: AsyncIterable<FoundBulk>,
): AsyncGenerator<OpenedBulk, void, undefined> {
  const opened = readAhead(
    found,
    valuesAhead,
    async (one): Promise<OpenedBulk | undefined> => {
      try {
        return await openBulk(context, await chooseBulk(context, one, forms));
      } catch (error) {
        if (error instanceof ServiceError && error.code === 'instance-not-found') return undefined;
        throw error;
      }
    },
    (bulk) => bulk?.opened.cancel(),
  );
  for await (const bulk of opened) if (bulk !== undefined) yield bulk;
}

async function* partsOfAll(
  context: RequestContext,
  opened: AsyncIterable<OpenedBulk>,
): AsyncGenerator<OutgoingPart, void, undefined> {
  for await (const bulk of opened) yield* partsOf(context, bulk);
}

async function respond(
  context: RequestContext,
  instances: Instances,
  selection: Selection,
): Promise<Reply> {
  const { request, baseUrl } = context;
  const { rows, version, write } = instances;
  await checkAll(context, instances, selection);
  const tag = entityTag(version, selection.name, acceptKey(request), baseUrl, encodingEdition);
  const headers = cacheHeaders(tag, write);
  const found = select(context, rows(false), selection);
  const first = await found.next();
  if (first.done === true) throw nothingFound();
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) {
    await found.return();
    return unchanged;
  }
  const boundary = boundaryOf(tag);
  const opened = openAll(context, resumed(first.value, found));
  const firstOpened = await opened.next();
  if (firstOpened.done === true) throw nothingFound();
  const parts = partsOfAll(context, resumed(firstOpened.value, opened));
  // What cannot be had shows with the first part, while there is still a status to say so.
  const firstPart = await parts.next();
  const all = firstPart.done === true ? listed<OutgoingPart>() : resumed(firstPart.value, parts);
  const { mediaType } = firstOpened.value.chosen;
  return reply(writeMultipart(all, boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: mediaType, boundary }),
    },
  });
}

function nothingFound(): ServiceError {
  return new ServiceError('bulk-data-not-found', 'Nothing under these UIDs has such values.');
}

function notFound(code: ErrorCode): ServiceError {
  return new ServiceError(code, 'Nothing is stored under these UIDs.');
}

/** The instances of a study or series, with or without their metadata. */
function rowsOf(
  { services, partition }: RequestContext,
  study: StudyInstanceUID,
  series?: SeriesInstanceUID,
): Instances['rows'] {
  const { archive } = services;
  return (withMetadata) =>
    flatten(
      withMetadata
        ? archive.instancesWithMetadata(partition, study, series)
        : archive.catalog.instances(partition, study, series, indexProperties),
    );
}

async function ofStudy(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const { study } = studyOf(context.params);
  // What no instance can be had in is told before one is looked for.
  chooseRepresentation(context.request, selection.offers);
  const stored = await catalog.studyVersion(context.partition, study);
  if (stored === undefined) throw notFound('study-not-found');
  const { created, revision, write } = stored;
  const rows = rowsOf(context, study);
  return await respond(context, { rows, version: `${created}-${revision}`, write }, selection);
}

async function ofSeries(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const { study, series } = seriesOf(context.params);
  chooseRepresentation(context.request, selection.offers);
  const record = await catalog.series(context.partition, study, series);
  if (record === undefined) throw notFound('series-not-found');
  const rows = rowsOf(context, study, series);
  const version = `${record.created}-${record.revision}`;
  return await respond(context, { rows, version }, selection);
}

async function ofInstance(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const uids = instanceOf(context.params);
  chooseRepresentation(context.request, selection.offers);
  const row = await catalog.instance(context.partition, uids, indexProperties);
  if (row === undefined) throw notFound('instance-not-found');
  const { version } = row.record;
  const rows = async function* (withMetadata: boolean) {
    const read = withMetadata ? await catalog.instance(context.partition, uids) : row;
    if (read !== undefined) yield read;
  };
  return await respond(context, { rows, version, write: version }, selection);
}

/** `GET studies/{study}/bulkdata`. */
export const retrieveStudyBulkData = answering({ answers: valuesOffers }, async (context) => {
  return await ofStudy(context, everyValue);
});

/** `GET studies/{study}/series/{series}/bulkdata`. */
export const retrieveSeriesBulkData = answering({ answers: valuesOffers }, async (context) => {
  return await ofSeries(context, everyValue);
});

/** `GET studies/{study}/series/{series}/instances/{instance}/bulkdata`. */
export const retrieveInstanceBulkData = answering({ answers: valuesOffers }, async (context) => {
  return await ofInstance(context, everyValue);
});

/** `GET studies/{study}/pixeldata`: every frame of the study. */
export const retrieveStudyPixelData = answering({ answers: valuesOffers }, async (context) => {
  return await ofStudy(context, pixelData);
});

/** `GET studies/{study}/series/{series}/pixeldata`. */
export const retrieveSeriesPixelData = answering({ answers: valuesOffers }, async (context) => {
  return await ofSeries(context, pixelData);
});

/** `GET studies/{study}/series/{series}/instances/{instance}/pixeldata`. */
export const retrieveInstancePixelData = answering({ answers: valuesOffers }, async (context) => {
  return await ofInstance(context, pixelData);
});
