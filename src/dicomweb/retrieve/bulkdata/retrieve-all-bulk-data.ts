/** Retrieve of all bulk values, or of all pixel data, of a study, series or instance (CP-2040). */
import type { InstanceUids } from '../../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { streamBody } from '../../../http/body.js';
import { formatMediaType } from '../../../http/media-type.js';
import { newBoundary, writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import {
  indexProperties,
  type InstanceIndex,
  type InstanceRecord,
} from '../../../storage/archive/records.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import { chooseRepresentation } from '../../negotiation.js';
import { instanceOf, seriesOf, studyOf } from '../../path-uids.js';
import { flatten, listed, readAhead, resumed } from '../../read-ahead.js';
import type { RequestContext } from '../../route.js';
import { storedSyntax } from '../stored-syntax.js';
import { bulkResource, pixelDataResource, type BulkResource } from './bulk-resource.js';
import { octetStream, openResource, partsOf, type OpenedResource } from './open-bulk.js';

/** Values that are opened before their turn, so that one round trip hides behind another. */
const valuesAhead = 8;

/** What of an instance is retrieved. */
type Selection = (index: InstanceIndex, record: InstanceRecord) => readonly BulkResource[];

const everyValue: Selection = (index, record) =>
  index.bulk.map((value) => bulkResource(value, index, storedSyntax(record)));

const pixelData: Selection = (index, record) => {
  const resource = pixelDataResource(index, storedSyntax(record));
  return resource === undefined ? [] : [resource];
};

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
    for (const resource of selection(index, row.record)) yield { record: row.record, resource };
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
  rows: AsyncIterable<InstanceRow>,
  selection: Selection,
  absent: ErrorCode,
): Promise<Response> {
  const { offer } = chooseRepresentation(context.request, bytesInParts);
  const read = rows[Symbol.asyncIterator]();
  const firstRow = await read.next();
  if (firstRow.done === true) throw new ServiceError(absent, 'Nothing is stored under these UIDs.');
  const found = select(context, resumed(firstRow.value, read), selection);
  const first = await found.next();
  if (first.done === true) {
    throw new ServiceError('bulk-data-not-found', 'Nothing under these UIDs has such values.');
  }
  const boundary = newBoundary();
  const parts = allParts(context, resumed(first.value, found));
  return new Response(streamBody(writeMultipart(parts, boundary)), {
    headers: {
      'Content-Type': formatMediaType('multipart/related', { type: offer.mediaType, boundary }),
      'Cache-Control': 'private, no-cache',
    },
  });
}

async function ofMany(
  context: RequestContext,
  { study, series }: Pick<InstanceUids, 'study'> & Partial<InstanceUids>,
  selection: Selection,
  absent: ErrorCode,
): Promise<Response> {
  const { catalog } = context.services.archive;
  const rows = flatten(catalog.instances(context.partition, study, series, indexProperties));
  return await respond(context, rows, selection, absent);
}

async function ofOne(context: RequestContext, selection: Selection): Promise<Response> {
  const { catalog } = context.services.archive;
  const uids = instanceOf(context.params);
  const row = await catalog.instance(context.partition, uids, indexProperties);
  const rows = row === undefined ? listed<InstanceRow>() : listed(row);
  return await respond(context, rows, selection, 'instance-not-found');
}

/** `GET studies/{study}/bulkdata`. */
export async function retrieveStudyBulkData(context: RequestContext): Promise<Response> {
  return await ofMany(context, studyOf(context.params), everyValue, 'study-not-found');
}

/** `GET studies/{study}/series/{series}/bulkdata`. */
export async function retrieveSeriesBulkData(context: RequestContext): Promise<Response> {
  return await ofMany(context, seriesOf(context.params), everyValue, 'series-not-found');
}

/** `GET studies/{study}/series/{series}/instances/{instance}/bulkdata`. */
export async function retrieveInstanceBulkData(context: RequestContext): Promise<Response> {
  return await ofOne(context, everyValue);
}

/** `GET studies/{study}/pixeldata`: every frame of the study, as stored. */
export async function retrieveStudyPixelData(context: RequestContext): Promise<Response> {
  return await ofMany(context, studyOf(context.params), pixelData, 'study-not-found');
}

/** `GET studies/{study}/series/{series}/pixeldata`. */
export async function retrieveSeriesPixelData(context: RequestContext): Promise<Response> {
  return await ofMany(context, seriesOf(context.params), pixelData, 'series-not-found');
}

/** `GET studies/{study}/series/{series}/instances/{instance}/pixeldata`. */
export async function retrieveInstancePixelData(context: RequestContext): Promise<Response> {
  return await ofOne(context, pixelData);
}
