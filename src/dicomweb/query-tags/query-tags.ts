/** Extended query tags (as in the Microsoft server): added, listed, shown, switched and removed. */
import type { Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import { parseQuery, queryValue } from '../../http/query-string.js';
import { jsonReply, reply, type Reply } from '../../http/reply.js';
import { isOver, newJobId, parseJobId, type JobId } from '../../jobs/job.js';
import { beingAdded, type ListedTag } from '../../storage/archive/query-tag-list.js';
import { TagErrors } from '../../storage/archive/tagging/tag-errors.js';
import { invalidMember, objectAt, readJsonBody, textAt } from '../json-body.js';
import { operationUrl, startedOperation } from '../operations/operation-url.js';
import { answering, type RequestContext } from '../route.js';
import { timeText } from '../time-text.js';
import { judgeNewTags, readRequested } from './new-tag.js';
import { entryOf, tagInPath } from './read-path.js';
import { beforeReindex } from './reindex-job.js';
import { beforeUntag, type UntagInput } from './untag-job.js';
import { jsonOffers } from '../negotiation.js';

/** Tags that an archive may have at most. */
export const mostTags = 128;

const noStore = { 'Cache-Control': 'no-store' } as const;

/** Milliseconds for which a request waits for a tag to be gone; the rest is done behind. */
const removalMilliseconds = 10_000;

function tagUrl({ baseUrl }: Pick<RequestContext, 'baseUrl'>, { tag }: ListedTag): string {
  return `${baseUrl}/extendedquerytags/${tag}`;
}

/** A tag as clients see it. */
function shown(context: RequestContext, entry: ListedTag): object {
  const { tag, vr, level, creator, status, enabled, errors, operation } = entry;
  const id = status === 'adding' ? parseJobId(operation ?? '') : undefined;
  return {
    path: tag,
    vr,
    ...(creator !== undefined && { privateCreator: creator }),
    level,
    status,
    ...(errors > 0 && { errors: { count: errors, href: `${tagUrl(context, entry)}/errors` } }),
    ...(id !== undefined && { operation: { id, href: operationUrl(context, id) } }),
    queryStatus: enabled ? 'enabled' : 'disabled',
  };
}

/** The URLs of those of some tags that are there. */
export async function tagUrlsOf(
  context: RequestContext,
  tags: readonly Tag[],
): Promise<readonly string[]> {
  const list = await context.services.archive.queryTags.read();
  return list.tags.filter(({ tag }) => tags.includes(tag)).map((entry) => tagUrl(context, entry));
}

/** The job that a tag is being added by, if it goes on, or has been canceled and its slice has not ended. */
async function runningFor(
  { services }: RequestContext,
  tags: readonly ListedTag[],
): Promise<JobId | undefined> {
  const ids = new Set(
    tags.flatMap(({ status, operation = '' }) =>
      status === 'adding' ? (parseJobId(operation) ?? []) : [],
    ),
  );
  for (const id of ids) {
    if (await services.jobs.isActive(id)) return id;
  }
  return undefined;
}

const pages = { answers: jsonOffers, query: ['limit', 'offset'] } as const;

/**
 * `POST extendedquerytags`: adds tags, and begins to index what is stored. 202 with the URL of the operation.
 *
 * @throws ServiceError `invalid-body`, `unsupported-media-type`, `invalid-query-tag`, `query-tag-exists`,
 *   `operation-running`, `too-many-query-tags`, `storage-unavailable`.
 */
export const addQueryTags = answering(
  { answers: jsonOffers, takes: jsonOffers },
  async (context) => {
    const { services } = context;
    const { queryTags } = services.archive;
    const body = await readJsonBody(context);
    if (!Array.isArray(body)) throw invalidMember('$', 'An array is expected.');
    const requested = body.map(readRequested);
    const running = await runningFor(context, (await queryTags.read()).tags);
    if (running !== undefined) {
      throw new ServiceError(
        'operation-running',
        `There is already an active re-index operation with ID '${running}'.`,
        { location: operationUrl(context, running) },
      );
    }
    const added = judgeNewTags(requested);
    if (added.length === 0) {
      throw new ServiceError('invalid-query-tag', 'The extended query tag(s) is missing.');
    }
    const id = newJobId();
    await queryTags.change(({ tags }) => {
      const names = new Set(added.map(({ tag }) => tag));
      // No job goes on, so what is being added is not: it is added anew.
      const isLeft = ({ tag, status }: ListedTag) => status === 'adding' && names.has(tag);
      const kept = tags.filter((tag) => !isLeft(tag));
      if (
        kept.length + added.filter(({ tag }) => !kept.some((one) => one.tag === tag)).length >
        mostTags
      ) {
        throw new ServiceError(
          'too-many-query-tags',
          `Extended query tags exceeds max allowed count '${mostTags}'.`,
        );
      }
      if (kept.some(({ tag }) => names.has(tag))) {
        throw new ServiceError(
          'query-tag-exists',
          'One or more extended query tags already exist.',
        );
      }
      return [...kept, ...added.map((tag) => beingAdded(tag, id))];
    });
    const state = beforeReindex(added.map(({ tag }) => tag));
    await services.jobs.start('reindex', '{}', JSON.stringify(state), { id });
    return startedOperation(context, id);
  },
);

interface Paging {
  readonly offset: number;
  readonly limit: number;
}

/** @throws ServiceError `invalid-query` in the words of the Microsoft server. */
function readPaging({ request }: RequestContext): Paging {
  const parameters = parseQuery(request.url);
  const read = (name: 'Limit' | 'Offset', min: number, max: number, otherwise: number) => {
    const text = queryValue(parameters, name);
    if (text === undefined) return otherwise;
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    const detail = Number.isNaN(value)
      ? `The value '${text.slice(0, 64)}' is not valid for ${name}.`
      : `The field ${name} must be between ${min} and ${max}.`;
    throw new ServiceError('invalid-query', `The query parameter '${name}' is invalid. ${detail}`, {
      parameter: name.toLowerCase(),
    });
  };
  return { limit: read('Limit', 1, 200, 100), offset: read('Offset', 0, 2_147_483_647, 0) };
}

/** `GET extendedquerytags`: the tags in order of creation. @throws ServiceError `invalid-query`. */
export const listQueryTags = answering(pages, async (context) => {
  const { offset, limit } = readPaging(context);
  const { tags } = await context.services.archive.queryTags.read();
  const page = tags.slice(offset, offset + limit);
  return jsonReply(
    page.map((entry) => shown(context, entry)),
    { headers: noStore },
  );
});

/** `GET extendedquerytags/{tag}`. @throws ServiceError `invalid-query-tag`, `query-tag-not-found`. */
export const readQueryTag = answering({ answers: jsonOffers }, async (context) => {
  const tag = tagInPath(context);
  const { tags } = await context.services.archive.queryTags.read();
  return jsonReply(shown(context, entryOf(tags, tag)), { headers: noStore });
});

function readQueryStatus(body: unknown): boolean {
  const object = objectAt(body, '$');
  for (const name of object.keys()) {
    if (name === 'querystatus') continue;
    const given = Object.keys(body as object).find((one) => one.toLowerCase() === name) ?? name;
    throw invalidMember(given, `The field is not supported: "${given}".`);
  }
  const status = textAt(object, 'queryStatus', '$')?.toLowerCase();
  if (status === 'enabled' || status === 'disabled') return status === 'enabled';
  const given = object.get('querystatus');
  throw invalidMember(
    '$.QueryStatus',
    `Expected value '${typeof given === 'string' ? given : ''}' to be one of the following values: ['Disabled', 'Enabled']`,
  );
}

/**
 * `PATCH extendedquerytags/{tag}`: lets searches use it, or not.
 *
 * @throws ServiceError `invalid-body`, `unsupported-media-type`, `invalid-query-tag`, `query-tag-not-found`.
 */
export const updateQueryTag = answering(
  { answers: jsonOffers, takes: jsonOffers },
  async (context) => {
    const tag = tagInPath(context);
    const enabled = readQueryStatus(await readJsonBody(context));
    const { tags } = await context.services.archive.queryTags.change((list) => {
      if (entryOf(list.tags, tag).enabled === enabled) return undefined;
      return list.tags.map((one) => (one.tag === tag ? { ...one, enabled } : one));
    });
    return jsonReply(shown(context, entryOf(tags, tag)), { headers: noStore });
  },
);

/**
 * `DELETE extendedquerytags/{tag}`: no store indexes it any more, and its rows go; of many some behind the answer.
 * 204.
 *
 * @throws ServiceError `invalid-query-tag`, `query-tag-not-found`, `storage-unavailable`.
 */
export async function removeQueryTag(context: RequestContext): Promise<Reply> {
  const tag = tagInPath(context);
  const { jobs, archive } = context.services;
  const until = Date.now() + removalMilliseconds;
  const { removal: before } = entryOf((await archive.queryTags.read()).tags, tag);
  const earlier = parseJobId(before ?? '');
  const job = earlier && (await jobs.find(earlier));
  // One removal at a time: a second one would take what is added after the first.
  if (earlier !== undefined && job !== undefined && !isOver(job)) {
    await jobs.runHere(earlier, until);
    return reply(null, { status: 204 });
  }
  const id = newJobId();
  let input: UntagInput = { tag };
  const { tags } = await archive.queryTags.change((list) => {
    const { removal, operation } = entryOf(list.tags, tag);
    if (removal !== before) return undefined;
    input = {
      tag,
      ...(operation !== undefined && { indexedBy: operation }),
      ...(before !== undefined && { after: before }),
    };
    const status = 'deleting' as const;
    return list.tags.map((one) => (one.tag === tag ? { ...one, status, removal: id } : one));
  });
  const removal = parseJobId(entryOf(tags, tag).removal ?? '');
  if (removal === id) {
    await jobs.startHere('untag', JSON.stringify(input), JSON.stringify(beforeUntag), until, id);
  } else if (removal !== undefined) await jobs.runHere(removal, until);
  return reply(null, { status: 204 });
}

/**
 * `GET extendedquerytags/{tag}/errors`: the instances whose values could not be indexed, the oldest errors first.
 * Those that were deleted since are left out.
 *
 * @throws ServiceError `invalid-query-tag`, `invalid-query`, `query-tag-not-found`.
 */
export const listQueryTagErrors = answering(pages, async (context) => {
  const tag = tagInPath(context);
  const { offset, limit } = readPaging(context);
  const { archive, partitions } = context.services;
  const { tags } = await archive.queryTags.read();
  entryOf(tags, tag);
  const errors = await new TagErrors(archive.tables).list(tag, offset, limit);
  const there = await Promise.all(
    errors.map(
      async ({ partition, uids }) =>
        (await archive.catalog.instance(partition, uids, ['version'])) !== undefined,
    ),
  );
  const answer = errors
    .filter((_, position) => there[position])
    .map(({ partition, uids: { study, series, instance }, created, reason }) => ({
      studyInstanceUid: study,
      seriesInstanceUid: series,
      sopInstanceUid: instance,
      createdTime: timeText(created),
      errorMessage: reason,
      ...(partitions && { partitionName: partition }),
    }));
  return jsonReply(answer, { headers: noStore });
});
