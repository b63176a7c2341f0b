/**
 * The log as a change feed: only what happened, in order, and never past a change that may still happen.
 * Whoever has read up to a sequence has seen every change that will ever carry a smaller one: the tails
 * of all shards are made to pass it before it is shown.
 */
import type { InstanceUids } from '../../../dicom/uid.js';
import { rowPages } from '../../row-pages.js';
import { tableLimits, type Entity } from '../../table-store.js';
import {
  countOf,
  decodeIntent,
  firstOf,
  intentCountProperties,
  type ChangeAction,
  type LoggedIntent,
} from './intent.js';
import { intentRows, studyPartitionKey, type Partition } from '../keys.js';
import { passTails, readTails, type Tail } from './log-tail.js';
import { firstSequenceOf, sequenceStride, ticksOfSequence, timeOfSequence } from './sequence.js';
import type { ArchiveTiming } from '../../../time-budgets.js';
import type { StudyGuard } from '../records.js';
import type { Ulid } from '../ulid.js';
import { decide, readIntent, verdictBy, type Verdict, type VerdictParts } from './verdict.js';

export interface FeedParts extends VerdictParts {
  readonly timing: ArchiveTiming;
}

/** A change that happened. */
export interface FeedChange extends InstanceUids {
  readonly sequence: number;
  readonly partition: Partition;
  readonly action: ChangeAction;
  /** The version that was created or deleted. */
  readonly version: Ulid;
  /** When, in units of 100 ns since 1970; ascends with the sequence. */
  readonly ticks: bigint;
}

export interface FeedWindow {
  /** Changes to pass over. */
  readonly skip?: number;
  /** Changes from this time on are not shown, in milliseconds since 1970. */
  readonly before?: number;
}

/** An intent, or some of its changes: a stretch may begin and end within it. */
interface Part {
  readonly intent: LoggedIntent;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
}

/** What rows of the log stand for, up to a sequence beyond which more may follow. */
interface Stretch {
  readonly parts: readonly Part[];
  /** Everything up to here is among them. */
  readonly upTo: number;
  /** Nothing follows. */
  readonly isEnd: boolean;
}

/** Where windows of time were left off, for those who page through them by number. */
const rememberedPlaces = 1000;
/** Times that a page is begun again since the log has moved under it. */
const mostTries = 3;
const minute = 60_000;

export class ChangeFeed {
  readonly #parts: FeedParts;
  /** How many shards the log had when it was read last. */
  #shards = 1;
  /** Per start of a window and number of changes passed over, the sequence from which to go on. */
  readonly #places = new Map<string, number>();

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /**
   * The changes from a sequence on; ends before the first that may still happen.
   *
   * @param limit - most changes to read.
   */
  async changes(
    from: number,
    limit: number,
    { skip = 0, before = Infinity }: FeedWindow = {},
  ): Promise<readonly FeedChange[]> {
    const end = before === Infinity ? Infinity : firstSequenceOf(before);
    const start = skip === 0 ? from : await this.#placeAfter(from, skip, end);
    for (let attempt = 1; ; attempt++) {
      const tails = await this.#readTails();
      const found = await this.#collect(tails, start, limit, end);
      const last = found.at(-1);
      if (last === undefined) return [];
      const passed = await passTails(this.#parts.tables, tails, last.sequence);
      if (passed < last.sequence && attempt < mostTries) continue;
      const shown = found.filter(({ sequence }) => sequence <= passed);
      const next = shown.at(-1)?.sequence;
      if (next !== undefined) this.#remember(from, skip + shown.length, next + 1);
      return shown;
    }
  }

  /** The sequence from which to read after so many changes, without reading again what is known. */
  async #placeAfter(from: number, skip: number, end: number): Promise<number> {
    const known = this.#places.get(`${from}/${skip}`);
    if (known !== undefined) return known;
    const tails = await this.#readTails();
    let left = skip;
    for await (const parts of this.#stretches(tails, from, end, intentCountProperties)) {
      const sequences = parts.flatMap(sequencesOf).sort((a, b) => a - b);
      const last = sequences[left - 1];
      if (last !== undefined) return last + 1;
      left -= sequences.length;
    }
    // Fewer have happened than are to be passed over.
    return Number.MAX_SAFE_INTEGER;
  }

  #remember(from: number, skip: number, next: number): void {
    this.#places.set(`${from}/${skip}`, next);
    if (this.#places.size <= rememberedPlaces) return;
    const [oldest] = this.#places.keys();
    if (oldest !== undefined) this.#places.delete(oldest);
  }

  async #readTails(): Promise<readonly Tail[]> {
    const tails = await readTails(this.#parts.tables, this.#shards);
    this.#shards = tails.length;
    return tails;
  }

  async #collect(
    tails: readonly Tail[],
    from: number,
    limit: number,
    end: number,
  ): Promise<readonly FeedChange[]> {
    const found: FeedChange[] = [];
    for await (const parts of this.#stretches(tails, from, end, undefined, limit)) {
      found.push(...parts.flatMap(changesOf).sort((a, b) => a.sequence - b.sequence));
      if (found.length >= limit) break;
    }
    return found.slice(0, limit);
  }

  /**
   * What happened from a sequence on and before an end, in stretches that follow each other, up to the
   * first intent that may still be carried out.
   */
  async *#stretches(
    tails: readonly Tail[],
    from: number,
    end: number,
    select?: readonly string[],
    wanted: number = tableLimits.pageRows,
  ): AsyncGenerator<readonly Part[], void, undefined> {
    const pageRows = Math.min(wanted, tableLimits.pageRows);
    const open = new Set(tails.flatMap((tail) => tail.open));
    for (let next = from; ;) {
      const { parts, upTo, isEnd } = await this.#read(tails, next, end, pageRows, select);
      const guardOf = this.#guards();
      const verdicts = await Promise.all(
        parts.map(async ({ intent }) =>
          open.has(intent.sequence)
            ? await this.#verdictOn(intent, await guardOf(intent))
            : verdictOnClosed(intent),
        ),
      );
      const barrier = Math.min(
        ...parts.filter((_, n) => verdicts[n] === 'open').map(({ intent }) => firstIn(intent)),
      );
      yield parts
        .filter((_, n) => verdicts[n] === 'happened')
        .map((part) => ({ ...part, to: Math.min(part.to, barrier) }));
      if (isEnd || barrier !== Infinity) return;
      next = upTo + 1;
    }
  }

  /** The rows of all shards from a sequence on, as far as all of them have been read. */
  async #read(
    tails: readonly Tail[],
    from: number,
    end: number,
    pageRows: number,
    select: readonly string[] | undefined,
  ): Promise<Stretch> {
    const { tables } = this.#parts;
    const last = (tail: Tail) => Math.min(tail.newest, end + mostChanges * sequenceStride);
    const pages = await Promise.all(
      tails
        .filter((tail) => last(tail) >= from)
        .map(async (tail) => {
          const range = intentRows(tail.shard, from, last(tail));
          const rows: Entity[] = [];
          const options = { firstPageRows: pageRows, ...(select && { select }) };
          for await (const page of rowPages(tables, 'log', range, options)) {
            rows.push(...page.rows);
            if (rows.length >= pageRows && !page.isLast) return { rows, isLast: false };
          }
          return { rows, isLast: true };
        }),
    );
    const upTo = Math.min(
      ...pages.flatMap(({ rows, isLast }) => (isLast ? [] : [Number(rows.at(-1)?.rowKey)])),
    );
    const to = Math.min(upTo + 1, end);
    const parts = pages
      .flatMap(({ rows }) => rows)
      .map((entity): Part => ({ intent: decodeIntent(entity), from, to }))
      .filter(({ intent }) => firstIn(intent) < to);
    return { parts, upTo, isEnd: upTo + 1 >= end };
  }

  /** Reads study rows, each once however many intents of the study are open. */
  #guards(): (intent: LoggedIntent) => Promise<StudyGuard> {
    const guards = new Map<string, Promise<StudyGuard>>();
    return async ({ partition, study }) => {
      const key = studyPartitionKey(partition, study);
      const guard = guards.get(key) ?? this.#parts.catalog.guard(partition, study);
      guards.set(key, guard);
      return await guard;
    };
  }

  /** What became of an open intent; fenced where its writer has had time enough. */
  async #verdictOn(intent: LoggedIntent, guard: StudyGuard): Promise<Verdict> {
    const { tables, timing } = this.#parts;
    const verdict = verdictBy(guard, intent);
    if (verdict === 'happened') return verdict;
    const age = tables.now() - intent.timestamp;
    if (verdict === 'open' && age < timing.settleIntent) return verdict;
    // Taken back by its writer: it was void.
    return (await decide(this.#parts, intent, verdict)) ?? 'void';
  }

  /** The last change that happened of those that `changes` would show; `undefined` when there is none. */
  async latest(): Promise<FeedChange | undefined> {
    for (let attempt = 1; ; attempt++) {
      const tails = await this.#readTails();
      const guardOf = this.#guards();
      const open = await Promise.all(
        tails
          .flatMap((tail) => tail.open)
          .map(async (sequence) => {
            const intent = await readIntent(this.#parts, sequence);
            const verdict = intent && (await this.#verdictOn(intent, await guardOf(intent)));
            return verdict === 'open' && intent !== undefined ? firstIn(intent) : Infinity;
          }),
      );
      const barrier = Math.min(...open);
      const latest = await this.#latestBefore(tails, barrier);
      if (latest === undefined) return undefined;
      const passed = await passTails(this.#parts.tables, tails, latest.sequence);
      if (passed >= latest.sequence) return latest;
      if (attempt === mostTries) return await this.#latestBefore(tails, passed + 1);
    }
  }

  /** The last change below a barrier, looked for backwards in stretches of time that double. */
  async #latestBefore(tails: readonly Tail[], barrier: number): Promise<FeedChange | undefined> {
    const newest = Math.max(...tails.map((tail) => tail.newest));
    let to = Math.min(newest + 1, barrier);
    for (let width = minute; to > 0; width *= 4) {
      const from = Math.max(Math.min(to - 1, firstSequenceOf(timeOfSequence(to) - width)), 0);
      let latest: FeedChange | undefined;
      for await (const parts of this.#stretches(tails, from, to)) {
        for (const change of parts.flatMap(changesOf)) {
          if (change.sequence > (latest?.sequence ?? 0)) latest = change;
        }
      }
      if (latest !== undefined) return latest;
      to = from;
    }
    return undefined;
  }

  /** The first sequence that a change of a time or later can have. */
  firstSequenceFrom(milliseconds: number): number {
    return firstSequenceOf(Math.max(milliseconds, 0));
  }
}

/** Changes of one intent at most. */
const mostChanges = tableLimits.transactionOperations;

function verdictOnClosed({ isVoid }: LoggedIntent): Verdict {
  return isVoid ? 'void' : 'happened';
}

function firstIn({ sequence, entity }: LoggedIntent): number {
  return firstOf(sequence, countOf(entity));
}

/** The sequences of a part; which of the changes they are of, `position` tells. */
function placesOf({ intent, from, to }: Part) {
  const first = firstIn(intent);
  return Array.from({ length: countOf(intent.entity) }, (_, position) => {
    return { position, sequence: first + position * sequenceStride };
  }).filter(({ sequence }) => sequence >= from && sequence < to);
}

function sequencesOf(part: Part): readonly number[] {
  return placesOf(part).map(({ sequence }) => sequence);
}

function changesOf(part: Part): readonly FeedChange[] {
  const { partition, study, changes } = part.intent;
  return placesOf(part).flatMap(({ position, sequence }) => {
    const change = changes[position];
    if (change === undefined) return [];
    const { series, instance, action, version } = change;
    const ticks = ticksOfSequence(sequence);
    return [{ sequence, partition, study, series, instance, action, version, ticks }];
  });
}
