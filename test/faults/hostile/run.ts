/** Runs hostile cases against a service, so many at a time, and counts what came back. */
import type { Answer, DeliverImport, HostileRequest, PlainRequest } from './case.js';
import { send } from './client.js';
import { randomOf } from './random.js';
import { attacks } from './requests.js';

/** What came of one kind of attack. */
export interface Tally {
  readonly kind: string;
  cases: number;
  succeeded: number;
  refused: number;
  /** Connections that ended without an answer, where a request was not whole. */
  closed: number;
  slowest: number;
  /** All its cases together, ms. */
  took: number;
}

/** A case that did not go as it must. */
export interface Offence {
  readonly index: number;
  readonly kind: string;
  readonly what: string;
}

export interface RunReport {
  readonly tallies: readonly Tally[];
  readonly offences: readonly Offence[];
  /** `study/series/instance` of every instance that the service says it has stored, and still has. */
  readonly acknowledged: ReadonlySet<string>;
  /** The same of cases with a request that no answer followed: they may be stored, and may not. */
  readonly unanswered: ReadonlySet<string>;
  /** Studies that were acknowledged and deleted again. */
  readonly deleted: number;
}

export interface RunOptions {
  readonly seed: number;
  readonly cases: number;
  /** Requests at the same time. */
  readonly concurrency: number;
  /** One case instead of all, to look at it again. */
  readonly only?: number;
  /**
   * After so many cases all studies that have been acknowledged are deleted again, so that the run does
   * not measure how Azurite fares with a large store.
   */
  readonly casesPerRound?: number;
  /** No case begins after so many milliseconds. */
  readonly mostMilliseconds?: number;
  readonly onProgress?: (done: number) => void;
  /** When a case begins: that one and those that may still be under way. */
  readonly onCase?: (latest: string) => void;
  /** When a round is over and what it stored is deleted, and at the end. */
  readonly onRound?: () => Promise<void>;
  /** Takes a listener, which is to hear of each time that the event loop was held too long, ms. */
  readonly onHold?: (listener: (milliseconds: number) => void) => void;
}

/** The service that is attacked. */
export interface Target {
  readonly baseUrl: string;
  readonly deliver: DeliverImport;
}

const kinds = Object.keys(attacks);

/** The requests of a case, its kind, and the instance that it may store. */
export function caseOf(
  seed: number,
  index: number,
): {
  readonly kind: string;
  readonly requests: readonly HostileRequest[];
  /** `study/series/instance`. */
  readonly instance: string;
} {
  const kind = kinds[index % kinds.length] ?? 'harmless';
  const root = `1.2.826.0.1.3680043.8.498.${seed % 1000}`;
  const name = index + 1;
  const uids = {
    study: `${root}.1.${name}`,
    series: `${root}.2.${name}`,
    instance: `${root}.3.${name}`,
  };
  const one = { random: randomOf(seed, index), uids, turn: Math.floor(index / kinds.length) };
  const attack = attacks[kind];
  if (attack === undefined) throw new RangeError(`no attack ${kind}`);
  const instance = Object.values(uids).join('/');
  return { kind, requests: [attack(one)].flat(), instance };
}

function deletionOf(study: string): PlainRequest {
  return { method: 'DELETE', path: `/studies/${study}`, headers: {} };
}

async function answerTo({ baseUrl, deliver }: Target, hostile: HostileRequest): Promise<Answer> {
  if (!('message' in hostile)) return await send(baseUrl, hostile);
  const started = performance.now();
  const outcome = await deliver(hostile.message);
  const milliseconds = performance.now() - started;
  const answer = { milliseconds, injected: false, text: '' };
  if (outcome === 'nothing') return { ...answer, statuses: [204] };
  if (outcome === 'refused') return { ...answer, statuses: [400] };
  return { ...answer, statuses: [500], text: outcome.harm };
}

function whatIsWrong(hostile: HostileRequest, answer: Answer): string[] {
  const { statuses, injected, text } = answer;
  const { judge } = { judge: undefined, ...hostile };
  const judged = judge?.(answer);
  const most = 'raw' in hostile ? hostile.mostAnswers : 1;
  const isExpected = (status: number) =>
    (status >= 200 && status < 300) || (status >= 400 && status < 500);
  const wrong = statuses.filter(
    (status) => !isExpected(status) && status !== 304 && status !== 100,
  );
  return [
    ...wrong.map((status) => `status ${status}: ${text.slice(0, 300)}`),
    ...(statuses.length > most ? [`${statuses.length} answers: ${text.slice(0, 300)}`] : []),
    ...(statuses.length === 0 && !('raw' in hostile) ? ['no answer'] : []),
    ...(judged === undefined ? [] : [`${judged}: ${text.slice(0, 300)}`]),
    ...(injected ? ['an injected header came back'] : []),
    ...(/\bat \S+ \(|node:internal/.test(text) ? ['a stack trace came back'] : []),
  ];
}

/** The last status that is not on the way to another (1xx). */
function finalStatus({ statuses }: Answer): number | undefined {
  return statuses.findLast((status) => status >= 200);
}

/** The instances that an answer to a store acknowledges, from their RetrieveURL. */
function acknowledgedIn(text: string): readonly string[] {
  if (!text.includes('00081199')) return [];
  const pattern = /\/studies\/([\d.]+)\/series\/([\d.]+)\/instances\/([\d.]+)"/g;
  return [...text.matchAll(pattern)].map(([, ...uids]) => uids.slice(0, 3).join('/'));
}

/** Sends all cases; a case is the same whenever seed and number are. */
export async function runHostile(target: Target, options: RunOptions): Promise<RunReport> {
  const { seed, cases, concurrency, only, mostMilliseconds = Infinity } = options;
  const { casesPerRound = cases, onProgress, onCase, onRound, onHold } = options;
  const deadline = performance.now() + mostMilliseconds;
  const tallies = new Map<string, Tally>(
    kinds.map((kind) => [
      kind,
      { kind, cases: 0, succeeded: 0, refused: 0, closed: 0, slowest: 0, took: 0 },
    ]),
  );
  const offences: Offence[] = [];
  const acknowledged = new Set<string>();
  const unanswered = new Set<string>();
  let next = only ?? 0;
  const end = only === undefined ? cases : only + 1;
  const latest: string[] = [];
  onHold?.((milliseconds) => {
    const what = `the event loop was held for ${Math.round(milliseconds)} ms`;
    offences.push({ index: next - 1, kind: latest.join(', '), what });
  });

  async function work(roundEnd: number): Promise<void> {
    while (next < roundEnd && performance.now() < deadline) {
      const index = next++;
      const { kind, requests, instance } = caseOf(seed, index);
      latest.push(`${index} ${kind}`);
      if (latest.length > concurrency + 1) latest.shift();
      onCase?.(latest.join(', '));
      const tally = tallies.get(kind);
      let status: number | undefined;
      for (const hostile of requests) {
        const answer = await answerTo(target, hostile);
        status = finalStatus(answer);
        if (status === undefined) unanswered.add(instance);
        if (tally !== undefined) {
          tally.slowest = Math.max(tally.slowest, answer.milliseconds);
          tally.took += answer.milliseconds;
        }
        for (const what of whatIsWrong(hostile, answer)) offences.push({ index, kind, what });
        for (const uids of acknowledgedIn(answer.text)) acknowledged.add(uids);
      }
      if (tally !== undefined) {
        tally.cases++;
        if (status === undefined) tally.closed++;
        else if (status >= 200 && status < 400) tally.succeeded++;
        else if (status >= 400 && status < 500) tally.refused++;
      }
      onProgress?.(index + 1);
    }
  }
  const together = async (act: () => Promise<void>) => {
    await Promise.all(Array.from({ length: concurrency }, act));
  };
  let deleted = 0;
  for (;;) {
    const roundEnd = Math.min(end, next + casesPerRound);
    await together(async () => await work(roundEnd));
    if (next >= end || performance.now() >= deadline) break;
    const studies = [...new Set([...acknowledged].map((uids) => uids.split('/')[0] ?? ''))];
    deleted += studies.length;
    await together(async () => {
      for (let study = studies.pop(); study !== undefined; study = studies.pop()) {
        const { statuses } = await send(target.baseUrl, deletionOf(study));
        if (statuses[0] === 204) continue;
        const what = `status ${String(statuses[0])} to the deletion of what was acknowledged`;
        offences.push({ index: next, kind: study, what });
      }
    });
    acknowledged.clear();
    await onRound?.();
  }
  await onRound?.();
  return { tallies: [...tallies.values()], offences, acknowledged, unanswered, deleted };
}
