/** Instances whose rendering is what they hold: videos and PDF as stored, reports and CDA as pages. */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet } from '../../../dicom/data-set.js';
import { frameRuns } from '../../../dicom/frames.js';
import { stringifyDataSet } from '../../../dicom/json.js';
import { toNativeXml } from '../../../dicom/native-xml.js';
import { numberOf, stringOf } from '../../../dicom/value.js';
import { ServiceError } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { answerRange } from '../../../http/range.js';
import { chooseRepresentation } from '../../negotiation.js';
import type { RequestContext } from '../../route.js';
import { bulkResource, sliceRuns, type BulkBytes } from '../bulkdata/bulk-resource.js';
import { openBytes } from '../bulkdata/open-bulk.js';
import { cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import { frameMediaTypes } from '../frame-offers.js';
import { readAll } from '../open-runs.js';
import { presentMetadata } from '../metadata/present-metadata.js';
import { escapeHtml, htmlPage, pagePolicy } from './html.js';
import type { RenderSource } from './render-source.js';
import type { RenderedKind } from './rendered-kind.js';
import { reportPage } from './report-page.js';
import { reportText } from './report-text.js';
import { readMetadata } from '../../../storage/archive/records.js';
import { reply, type Reply } from '../../../http/reply.js';

const document = attribute('EncapsulatedDocument');
const documentLength = attribute('EncapsulatedDocumentLength');
const documentTitle = attribute('DocumentTitle');

const html = 'text/html';
const plain = 'text/plain';
const xml = 'text/xml';
const pdf = 'application/pdf';

/** A document that is shown as a page is read into memory. */
const mostPageBytes = 8 * 1024 ** 2;

type DocumentKind = Exclude<RenderedKind, 'image'>;

function single(...mediaTypes: readonly string[]): readonly Offer[] {
  return mediaTypes.map((mediaType) => ({ mediaType, form: 'single' }));
}

/** The encapsulated document, without the byte that makes its length even (PS3.3 §C.24.2). */
function documentBytes({ dataSet, index, syntax }: RenderSource): BulkBytes | Uint8Array {
  const element = dataSet[document];
  const trim = (length: number): number => {
    const said = numberOf(dataSet, documentLength) ?? length;
    return said === length - 1 ? said : length;
  };
  if (element?.InlineBinary !== undefined) {
    const bytes = Buffer.from(element.InlineBinary, 'base64');
    return bytes.subarray(0, trim(bytes.length));
  }
  const value = index.bulk.find(({ path }) => path === document);
  const resource = value && bulkResource(value, index, syntax);
  if (resource?.kind !== 'bytes') {
    throw new ServiceError('bulk-data-not-found', 'The instance has no document.');
  }
  const length = trim(resource.length);
  return { ...resource, length, runs: sliceRuns(resource.runs, 0, length) };
}

/** The stream of a video; fragments are joined. */
function videoBytes({ index }: RenderSource): BulkBytes {
  const runs = index.frames === undefined ? [] : frameRuns(index.frames, 1);
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  return { kind: 'bytes', path: '7FE00010', runs, length, wordBytes: 1 };
}

/** Sends bytes as they are, or a range of them. */
async function sendBytes(
  context: RequestContext,
  { record }: RenderSource,
  bytes: BulkBytes | Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<Reply> {
  const range = answerRange(context.request.headers, bytes.length, headers['ETag']);
  const { offset, length, status } = range;
  const all = { status, headers: { ...headers, ...range.headers } };
  if (bytes instanceof Uint8Array) {
    return reply(Buffer.from(bytes.subarray(offset, offset + length)), all);
  }
  const opened = await openBytes(context, record, bytes, offset, length);
  return reply(opened.chunks(), all);
}

/** An XML document as text, in the encoding that it declares. */
function xmlText(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.subarray(0, 200)).toString('latin1');
  const named = /^[^<]*<\?xml[^>]*encoding=["']([\w.:-]{1,40})["']/.exec(head)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(named).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}

async function cdaPage(context: RequestContext, source: RenderSource): Promise<string> {
  const bytes = documentBytes(source);
  if (bytes.length > mostPageBytes) {
    throw new ServiceError(
      'not-acceptable',
      `The document is too long for a page; ${xml} can be had.`,
      { offered: [xml] },
    );
  }
  const content =
    bytes instanceof Uint8Array
      ? bytes
      : await readAll(await openBytes(context, source.record, bytes));
  const title = stringOf(source.dataSet, documentTitle)?.trim() ?? '';
  return htmlPage(
    title === '' ? 'Clinical document' : title,
    `<pre>${escapeHtml(xmlText(content))}</pre>`,
  );
}

const offers: Readonly<Record<DocumentKind, (source: RenderSource) => readonly Offer[]>> = {
  video: ({ syntax }) => single(syntax.frameMediaType),
  pdf: () => single(pdf),
  cda: () => single(html, xml),
  report: () => single(html, plain, xml),
};

/** Every media type that some instance is rendered as which is no picture. */
export const documentOffers: readonly Offer[] = single(
  html,
  plain,
  xml,
  pdf,
  ...frameMediaTypes.filter((mediaType) => mediaType.startsWith('video/')),
);

/** The data set of a report in the Native DICOM Model (PS3.19 §A.1). */
function reportXml(
  { baseUrl, profile }: RequestContext,
  { record, dataSet }: RenderSource,
): string {
  const json = presentMetadata(
    readMetadata(stringifyDataSet(dataSet)),
    record,
    baseUrl,
    profile.retrieve,
  );
  return toNativeXml(JSON.parse(json) as DataSet);
}

async function textOf(
  context: RequestContext,
  source: RenderSource,
  kind: DocumentKind,
  mediaType: string,
): Promise<string | undefined> {
  const { dataSet } = source;
  if (kind === 'cda') return mediaType === html ? await cdaPage(context, source) : undefined;
  if (kind !== 'report') return undefined;
  if (mediaType === html) return reportPage(dataSet);
  return mediaType === plain ? reportText(dataSet) : reportXml(context, source);
}

/**
 * Sends a rendering that is no picture (PS3.18 §8.7.4): videos, PDF and CDA in ranges, pages whole.
 *
 * @throws ServiceError `not-acceptable`, `range-not-satisfiable`, `instance-not-found`.
 */
export async function sendDocument(
  context: RequestContext,
  source: RenderSource,
  kind: DocumentKind,
): Promise<Reply> {
  const { mediaType } = chooseRepresentation(context.request, offers[kind](source)).offer;
  const { version } = source.record;
  // A document says itself how it is encoded.
  const isText = kind === 'report' || mediaType === html;
  const place = kind === 'report' && mediaType === xml ? context.baseUrl : '';
  const headers = {
    ...cacheHeaders(entityTag(version, 'rendered', mediaType, place), version),
    'Content-Type': isText ? `${mediaType}; charset=utf-8` : mediaType,
    // Readers of PDF and players need to run; of XML a browser would run style sheets.
    ...(mediaType === html && { 'Content-Security-Policy': pagePolicy }),
    ...(mediaType === xml && { 'Content-Security-Policy': "default-src 'none'; sandbox" }),
  };
  const unchanged = notModified(context.request, headers);
  if (unchanged !== undefined) return unchanged;
  const text = await textOf(context, source, kind, mediaType);
  if (text !== undefined) return reply(text, { headers });
  const bytes = kind === 'video' ? videoBytes(source) : documentBytes(source);
  return await sendBytes(context, source, bytes, headers);
}
