/** Retrieve of metadata (PS3.18 §10.4.1.1.2): the data sets of a study, series or instance. */
import type { Tag } from '../../../dicom/tag.js';
import type { InstanceUids } from '../../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { acceptsGzip } from '../../../http/content-encoding.js';
import type { InstanceRow } from '../../../storage/archive/catalog.js';
import type { Ulid } from '../../../storage/archive/ulid.js';
import { chooseRepresentation } from '../../negotiation.js';
import { instanceOf, seriesOf, studyOf } from '../../path-uids.js';
import { flatten, listed, readAhead } from '../../read-ahead.js';
import { answering, type RequestContext } from '../../route.js';
import { inflateAnswer, keptAnswer, keptGzip } from '../answer-cache.js';
import {
  boundaryOf,
  cacheHeaders,
  entityTag,
  notModified,
  type CacheHeaders,
} from '../cache-headers.js';
import { metadataParameters, readMetadataQuery } from './metadata-query.js';
import {
  instanceMetadataOffers,
  isJson,
  metadataOffers,
  renderMetadata,
  type ShownInstance,
} from './metadata-representations.js';
import { presentMetadata } from './present-metadata.js';
import { asksForOriginals, requestedInstance, requestedInstances } from '../requested-version.js';
import type { RetrievePolicy } from '../retrieve-policy.js';
import { reply, type Reply } from '../../../http/reply.js';
import type { RequestHead } from '../../../http/incoming-request.js';

/** Data sets that are uncompressed ahead of their turn. */
const dataSetsAhead = 4;

/** What is asked of metadata, read before anything is looked up. */
interface Asked {
  readonly offer: Offer;
  readonly attributes: 'all' | ReadonlySet<Tag>;
}

function askedBy({ request }: RequestContext, offers: readonly Offer[]): Asked {
  const { offer } = chooseRepresentation(request, offers);
  return { offer, attributes: readMetadataQuery(request.query) };
}

/** The data sets as a profile shows them, one at a time. */
function presented(
  { services, partition, baseUrl, profile }: RequestContext,
  { offer, attributes }: Asked,
  rows: AsyncIterable<InstanceRow>,
): AsyncIterable<ShownInstance> {
  // XML knows no numbers, and no nulls.
  const { retrieve } = profile;
  const policy: RetrievePolicy = isJson(offer) ? retrieve : { ...retrieve, values: 'as-model' };
  return readAhead(
    rows,
    dataSetsAhead,
    async (row) => {
      const stored = await services.archive.files.metadata(partition, row);
      const { record: uids } = row;
      return { uids, json: presentMetadata(stored, uids, baseUrl, policy, attributes) };
    },
    () => undefined,
  );
}

interface Metadata {
  /** Changes with every instance that the answer is made of. */
  readonly version: string;
  /** The write that changed it last, where that is known. */
  readonly write?: Ulid;
  readonly rows: AsyncIterable<InstanceRow>;
}

/** Answers 304 when the client has this version already, else the data sets. */
async function respond(
  context: RequestContext,
  asked: Asked,
  { version, write, rows }: Metadata,
): Promise<Reply> {
  const { request, profile, baseUrl, services } = context;
  const { offer, attributes } = asked;
  const names = attributes === 'all' ? [] : [...attributes].sort();
  const tag = entityTag(version, offer.mediaType, offer.form, baseUrl, ...names);
  const headers = cacheHeaders(tag, write, profile.retrieve.quotedETags);
  const unchanged = notModified(request, headers);
  if (unchanged !== undefined) return unchanged;
  const key = `${request.url.pathname} ${tag}`;
  const kept = services.answers.compressed(key);
  if (kept !== undefined) return await respondKept(request, kept, headers, offer.mediaType);
  const { contentType, body } = renderMetadata(
    offer,
    presented(context, asked, rows),
    baseUrl,
    boundaryOf(tag),
  );
  const described = { ...headers, 'Content-Type': contentType };
  // What is kept has its media type alone, not that of parts.
  if (offer.form === 'multipart') return reply(body, { headers: described });
  if (!takesGzip(request)) {
    return reply(keptAnswer(services.answers, key, body), { headers: described });
  }
  return reply(keptGzip(services.answers, key, body), {
    headers: { ...described, 'Content-Encoding': 'gzip' },
  });
}

function takesGzip({ headers }: RequestHead): boolean {
  return acceptsGzip(headers.get('accept-encoding'));
}

/** As it is kept for those who take gzip. */
async function respondKept(
  request: RequestHead,
  kept: Buffer,
  headers: CacheHeaders,
  contentType: string,
): Promise<Reply> {
  if (takesGzip(request)) {
    return reply(kept, {
      headers: { ...headers, 'Content-Type': contentType, 'Content-Encoding': 'gzip' },
    });
  }
  return reply(await inflateAnswer(kept), {
    headers: { ...headers, 'Content-Type': contentType },
  });
}

function notFound(code: ErrorCode): ServiceError {
  return new ServiceError(code, 'Nothing is stored under these UIDs.');
}

function rowsOf(
  context: RequestContext,
  { study, series }: Pick<InstanceUids, 'study'> & Partial<InstanceUids>,
): AsyncIterable<InstanceRow> {
  return flatten(requestedInstances(context, study, series, 'all'));
}

/** What the instances of a study or series are, by its record and by which of them are asked for. */
function versionOf(
  context: RequestContext,
  { created, revision }: { readonly created: Ulid; readonly revision: number },
): string {
  return `${created}-${revision}${asksForOriginals(context) ? '-original' : ''}`;
}

const ofMany = { answers: metadataOffers, query: metadataParameters } as const;

/** `GET studies/{study}/metadata`. */
export const retrieveStudyMetadata = answering(ofMany, async (context) => {
  const asked = askedBy(context, metadataOffers);
  const uids = studyOf(context.params);
  const { catalog } = context.services.archive;
  const stored = await catalog.studyVersion(context.partition, uids.study);
  if (stored === undefined) throw notFound('study-not-found');
  const version = versionOf(context, stored);
  const { write } = stored;
  return await respond(context, asked, { version, write, rows: rowsOf(context, uids) });
});

/** `GET studies/{study}/series/{series}/metadata`. */
export const retrieveSeriesMetadata = answering(ofMany, async (context) => {
  const asked = askedBy(context, metadataOffers);
  const uids = seriesOf(context.params);
  const { catalog } = context.services.archive;
  const record = await catalog.series(context.partition, uids.study, uids.series);
  if (record === undefined) throw notFound('series-not-found');
  const version = versionOf(context, record);
  return await respond(context, asked, { version, rows: rowsOf(context, uids) });
});

/** `GET studies/{study}/series/{series}/instances/{instance}/metadata`: an array of one. */
export const retrieveInstanceMetadata = answering(
  { answers: instanceMetadataOffers, query: metadataParameters },
  async (context) => {
    const asked = askedBy(context, instanceMetadataOffers);
    const uids = instanceOf(context.params);
    const row = await requestedInstance(context, uids);
    if (row === undefined) throw notFound('instance-not-found');
    const { version } = row.record;
    return await respond(context, asked, { version, write: version, rows: listed(row) });
  },
);
