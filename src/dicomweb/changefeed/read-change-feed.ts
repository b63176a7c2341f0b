/** The change feed: every store, replacement and deletion in order, as in the Microsoft server. */
import {
  invalidParameter,
  queryInteger,
  queryValue,
  type QueryParameter,
} from '../../http/query-string.js';
import type { FeedChange } from '../../storage/archive/log/change-feed.js';
import { jsonArray } from '../json-array.js';
import { readAhead } from '../read-ahead.js';
import { presentMetadata } from '../retrieve/metadata/present-metadata.js';
import { answering, type RequestContext } from '../route.js';
import { reply } from '../../http/reply.js';
import { jsonOffers } from '../negotiation.js';

/** Changes whose instances are read ahead of their turn. */
const changesAhead = 8;

interface Window {
  /** Sequence to start from. */
  readonly from: number;
  /** Changes to skip. */
  readonly skip: number;
  readonly limit: number;
  /** Changes from this time on, in milliseconds, are not shown. */
  readonly before: number;
  readonly includeMetadata: boolean;
}

function readFlag(parameters: readonly QueryParameter[], name: string): boolean {
  const text = queryValue(parameters, name)?.toLowerCase();
  if (text === undefined || text === 'true') return true;
  if (text === 'false') return false;
  throw invalidParameter(name, 'It must be true or false.');
}

const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,7})?)?(Z|[+-]\d\d:\d\d)$/i;

function readTime(parameters: readonly QueryParameter[], name: string): number | undefined {
  // A plus sign of an offset that was not encoded arrives as a space.
  const text = queryValue(parameters, name)?.trim().replace(' ', '+');
  if (text === undefined) return undefined;
  const time = timestamp.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw invalidParameter(
    name,
    'It must be an ISO 8601 date and time with Z or an offset from UTC.',
  );
}

function readWindow({ request, profile, services }: RequestContext): Window {
  const { paging, defaultLimit, mostChanges } = profile.changeFeed;
  const parameters = request.query;
  const limit = queryInteger(parameters, 'limit', { min: 1, max: mostChanges }) ?? defaultLimit;
  const offset = queryInteger(parameters, 'offset') ?? 0;
  const includeMetadata = readFlag(parameters, 'includemetadata');
  if (paging === 'sequence') {
    return { from: offset + 1, skip: 0, limit, before: Infinity, includeMetadata };
  }
  const start = readTime(parameters, 'startTime');
  const end = readTime(parameters, 'endTime') ?? Infinity;
  if (start !== undefined && end <= start) {
    throw invalidParameter('endTime', 'It must be later than startTime.');
  }
  const from = start === undefined ? 1 : services.archive.feed.firstSequenceFrom(start);
  return { from, skip: offset, limit, before: end, includeMetadata };
}

/** ISO 8601 with seven fractional digits, which clients in .NET read without loss. */
function formatTicks(ticks: bigint): string {
  const seconds = new Date(Number(ticks / 10_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ticks % 10_000_000n).padStart(7, '0')}+00:00`;
}

/** One change as JSON text; its state and metadata are those of the instance as it is now. */
async function changeText(
  context: RequestContext,
  change: FeedChange,
  includeMetadata: boolean,
): Promise<string> {
  const { archive, partitions } = context.services;
  const row = await archive.catalog.instance(
    change.partition,
    change,
    includeMetadata ? undefined : ['version'],
  );
  const current = row?.entity.properties['version'];
  const fields = JSON.stringify({
    sequence: change.sequence,
    ...(partitions && { partitionName: change.partition }),
    studyInstanceUid: change.study,
    seriesInstanceUid: change.series,
    sopInstanceUid: change.instance,
    action: change.action,
    timestamp: formatTicks(change.ticks),
    state: stateOf(change, current),
  });
  if (row === undefined || !includeMetadata) return fields;
  const stored = await archive.files.metadata(change.partition, row);
  const metadata = presentMetadata(stored, change, context.baseUrl, context.profile.retrieve);
  return `${fields.slice(0, -1)},"metadata":${metadata}}`;
}

function stateOf(change: FeedChange, current: unknown): 'Current' | 'Replaced' | 'Deleted' {
  if (current === undefined) return 'Deleted';
  return change.action !== 'Delete' && current === change.version ? 'Current' : 'Replaced';
}

const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

const feedParameters = ['limit', 'offset', 'startTime', 'endTime', 'includemetadata'] as const;

/** `GET changefeed`: a JSON array of changes, oldest first. */
export const readChangeFeed = answering(
  { answers: jsonOffers, query: feedParameters },
  async (context) => {
    const { from, limit, includeMetadata, ...window } = readWindow(context);
    const changes = await context.services.archive.feed.changes(from, limit, window);
    const texts = readAhead(
      changes,
      changesAhead,
      async (change) => await changeText(context, change, includeMetadata),
      () => undefined,
    );
    return reply(jsonArray(texts), { headers });
  },
);

/** `GET changefeed/latest`: the last change, or 204 when there is none. */
export const readLatestChange = answering({ answers: jsonOffers }, async (context) => {
  const includeMetadata = readFlag(context.request.query, 'includemetadata');
  const latest = await context.services.archive.feed.latest();
  if (latest === undefined) return reply(null, { status: 204 });
  return reply(await changeText(context, latest, includeMetadata), { headers });
});
