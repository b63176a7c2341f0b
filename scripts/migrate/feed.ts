/**
 * The change feed of a source, from a position on. A feed may still fill in what lies behind its newest changes, so the
 * position that the next run begins from stays behind them.
 */
import type { PlacedInstance } from './addresses.js';
import { arrayIn, type Source } from './source.js';

export interface Change extends PlacedInstance {
  readonly sequence: number;
  readonly action: string;
  /** `Current`, `Replaced` or `Deleted`, as of now. */
  readonly state: string;
  /** ISO 8601. */
  readonly timestamp: string;
}

/** Where to go on: behind a sequence; or in a window from a time on, some changes of which are done. */
export type Position = { readonly after: number } | WindowPosition;

/** What is needed of a source to read its feed. */
export type FeedSource = Pick<Source, 'root' | 'way' | 'json'>;

export interface FeedPage {
  readonly changes: readonly Change[];
  /** Behind the page, as far as nothing can come in before it any more. */
  readonly settled: Position;
}

const beginning: WindowPosition = { startTime: '1900-01-01T00:00:00.000Z', skip: 0 };

const pageSizes = { sequence: 100, window: 200 } as const;

function textIn(entry: Readonly<Record<string, unknown>>, name: string): string {
  const value = entry[name];
  return typeof value === 'string' ? value : '';
}

function changeIn(entry: unknown): Change {
  const members = entry as Readonly<Record<string, unknown>>;
  const { partitionName } = members;
  return {
    ...(typeof partitionName === 'string' && { partition: partitionName }),
    study: textIn(members, 'studyInstanceUid'),
    series: textIn(members, 'seriesInstanceUid'),
    instance: textIn(members, 'sopInstanceUid'),
    sequence: Number(members['sequence']),
    action: textIn(members, 'action'),
    state: textIn(members, 'state'),
    timestamp: textIn(members, 'timestamp'),
  };
}

async function latestIn(source: FeedSource): Promise<Change | undefined> {
  const { status, body } = await source.json(
    `${source.root}/changefeed/latest?includemetadata=false`,
  );
  return status === 200 && typeof body === 'object' && body !== null ? changeIn(body) : undefined;
}

async function pageOf(source: FeedSource, query: string): Promise<readonly Change[]> {
  const url = `${source.root}/changefeed?${query}&includemetadata=false`;
  return arrayIn(await source.json(url), url).map(changeIn);
}

/** A time cut to milliseconds, which every server reads alike. */
function millisecond(timestamp: string): string {
  return new Date(timestamp).toISOString();
}

/** Of changes in order, those before the first that is younger than a time. */
function settledOf(changes: readonly Change[], before: number): readonly Change[] {
  const first = changes.findIndex(({ timestamp }) => Date.parse(timestamp) >= before);
  return first === -1 ? changes : changes.slice(0, first);
}

async function* bySequence(
  source: FeedSource,
  from: Position,
  before: number,
): AsyncGenerator<FeedPage, void, undefined> {
  const limit = pageSizes.sequence;
  let after = 'after' in from ? from.after : 0;
  let settled = after;
  let isOld = true;
  let latest = await latestIn(source);
  for (;;) {
    const changes = await pageOf(source, `offset=${after}&limit=${limit}`);
    const last = changes.at(-1);
    if (last === undefined) {
      // The Microsoft server shows the sequences of one stretch, of which none may be left.
      if (latest === undefined || after >= latest.sequence) return;
      after += limit;
      continue;
    }
    if (isOld) {
      const old = settledOf(changes, before);
      settled = old.at(-1)?.sequence ?? settled;
      isOld = old.length === changes.length;
    }
    after = last.sequence;
    yield { changes, settled: { after: settled } };
    if (after >= (latest?.sequence ?? 0)) latest = await latestIn(source);
  }
}

interface WindowPosition {
  readonly startTime: string;
  readonly skip: number;
}

/** Behind changes that begin at a position. */
function behind(at: WindowPosition, changes: readonly Change[]): WindowPosition {
  const last = changes.at(-1);
  if (last === undefined) return at;
  const startTime = millisecond(last.timestamp);
  const within = changes.filter(({ timestamp }) => millisecond(timestamp) === startTime).length;
  // Those before the position may have happened in the same millisecond.
  return { startTime, skip: startTime === at.startTime ? at.skip + within : within };
}

async function* byWindow(
  source: FeedSource,
  from: Position,
  before: number,
): AsyncGenerator<FeedPage, void, undefined> {
  let at: WindowPosition = 'startTime' in from ? from : beginning;
  let settled = at;
  let isOld = true;
  for (;;) {
    const window = `startTime=${encodeURIComponent(at.startTime)}&offset=${at.skip}`;
    const changes = await pageOf(source, `${window}&limit=${pageSizes.window}`);
    if (changes.length === 0) return;
    if (isOld) {
      const old = settledOf(changes, before);
      settled = behind(at, old);
      isOld = old.length === changes.length;
    }
    at = behind(at, changes);
    yield { changes, settled };
  }
}

/**
 * Reads the feed from a position, or its beginning, to its end. A change that is committed later than its time says may come
 * in behind what was read: no position is settled in the last `settling` milliseconds before the newest change.
 *
 * @throws ServiceUnreachable, SourceRefused, NoToken.
 */
export async function* readFeed(
  source: FeedSource,
  from: Position | undefined,
  settling: number,
): AsyncGenerator<FeedPage, void, undefined> {
  const latest = await latestIn(source);
  if (latest === undefined) return;
  const before = Date.parse(latest.timestamp) - settling;
  const read = source.way === 'sequence' ? bySequence : byWindow;
  yield* read(source, from ?? { after: 0 }, before);
}
