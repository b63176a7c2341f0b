/** Retrieve of DICOM instances as files (PS3.18 §10.4.1.1): study, series, instance. */
import { transferSyntaxes } from '../../dicom/transfer-syntax.js';
import type { InstanceUids, StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import { streamBody } from '../../http/body.js';
import type { Choice, Offer } from '../../http/accept.js';
import { formatMediaType } from '../../http/media-type.js';
import { newBoundary, writeMultipart, type OutgoingPart } from '../../multipart/writer.js';
import { instanceProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { chooseRepresentation } from '../negotiation.js';
import { instanceOf, resourcePath, seriesOf, studyOf } from '../path-uids.js';
import { flatten, listed, readAhead, resumed } from '../read-ahead.js';
import type { RequestContext } from '../route.js';

const dicom = 'application/dicom';
/** Files that are opened before their turn, so that one round trip hides behind another. */
const filesAhead = 8;

/** Of several instances each may be stored in any syntax; `checkSyntax` looks at each. */
const anySyntax = transferSyntaxes.map(({ uid }) => uid);

/** What a file can be had in: the syntax it is stored in. */
function offersOf(
  forms: readonly Offer['form'][],
  transferSyntaxes: readonly string[],
): readonly Offer[] {
  return forms.map((form) => ({ mediaType: dicom, form, transferSyntaxes }));
}

function contentType({ transferSyntax }: InstanceRecord): string {
  return formatMediaType(dicom, { 'transfer-syntax': transferSyntax });
}

/** Opens the files of instances ahead of their turn; those deleted in the meantime are passed over. */
async function* partsOf(
  { services, partition, baseUrl, signal }: RequestContext,
  records: AsyncIterable<InstanceRecord>,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const opened = readAhead(
    records,
    filesAhead,
    async (record) => ({
      record,
      file: await services.archive.openFile(partition, record, undefined, signal),
    }),
    ({ file }) => file?.body.destroy(),
  );
  for await (const { record, file } of opened) {
    if (file === undefined) continue;
    yield {
      headers: [
        ['Content-Type', contentType(record)],
        ['Content-Location', baseUrl + resourcePath(record)],
      ],
      body: file.body as AsyncIterable<Uint8Array>,
      length: file.length,
    };
  }
}

function multipartResponse(parts: AsyncIterable<OutgoingPart>): Response {
  const boundary = newBoundary();
  return new Response(streamBody(writeMultipart(parts, boundary)), {
    headers: {
      'Content-Type': formatMediaType('multipart/related', { type: dicom, boundary }),
    },
  });
}

/**
 * A request for one syntax is refused before the first byte when any instance is stored in another.
 *
 * @throws ServiceError `not-acceptable`.
 */
async function checkSyntax(
  { transferSyntax }: Choice,
  records: AsyncIterable<InstanceRecord>,
): Promise<void> {
  if (transferSyntax === undefined || transferSyntax === '*') return;
  for await (const record of records) {
    if (record.transferSyntax === transferSyntax) continue;
    const offered = [`multipart/related; type="${dicom}"; transfer-syntax=*`];
    throw new ServiceError(
      'not-acceptable',
      'Some instances are stored in another transfer syntax than the one asked for.',
      { offered },
    );
  }
}

async function retrieveAll(
  context: RequestContext,
  { study, series }: { readonly study: StudyInstanceUID } & Partial<InstanceUids>,
  absent: ErrorCode,
): Promise<Response> {
  const { services, partition } = context;
  const rows = () => flatten(services.archive.catalog.instances(partition, study, series));
  const records = async function* () {
    for await (const { record } of rows()) yield record;
  };
  const choice = chooseRepresentation(context.request, offersOf(['multipart'], anySyntax));
  const iterator = records();
  const first = await iterator.next();
  if (first.done === true) throw new ServiceError(absent, 'Nothing is stored under these UIDs.');
  await checkSyntax(choice, records());
  return multipartResponse(partsOf(context, resumed(first.value, iterator)));
}

/** `GET studies/{study}`: every instance of the study. */
export async function retrieveStudy(context: RequestContext): Promise<Response> {
  return await retrieveAll(context, studyOf(context.params), 'study-not-found');
}

/** `GET studies/{study}/series/{series}`: every instance of the series. */
export async function retrieveSeries(context: RequestContext): Promise<Response> {
  return await retrieveAll(context, seriesOf(context.params), 'series-not-found');
}

/** `GET studies/{study}/series/{series}/instances/{instance}`: one instance, in parts or alone. */
export async function retrieveInstance(context: RequestContext): Promise<Response> {
  const { services, partition, signal } = context;
  const uids = instanceOf(context.params);
  const row = await services.archive.catalog.instance(partition, uids, instanceProperties);
  if (row === undefined) throw instanceNotFound();
  const { record } = row;
  const offers = offersOf(['multipart', 'single'], [record.transferSyntax]);
  const { offer } = chooseRepresentation(context.request, offers);
  if (offer.form === 'multipart') {
    return multipartResponse(partsOf(context, listed(record)));
  }
  const file = await services.archive.openFile(partition, record, undefined, signal);
  if (file === undefined) throw instanceNotFound();
  return new Response(streamBody(file.body as AsyncIterable<Uint8Array>), {
    headers: { 'Content-Type': contentType(record), 'Content-Length': String(file.length) },
  });
}

function instanceNotFound(): ServiceError {
  return new ServiceError('instance-not-found', 'No such instance is stored.');
}
