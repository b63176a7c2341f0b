/** Retrieve of all bulk values, or of all pixel data, of a study, series or instance (CP-2040). */
import { ServiceError, type ErrorCode } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import { writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import {
  indexProperties,
  type InstanceIndex,
  type InstanceRecord,
} from '../../../storage/archive/records.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import type { Ulid } from '../../../storage/archive/ulid.js';
import { chooseRepresentation } from '../../negotiation.js';
import { instanceOf, seriesOf, studyOf } from '../../path-uids.js';
import { flatten, listed, readAhead, resumed } from '../../read-ahead.js';
import type { RequestContext } from '../../route.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import { storedSyntax } from '../stored-syntax.js';
import { bulkResource, pixelDataResource, type BulkResource } from './bulk-resource.js';
import { octetStream, openResource, partsOf, type OpenedResource } from './open-bulk.js';
import { reply, type Reply } from '../../../http/reply.js';

/** Values that are opened before their turn, so that one round trip hides behind another. */
const valuesAhead = 8;

/** What of an instance is retrieved. */
interface Selection {
  readonly name: 'bulkdata' | 'pixeldata';
  readonly of: (index: InstanceIndex, record: InstanceRecord) => readonly BulkResource[];
}

const everyValue: Selection = {
  name: 'bulkdata',
  of: (index, record) =>
    index.bulk.map((value) => bulkResource(value, index, storedSyntax(record))),
};

const pixelData: Selection = {
  name: 'pixeldata',
  of: (index, record) => {
    const resource = pixelDataResource(index, storedSyntax(record));
    return resource === undefined ? [] : [resource];
  },
};

/** The instances of an answer. */
interface Instances {
  readonly rows: AsyncIterable<InstanceRow>;
  /** Changes with every one of them. */
  readonly version: string;
  /** The write that changed them last, where that is known. */
  readonly write?: Ulid;
}

/** Values and frames as they are stored, since several instances may be in several syntaxes. */
const bytesInParts: readonly Offer[] = [
  { mediaType: octetStream, form: 'multipart', transferSyntaxes: ['*'] },
];

interface Found {
  readonly record: InstanceRecord;
  readonly resource: BulkResource;
}

async function* select(
  { services, partition }: RequestContext,
  rows: AsyncIterable<InstanceRow>,
  selection: Selection,
): AsyncGenerator<Found, void, undefined> {
  for await (const row of rows) {
    const index = await services.archive.instanceIndex(partition, row);
    for (const resource of selection.of(index, row.record)) yield { record: row.record, resource };
  }
}

/** Opens values ahead of their turn; those of instances deleted in the meantime are passed over. */
async function* allParts(
  context: RequestContext,
  found: AsyncIterable<Found>,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const opened = readAhead(
    found,
    valuesAhead,
    async ({ record, resource }): Promise<OpenedResource | undefined> => {
      try {
        return await openResource(context, record, resource);
      } catch (error) {
        if (error instanceof ServiceError && error.code === 'instance-not-found') return undefined;
        throw error;
      }
    },
    (resource) => resource?.opened.cancel(),
  );
  for await (const resource of opened) {
    if (resource !== undefined) yield* partsOf(context.baseUrl, resource, octetStream);
  }
}

async function respond(
  context: RequestContext,
  { rows, version, write }: Instances,
  selection: Selection,
): Promise<Reply> {
  const { request, baseUrl } = context;
  const { offer } = chooseRepresentation(request, bytesInParts);
  const found = select(context, rows, selection);
  const first = await found.next();
  if (first.done === true) {
    throw new ServiceError('bulk-data-not-found', 'Nothing under these UIDs has such values.');
  }
  const tag = entityTag(version, selection.name, offer.mediaType, baseUrl);
  const headers = cacheHeaders(tag, write);
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) {
    await found.return();
    return unchanged;
  }
  const boundary = boundaryOf(tag);
  const parts = allParts(context, resumed(first.value, found));
  return reply(writeMultipart(parts, boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: offer.mediaType, boundary }),
    },
  });
}

function notFound(code: ErrorCode): ServiceError {
  return new ServiceError(code, 'Nothing is stored under these UIDs.');
}

async function ofStudy(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const { study } = studyOf(context.params);
  const record = await catalog.study(context.partition, study);
  if (record === undefined) throw notFound('study-not-found');
  const { created, revision, write } = record;
  const rows = flatten(catalog.instances(context.partition, study, undefined, indexProperties));
  return await respond(context, { rows, version: `${created}-${revision}`, write }, selection);
}

async function ofSeries(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const { study, series } = seriesOf(context.params);
  const record = await catalog.series(context.partition, study, series);
  if (record === undefined) throw notFound('series-not-found');
  const rows = flatten(catalog.instances(context.partition, study, series, indexProperties));
  return await respond(
    context,
    { rows, version: `${record.created}-${record.revision}` },
    selection,
  );
}

async function ofInstance(context: RequestContext, selection: Selection): Promise<Reply> {
  const { catalog } = context.services.archive;
  const uids = instanceOf(context.params);
  const row = await catalog.instance(context.partition, uids, indexProperties);
  if (row === undefined) throw notFound('instance-not-found');
  const { version } = row.record;
  return await respond(context, { rows: listed(row), version, write: version }, selection);
}

/** `GET studies/{study}/bulkdata`. */
export async function retrieveStudyBulkData(context: RequestContext): Promise<Reply> {
  return await ofStudy(context, everyValue);
}

/** `GET studies/{study}/series/{series}/bulkdata`. */
export async function retrieveSeriesBulkData(context: RequestContext): Promise<Reply> {
  return await ofSeries(context, everyValue);
}

/** `GET studies/{study}/series/{series}/instances/{instance}/bulkdata`. */
export async function retrieveInstanceBulkData(context: RequestContext): Promise<Reply> {
  return await ofInstance(context, everyValue);
}

/** `GET studies/{study}/pixeldata`: every frame of the study, as stored. */
export async function retrieveStudyPixelData(context: RequestContext): Promise<Reply> {
  return await ofStudy(context, pixelData);
}

/** `GET studies/{study}/series/{series}/pixeldata`. */
export async function retrieveSeriesPixelData(context: RequestContext): Promise<Reply> {
  return await ofSeries(context, pixelData);
}

/** `GET studies/{study}/series/{series}/instances/{instance}/pixeldata`. */
export async function retrieveInstancePixelData(context: RequestContext): Promise<Reply> {
  return await ofInstance(context, pixelData);
}
