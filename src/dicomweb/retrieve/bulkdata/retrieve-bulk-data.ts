/** Retrieve of one bulk value by the path of its attribute (PS3.18 §10.4.1.1.5). */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import { stringOf } from '../../../dicom/value.js';
import { ServiceError } from '../../../errors.js';
import { formatMediaType, parseMediaType } from '../../../http/media-type.js';
import { answerRange } from '../../../http/range.js';
import { reply, type Reply } from '../../../http/reply.js';
import { writeMultipart, type OutgoingPart } from '../../../multipart/writer.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import { indexProperties, type InstanceRecord } from '../../../storage/archive/records.js';
import { chooseRepresentation } from '../../negotiation.js';
import { instanceOf } from '../../path-uids.js';
import { listed, resumed } from '../../read-ahead.js';
import { answering, type RequestContext } from '../../route.js';
import { boundaryOf, cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import { anyFrameOffers } from '../frame-offers.js';
import { storedSyntax } from '../stored-syntax.js';
import { parseBulkPath } from './bulk-path.js';
import { encodingEdition } from '../transcode-frames.js';
import { bulkResource, type BulkBytes } from './bulk-resource.js';
import { anyValueOffers, chooseBulk } from './choose-bulk.js';
import { bodyOf, openBulk, openBytes, partsOf } from './open-bulk.js';

const encapsulatedDocument = attribute('EncapsulatedDocument');
const documentType = attribute('MIMETypeOfEncapsulatedDocument');
const pdf = 'application/pdf';
const forms = ['single', 'multipart'] as const;

/** The media type that the instance says its document has. */
async function typeOfDocument(
  { services, partition }: RequestContext,
  row: InstanceRow,
): Promise<string | undefined> {
  const text = await services.archive.files.metadataText(partition, row);
  const type = stringOf(JSON.parse(text) as DataSet, documentType);
  return type === undefined ? undefined : parseMediaType(type.trim())?.essence;
}

/** Scripts in what somebody stored must not run as if they came from this service; PDF readers stay. */
function safetyHeaders(mediaType: string): Readonly<Record<string, string>> {
  return mediaType === pdf ? {} : { 'Content-Security-Policy': 'sandbox' };
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
export const retrieveBulkData = answering({ answers: anyValueOffers }, async (context) => {
  const { services, partition, params, request, baseUrl } = context;
  const path = parseBulkPath(params['path'] ?? '');
  const uids = instanceOf(params);
  const isDocument = path === encapsulatedDocument;
  // What no value comes in is told before the instance is looked for; a document has a type of its own.
  if (!isDocument) chooseRepresentation(request, anyFrameOffers);
  const select = isDocument ? undefined : indexProperties;
  const row = await services.archive.catalog.instance(partition, uids, select);
  if (row === undefined) {
    throw new ServiceError('instance-not-found', 'No such instance is stored.');
  }
  const { record } = row;
  const index = await services.archive.files.index(partition, row);
  const value = index.bulk.find((one) => one.path === path);
  if (value === undefined) {
    throw new ServiceError(
      'bulk-data-not-found',
      'The instance has no bulk value at this path; short values are in its metadata.',
      { tag: path.slice(-8) },
    );
  }
  const resource = bulkResource(value, index, storedSyntax(record));
  const ownType = isDocument ? await typeOfDocument(context, row) : undefined;
  const found = { record, index, resource, frameByFrame: false };
  const chosen = await chooseBulk(context, found, forms, { ...(ownType && { ownType }) });
  const { contentType, mediaType, form } = chosen;
  const place = form === 'multipart' ? baseUrl : '';
  const edition = chosen.transcode === undefined ? 'stored' : encodingEdition;
  const tag = entityTag(record.version, path, contentType, form, place, edition);
  const headers = {
    ...cacheHeaders(tag, record.version),
    ...safetyHeaders(mediaType),
  };
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) return unchanged;
  if (form === 'single') {
    const typed = { ...headers, 'Content-Type': contentType };
    if (resource.kind === 'bytes' && chosen.transcode === undefined) {
      return await sendRange(context, record, resource, typed);
    }
    const body = await bodyOf(context, await openBulk(context, chosen));
    return reply(body, { headers: { ...typed, 'Accept-Ranges': 'none' } });
  }
  const boundary = boundaryOf(tag);
  const parts = partsOf(context, await openBulk(context, chosen));
  // What cannot be had shows with the first part, while there is still a status to say so.
  const first = await parts.next();
  const all = first.done === true ? listed<OutgoingPart>() : resumed(first.value, parts);
  return reply(writeMultipart(all, boundary), {
    headers: {
      ...headers,
      'Content-Type': formatMediaType('multipart/related', { type: mediaType, boundary }),
    },
  });
});
