/**
 * Direct uploads: a file goes past the service into the container `import`, in blocks and with resume,
 * and is imported from there (docs/import.md). For files that are too large for a request.
 */
import { stringifyDataSet } from '../../dicom/json.js';
import {
  parseUid,
  type SeriesInstanceUID,
  type SOPClassUID,
  type SOPInstanceUID,
  type StudyInstanceUID,
} from '../../dicom/uid.js';
import type { Ulid } from '../../storage/archive/ulid.js';
import { ServiceError } from '../../errors.js';
import { importFile } from '../import/import-file.js';
import type { ImportReport } from '../import/import-report.js';
import { chooseRepresentation, jsonOffers } from '../negotiation.js';
import { answering, type RequestContext } from '../route.js';
import {
  storeResponse,
  storeResponseDataSet,
  storeResponseOffers,
  type StoreOutcome,
} from '../store/store-response.js';
import { newUploadId, parseUploadId, uploadBlobName } from './upload-name.js';
import {
  readUploadRecord,
  readUploadReport,
  readUploadState,
  writeUploadRecord,
  type UploadRecord,
} from './upload-record.js';
import { jsonReply } from '../../http/reply.js';

const noStore = { 'Cache-Control': 'no-store' };

async function refuseBody({ body }: RequestContext): Promise<void> {
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    throw new ServiceError(
      'unsupported-media-type',
      'This request takes no body: the file goes to the URL in the answer.',
    );
  }
}

function urlOf({ baseUrl }: RequestContext, id: string): string {
  return `${baseUrl}/uploads/${id}`;
}

/**
 * `POST uploads`: grants the upload of one file. 201 with the URL that any blob client writes it to,
 * and that of the upload's state.
 *
 * @throws ServiceError `uploads-unavailable`, `storage-unavailable`, `unsupported-media-type`.
 */
export const createUpload = answering({ answers: jsonOffers }, async (context) => {
  await refuseBody(context);
  const { services, partition } = context;
  const { archive, uploads, limits } = services;
  if (uploads === undefined) {
    throw new ServiceError('uploads-unavailable', 'The storage of this service takes no uploads.');
  }
  const id = newUploadId();
  const name = uploadBlobName(partition, id);
  const { url, expires } = await uploads.grant(name, limits.uploadMinutes * 60_000);
  await writeUploadRecord(archive.blobs, partition, { id, expires: expires.toISOString() });
  const location = urlOf(context, id);
  const answer = {
    id,
    status: 'waiting',
    expires: expires.toISOString(),
    uploadUrl: url,
    // What a plain PUT of the whole file has to send; blob clients do so by themselves.
    uploadHeaders: { 'x-ms-blob-type': 'BlockBlob' },
    statusUrl: location,
    mostBytes: limits.instanceBytes,
  };
  return jsonReply(answer, { status: 201, headers: { ...noStore, Location: location } });
});

interface Known {
  readonly id: Ulid;
  readonly record: UploadRecord;
}

/** The upload that the path names. @throws ServiceError `upload-not-found`, also for other partitions. */
async function uploadOf({ params, services, partition }: RequestContext): Promise<Known> {
  const id = parseUploadId(params['upload'] ?? '');
  const record = id && (await readUploadRecord(services.archive.blobs, partition, id));
  if (id !== undefined && record !== undefined) return { id, record };
  throw new ServiceError('upload-not-found', 'There is no such upload, or it is long over.');
}

/** A report in the words of a store. */
function outcomeOf(report: ImportReport): StoreOutcome {
  const { outcome, warning, messages: comments } = report;
  if (outcome !== 'refused') {
    const study = parseUid<StudyInstanceUID>(report.study ?? '');
    const series = parseUid<SeriesInstanceUID>(report.series ?? '');
    const instance = parseUid<SOPInstanceUID>(report.instance ?? '');
    const sopClass = parseUid<SOPClassUID>(report.sopClass ?? '');
    if (study && series && instance && sopClass) {
      return { kind: 'stored', uids: { study, series, instance }, sopClass, warning, comments };
    }
    throw new ServiceError('storage-corrupt', 'The report of the import lacks its UIDs.');
  }
  const { sopClass, instance } = report;
  const claimed = {
    ...(sopClass !== undefined && { sopClass }),
    ...(instance !== undefined && { instance }),
  };
  return { kind: 'refused', reason: reasonOf(report), claimed, comments };
}

function reasonOf({ reason }: ImportReport) {
  switch (reason) {
    case undefined:
    case 'invalid-partition':
      return 'processing-failure';
    case 'payload-too-large':
      return 'out-of-resources';
    default:
      return reason;
  }
}

/**
 * `GET uploads/{upload}`: how far an upload is, and at its end the answer that a store would have had.
 *
 * @throws ServiceError `upload-not-found`.
 */
export const readUpload = answering({ answers: jsonOffers }, async (context) => {
  const { id, record } = await uploadOf(context);
  const { blobs } = context.services.archive;
  const state = await readUploadState(blobs, context.partition, id, record);
  const answer = { id, status: state.status, expires: record.expires };
  if (!('report' in state)) return jsonReply(answer, { headers: noStore });
  const { report } = state;
  const { dataSet } = storeResponseDataSet(context, [outcomeOf(report)], undefined);
  const result = JSON.parse(stringifyDataSet(dataSet)) as object;
  const { bytes, time } = report;
  return jsonReply({ ...answer, bytes, imported: time, result }, { headers: noStore });
});

/**
 * `POST uploads/{upload}`: says that the file is written and imports it now, for storage that announces
 * nothing by itself. Answers as a store does, again when it is asked again.
 *
 * @throws ServiceError `upload-not-found`, `upload-not-finished`, `storage-unavailable`.
 */
export const completeUpload = answering({ answers: storeResponseOffers }, async (context) => {
  const { offer } = chooseRepresentation(context.request, storeResponseOffers);
  await refuseBody(context);
  const { id } = await uploadOf(context);
  const { services, partition, noteStored } = context;
  const { archive, storeGate } = services;
  const name = uploadBlobName(partition, id);
  const imported = await storeGate.pass(async () => await importFile(services, name));
  const report = imported ?? (await readUploadReport(archive.blobs, partition, id));
  if (report === undefined) {
    throw new ServiceError(
      'upload-not-finished',
      'The file is not there yet: send its blocks and commit them, or put it whole.',
    );
  }
  const outcome = outcomeOf(report);
  if (report.outcome === 'stored' && outcome.kind === 'stored') noteStored(outcome.uids.study);
  return await storeResponse(context, [outcome], undefined, offer.mediaType);
});
