/**
 * Rendered studies and series, and their thumbnails (PS3.18 §10.4.1.1.3, §10.4.1.2): a picture of
 * each instance in parts, or one that stands for all.
 */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../../errors.js';
import type { OutgoingPart } from '../../../multipart/writer.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import type { InstanceRecord } from '../../../storage/archive/records.js';
import { acceptedOf } from '../../negotiation.js';
import { resourcePath, seriesOf, studyOf } from '../../path-uids.js';
import { flatten, readAhead } from '../../read-ahead.js';
import { answering, type RequestContext } from '../../route.js';
import { cacheHeaders, entityTag, notModified } from '../cache-headers.js';
import {
  describedPictures,
  describedThumbnail,
  formatOf,
  imageRenderer,
  pictureOffers,
} from './render-image.js';
import { parseRenderQuery, parseThumbnailQuery, type RenderQuery } from './render-query.js';
import { renderSource } from './render-source.js';
import { renderedKind } from './rendered-kind.js';
import { representativeInstances, representativeSeries } from './representative.js';
import {
  picturePart,
  requireRenderable,
  sendParts,
  sendRendered,
  sourceOf,
  warningOf,
  type RenderedRequest,
} from './retrieve-rendered.js';
import type { Reply } from '../../../http/reply.js';

/** A study or series: which, as of which version, and the series that stands for it. */
interface Collection {
  readonly uids: { readonly study: StudyInstanceUID; readonly series?: SeriesInstanceUID };
  readonly version: string;
  readonly series: SeriesInstanceUID;
}

/** Pictures under way at the same time. */
const picturesAhead = 2;

/** Reasons for which one instance is passed over, and the others are sent. */
const passedOver: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'pixel-data-corrupt',
  'pixel-data-unsupported',
  'pixel-data-too-large',
  'frame-not-found',
  'instance-not-found',
]);

async function studyCollection(context: RequestContext): Promise<Collection> {
  const uids = studyOf(context.params);
  const state = await context.services.archive.catalog.state(context.partition, uids.study);
  const series = representativeSeries([...state.series.values()].map(({ record }) => record));
  if (state.study === undefined || series === undefined) {
    throw new ServiceError('study-not-found', 'Nothing is stored under these UIDs.');
  }
  const { created, revision } = state.study.record;
  return { uids, version: `${created}-${revision}`, series };
}

async function seriesCollection(context: RequestContext): Promise<Collection> {
  const uids = seriesOf(context.params);
  const { catalog } = context.services.archive;
  const record = await catalog.series(context.partition, uids.study, uids.series);
  if (record === undefined) {
    throw new ServiceError('series-not-found', 'Nothing is stored under these UIDs.');
  }
  return { uids, version: `${record.created}-${record.revision}`, series: uids.series };
}

/** The instances that may stand for a series: of its first thousand by UID. */
async function candidatesOf(
  { services, partition }: RequestContext,
  study: StudyInstanceUID,
  series: SeriesInstanceUID,
): Promise<readonly InstanceRecord[]> {
  const pages = services.archive.catalog.instances(partition, study, series);
  const first = await pages.next();
  await pages.return();
  return representativeInstances(
    first.done === true ? [] : first.value.map(({ record }) => record),
  );
}

async function sendRepresentative(
  context: RequestContext,
  { uids, series }: Collection,
  requested: RenderedRequest,
): Promise<Reply> {
  let refusal: ServiceError | undefined;
  for (const record of await candidatesOf(context, uids.study, series)) {
    try {
      return await sendRendered(context, await sourceOf(context, record), requested);
    } catch (error) {
      if (!(error instanceof ServiceError && passedOver.has(error.code))) throw error;
      refusal ??= error;
    }
  }
  throw refusal ?? new ServiceError('series-not-found', 'The series has just been deleted.');
}

/** The picture of one row; `undefined` for an instance that has none. */
async function pictureOf(
  context: RequestContext,
  row: InstanceRow,
  query: RenderQuery,
  mediaType: string,
): Promise<OutgoingPart | undefined> {
  try {
    const source = await renderSource(context, row);
    if (renderedKind(source) !== 'image') return undefined;
    const format = formatOf(mediaType, context.profile.rendered);
    const bytes = await imageRenderer(context, source, query).render(format, [1]);
    return picturePart(mediaType, `${context.baseUrl}${resourcePath(row.record)}/rendered`, bytes);
  } catch (error) {
    if (error instanceof ServiceError && passedOver.has(error.code)) return undefined;
    throw error;
  }
}

async function* picturesOf(
  context: RequestContext,
  { uids }: Collection,
  query: RenderQuery,
  mediaType: string,
): AsyncGenerator<OutgoingPart, void, undefined> {
  const { services, partition } = context;
  const rows = services.archive.instancesWithMetadata(partition, uids.study, uids.series);
  const pictures = readAhead(
    flatten(rows),
    picturesAhead,
    async (row) => await pictureOf(context, row, query, mediaType),
    () => undefined,
  );
  for await (const picture of pictures) if (picture !== undefined) yield picture;
}

async function sendCollection(
  context: RequestContext,
  find: (context: RequestContext) => Promise<Collection>,
): Promise<Reply> {
  const { request, profile, baseUrl } = context;
  const query = parseRenderQuery(request, profile.rendered);
  requireRenderable(context, { purpose: 'rendered' });
  // One picture comes first: browsers and thumbnails ask for anything, and parts only by name.
  const choice = acceptedOf(request, pictureOffers(profile.rendered, ['single', 'multipart']));
  const collection = await find(context);
  if (choice?.offer.form !== 'multipart') {
    return await sendRepresentative(context, collection, { purpose: 'rendered', query });
  }
  const { mediaType } = choice.offer;
  const { version } = collection;
  const tag = entityTag(version, 'rendered', mediaType, JSON.stringify(query), baseUrl);
  const headers = { ...cacheHeaders(tag), ...warningOf(query) };
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) return unchanged;
  return await sendParts(picturesOf(context, collection, query, mediaType), mediaType, headers);
}

/** `GET studies/{study}/rendered`. */
export const retrieveRenderedStudy = answering(describedPictures, async (context) => {
  return await sendCollection(context, studyCollection);
});

/** `GET studies/{study}/series/{series}/rendered`. */
export const retrieveRenderedSeries = answering(describedPictures, async (context) => {
  return await sendCollection(context, seriesCollection);
});

/** `GET studies/{study}/thumbnail`. */
export const retrieveStudyThumbnail = answering(describedThumbnail, async (context) => {
  const query = parseThumbnailQuery(context.request);
  requireRenderable(context, { purpose: 'thumbnail' });
  const collection = await studyCollection(context);
  return await sendRepresentative(context, collection, { purpose: 'thumbnail', query });
});

/** `GET studies/{study}/series/{series}/thumbnail`. */
export const retrieveSeriesThumbnail = answering(describedThumbnail, async (context) => {
  const query = parseThumbnailQuery(context.request);
  requireRenderable(context, { purpose: 'thumbnail' });
  const collection = await seriesCollection(context);
  return await sendRepresentative(context, collection, { purpose: 'thumbnail', query });
});
