/**
 * Links to one study or series: read only, for a time, without an account; made, listed and withdrawn by who
 * has the permission `share` (docs/security.md).
 */
import { parseUid, type SeriesInstanceUID, type StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import { jsonReply, reply, type Reply } from '../../http/reply.js';
import { mostShareDays, type Share, type SharedResource } from '../../storage/share-registry.js';
import { invalidMember, objectAt, readJsonBody, textAt, type JsonObject } from '../json-body.js';
import { resourcePath } from '../path-uids.js';
import { answering, type RequestContext } from '../route.js';
import type { Services } from '../services.js';
import { jsonOffers } from '../negotiation.js';

const noStore = { 'Cache-Control': 'no-store' };

/** @throws ServiceError `shares-unavailable` where links are switched off. */
function sharesOf({ services }: RequestContext): NonNullable<Services['shares']> {
  if (services.shares !== undefined) return services.shares;
  throw new ServiceError(
    'shares-unavailable',
    'Links are switched off in this service: DICOMWEB_SHARES lets studies be shared.',
  );
}

function uidExpected(name: keyof SharedResource): ServiceError {
  return invalidMember(`$.${name}`, 'A UID is expected.');
}

function daysAt(body: JsonObject, fallback: number): number {
  const days = body.get('days') ?? fallback;
  if (typeof days === 'number' && Number.isInteger(days) && days >= 1 && days <= mostShareDays) {
    return days;
  }
  throw invalidMember('$.days', `A whole number from 1 to ${mostShareDays} is expected.`);
}

const members: ReadonlySet<string> = new Set(['study', 'series', 'days']);

/** What a body asks to be shared. @throws ServiceError `invalid-body`. */
function askedOf(body: JsonObject): SharedResource {
  // A misspelt `series` would share the whole study.
  const unknown = [...body.keys()].find((name) => !members.has(name));
  if (unknown !== undefined) {
    throw invalidMember('$', `It may have ${[...members].join(', ')}, and nothing else.`);
  }
  const study = parseUid<StudyInstanceUID>(textAt(body, 'study', '$') ?? '');
  if (study === undefined) throw uidExpected('study');
  const given = textAt(body, 'series', '$');
  if (given === undefined) return { study };
  const series = parseUid<SeriesInstanceUID>(given);
  if (series === undefined) throw uidExpected('series');
  return { study, series };
}

/** @throws ServiceError `study-not-found`, `series-not-found`. */
async function refuseAbsent(
  { services: { archive }, partition }: RequestContext,
  { study, series }: SharedResource,
): Promise<void> {
  if (series === undefined) {
    if ((await archive.catalog.study(partition, study)) !== undefined) return;
    throw new ServiceError('study-not-found', 'There is no such study.');
  }
  if ((await archive.catalog.series(partition, study, series)) !== undefined) return;
  throw new ServiceError('series-not-found', 'There is no such series.');
}

/** A link as it is listed. */
function describe({ id, study, series, created, expires, createdBy }: Share) {
  return {
    id,
    study,
    ...(series !== undefined && { series }),
    created: created.toISOString(),
    expires: expires.toISOString(),
    createdBy,
  };
}

/** The service itself, without version and partition: where its page is. */
function pageUrl(
  { baseUrl, params }: RequestContext,
  asked: SharedResource,
  secret: string,
): string {
  const version = params['version'];
  const partition = params['partition'];
  const inPartition = partition === undefined ? '' : `/partitions/${encodeURIComponent(partition)}`;
  const root = baseUrl
    .slice(0, baseUrl.length - inPartition.length)
    .slice(0, version === undefined ? undefined : -(version.length + 1));
  return `${root}/#/shared/${secret}${resourcePath(asked)}`;
}

/**
 * `POST shares` of `{ "study", "series"?, "days"? }`: 201 with the link. Its secret is told this once: the page
 * has it after `#`, which browsers keep to themselves, and other clients send it as a bearer token or as the
 * query parameter `share`.
 *
 * @throws ServiceError `shares-unavailable`, `invalid-body`, `study-not-found`, `series-not-found`,
 *   `storage-unavailable`.
 */
export const createShare = answering(
  { answers: jsonOffers, takes: jsonOffers },
  async (context) => {
    const { registry, defaultDays } = sharesOf(context);
    const { baseUrl, partition, caller = {} } = context;
    const body = objectAt(await readJsonBody(context), '$');
    const asked = askedOf(body);
    const days = daysAt(body, defaultDays);
    await refuseAbsent(context, asked);
    const { share, secret } = await registry.create(partition, asked, days, caller);
    context.noteShare(share.id, asked);
    const answer = {
      ...describe(share),
      secret,
      pageUrl: pageUrl(context, asked, secret),
      resourceUrl: `${baseUrl}${resourcePath(asked)}?share=${secret}`,
    };
    return jsonReply(answer, {
      status: 201,
      headers: { ...noStore, Location: `${baseUrl}/shares/${share.id}` },
    });
  },
);

/** `GET shares`: the links of the partition that work, whoever made them, newest first, without secrets. */
export const listShares = answering({ answers: jsonOffers }, async (context) => {
  const { registry } = sharesOf(context);
  const shares = await registry.list(context.partition);
  return jsonReply(shares.map(describe), { headers: noStore });
});

/**
 * `DELETE shares/{share}`: withdraws a link; 204. Processes that have just served it do so for some seconds more.
 *
 * @throws ServiceError `shares-unavailable`, `share-not-found`.
 */
export async function withdrawShare(context: RequestContext): Promise<Reply> {
  const { registry } = sharesOf(context);
  const id = context.params['share'] ?? '';
  if (!(await registry.withdraw(context.partition, id))) {
    throw new ServiceError('share-not-found', 'There is no such link, or it is over.');
  }
  context.noteShare(id);
  return reply(null, { status: 204 });
}

/** Removes what is known of links that have expired. @returns how many. */
export async function sweepShares({
  shares,
  partitionRegistry,
}: Pick<Services, 'shares' | 'partitionRegistry'>): Promise<number> {
  if (shares === undefined) return 0;
  const partitions = await partitionRegistry.list();
  return await shares.registry.sweep(partitions.map(({ name }) => name));
}
