/** Retrieve of one bulk value by the path of its attribute (PS3.18 §10.4.1.1.5). */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import { stringOf } from '../../../dicom/value.js';
import { ServiceError } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType, parseMediaType } from '../../../http/media-type.js';
import { answerRange } from '../../../http/range.js';
import { writeMultipart } from '../../../multipart/writer.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import { indexProperties, type InstanceRecord } from '../../../storage/archive/records.js';
import { chooseRepresentation } from '../../negotiation.js';
import { instanceOf } from '../../path-uids.js';
import type { RequestContext } from '../../route.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import { storedSyntax } from '../stored-syntax.js';
import { parseBulkPath } from './bulk-path.js';
import { bulkResource, type BulkBytes, type BulkResource } from './bulk-resource.js';
import { octetStream, openBytes, openResource, partsOf, partType } from './open-bulk.js';
import { reply, type Reply } from '../../../http/reply.js';

const encapsulatedDocument = attribute('EncapsulatedDocument');
const documentType = attribute('MIMETypeOfEncapsulatedDocument');
const pdf = 'application/pdf';

/** The media type that the instance says its document has. */
async function typeOfDocument(
  { services, partition }: RequestContext,
  row: InstanceRow,
): Promise<string | undefined> {
  const text = await services.archive.metadataText(partition, row);
  const type = stringOf(JSON.parse(text) as DataSet, documentType);
  return type === undefined ? undefined : parseMediaType(type.trim())?.essence;
}

/** In what a value can be had: its own type before plain bytes, alone before in parts. */
function offersOf(
  record: InstanceRecord,
  resource: BulkResource,
  ownType: string | undefined,
): readonly Offer[] {
  const mediaTypes = new Set([...(ownType === undefined ? [] : [ownType]), octetStream]);
  const isFrames = resource.kind === 'frames';
  const forms = isFrames ? (['multipart'] as const) : (['single', 'multipart'] as const);
  const isCompressed = isFrames || (resource.kind === 'bytes' && resource.compressed);
  return [...mediaTypes].flatMap((mediaType) =>
    forms.map((form) => ({
      mediaType,
      form,
      ...(isCompressed && { transferSyntaxes: [record.transferSyntax] }),
    })),
  );
}

/** Scripts in what somebody stored must not run as if they came from this service; PDF readers stay. */
function safetyHeaders(mediaType: string): Readonly<Record<string, string>> {
  return mediaType === pdf ? {} : { 'Content-Security-Policy': 'sandbox' };
}

async function sendAlone(
  context: RequestContext,
  record: InstanceRecord,
  resource: Exclude<BulkResource, { kind: 'frames' }>,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  if (resource.kind === 'bytes') return await sendRange(context, record, resource, headers);
  const { opened } = await openResource(context, record, resource);
  return reply(opened.chunks(), { headers });
}

async function sendRange(
  context: RequestContext,
  record: InstanceRecord,
  resource: BulkBytes,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const { request } = context;
  const range = answerRange(request.headers, resource.length, headers['ETag']);
  const opened = await openBytes(context, record, resource, range.offset, range.length);
  return reply(opened.chunks(), {
    status: range.status,
    headers: { ...headers, ...range.headers },
  });
}

/** `GET …/instances/{instance}/bulkdata/{path}`: one value, or a range of its bytes. */
export async function retrieveBulkData(context: RequestContext): Promise<Reply> {
  const { services, partition, params, request, baseUrl } = context;
  const path = parseBulkPath(params['path'] ?? '');
  const isDocument = path === encapsulatedDocument;
  const select = isDocument ? undefined : indexProperties;
  const row = await services.archive.catalog.instance(partition, instanceOf(params), select);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  const { record } = row;
  const index = await services.archive.instanceIndex(partition, row);
  const value = index.bulk.find((one) => one.path === path);
  if (value === undefined) {
    throw new ServiceError(
      'bulk-data-not-found',
      'The instance has no bulk value at this path; short values are in its metadata.',
      { tag: path.slice(-8) },
    );
  }
  const syntax = storedSyntax(record);
  const resource = bulkResource(value, index, syntax);
  const isCompressed =
    resource.kind === 'frames' || (resource.kind === 'bytes' && resource.compressed);
  const ownType = isDocument
    ? await typeOfDocument(context, row)
    : isCompressed
      ? syntax.frameMediaType
      : undefined;
  const { offer } = chooseRepresentation(request, offersOf(record, resource, ownType));
  const { mediaType, form } = offer;
  const place = form === 'multipart' ? baseUrl : '';
  const tag = entityTag(record.version, path, mediaType, form, place);
  const headers = {
    ...cacheHeaders(tag, record.version),
    ...safetyHeaders(mediaType),
  };
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) return unchanged;
  if (form === 'single' && resource.kind !== 'frames') {
    const contentType = partType(mediaType, record, resource);
    return await sendAlone(context, record, resource, { ...headers, 'Content-Type': contentType });
  }
  const boundary = boundaryOf(tag);
  const parts = partsOf(baseUrl, await openResource(context, record, resource), mediaType);
  return reply(writeMultipart(parts, boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: mediaType, boundary }),
    },
  });
}
