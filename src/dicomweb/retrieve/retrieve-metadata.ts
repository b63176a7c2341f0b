/** Retrieve of metadata (PS3.18 §10.4.1.1.2): the data sets of a study, series or instance. */
import type { InstanceUids } from '../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import { streamBody } from '../../http/body.js';
import { formatETag, ifNoneMatch } from '../../http/etag.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import { jsonArray } from '../json-array.js';
import { chooseRepresentation, dicomJsonOffers } from '../negotiation.js';
import { instanceOf, seriesOf, studyOf } from '../path-uids.js';
import { flatten, listed, readAhead } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { presentMetadata } from './present-metadata.js';

/** Data sets that are uncompressed ahead of their turn. */
const dataSetsAhead = 4;

/** The data sets as a profile shows them, one at a time. */
function presented(
  { services, partition, baseUrl, profile }: RequestContext,
  rows: AsyncIterable<InstanceRow>,
): AsyncIterable<string> {
  return readAhead(
    rows,
    dataSetsAhead,
    async (row) => {
      const text = await services.archive.metadataText(partition, row);
      return presentMetadata(text, row.record, baseUrl, profile.retrieve);
    },
    () => undefined,
  );
}

interface Metadata {
  /** Changes with everything that the answer is made of. */
  readonly version: string;
  readonly rows: AsyncIterable<InstanceRow>;
}

/** Answers 304 when the client has this version already, else the data sets. */
function respond(context: RequestContext, { version, rows }: Metadata): Response {
  const { request, profile } = context;
  const { offer } = chooseRepresentation(request, dicomJsonOffers);
  const headers = {
    ETag: formatETag(version, { quoted: profile.retrieve.quotedETags }),
    'Cache-Control': 'private, no-cache',
  };
  if (ifNoneMatch(request.headers.get('if-none-match'), version)) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(streamBody(jsonArray(presented(context, rows))), {
    headers: { ...headers, 'Content-Type': offer.mediaType },
  });
}

function notFound(code: ErrorCode): ServiceError {
  return new ServiceError(code, 'Nothing is stored under these UIDs.');
}

function rowsOf(
  { services, partition }: RequestContext,
  { study, series }: Pick<InstanceUids, 'study'> & Partial<InstanceUids>,
): AsyncIterable<InstanceRow> {
  return flatten(services.archive.instancesWithMetadata(partition, study, series));
}

/** `GET studies/{study}/metadata`. */
export async function retrieveStudyMetadata(context: RequestContext): Promise<Response> {
  chooseRepresentation(context.request, dicomJsonOffers);
  const uids = studyOf(context.params);
  const { catalog } = context.services.archive;
  const record = await catalog.study(context.partition, uids.study);
  if (record === undefined) throw notFound('study-not-found');
  const version = `${record.created}-${record.revision}`;
  return respond(context, { version, rows: rowsOf(context, uids) });
}

/** `GET studies/{study}/series/{series}/metadata`. */
export async function retrieveSeriesMetadata(context: RequestContext): Promise<Response> {
  chooseRepresentation(context.request, dicomJsonOffers);
  const uids = seriesOf(context.params);
  const { catalog } = context.services.archive;
  const record = await catalog.series(context.partition, uids.study, uids.series);
  if (record === undefined) throw notFound('series-not-found');
  const version = `${record.created}-${record.revision}`;
  return respond(context, { version, rows: rowsOf(context, uids) });
}

/** `GET studies/{study}/series/{series}/instances/{instance}/metadata`: an array of one. */
export async function retrieveInstanceMetadata(context: RequestContext): Promise<Response> {
  chooseRepresentation(context.request, dicomJsonOffers);
  const uids = instanceOf(context.params);
  const row = await context.services.archive.catalog.instance(context.partition, uids);
  if (row === undefined) throw notFound('instance-not-found');
  return respond(context, { version: row.record.version, rows: listed(row) });
}
