/** Watches every call of a schedule, and judges what readers of the feed were shown. */
import type { FeedChange } from '../../../../src/storage/archive/log/change-feed.js';
import type { InstanceRecord } from '../../../../src/storage/archive/records.js';
import type { TableCall } from '../support/watched-tables.js';

interface Told {
  readonly stored: ReadonlySet<string>;
  readonly refused: ReadonlySet<string>;
  readonly unsure: ReadonlySet<string>;
  readonly deleted: number;
  readonly unsureDeletes: number;
}

/** A writer sends a transaction six times at most, and the adapter may double each. */
const mostSendings = 12;

function describe({ sequence, action, instance, version }: FeedChange): string {
  return `${sequence} ${action} ${instance} ${version}`;
}

export class Referee {
  /** Intents that were noted as void, or whose row was taken out of the log. */
  readonly #void = new Set<number>();
  /** Intents that were committed. */
  readonly #committed = new Set<number>();
  /** Per study the intent committed last. */
  readonly #last = new Map<string, number>();
  /** Changes that were shown to somebody, as text. */
  readonly #shown = new Map<number, string>();

  /** How often a process has sent a transaction under the same guard. */
  readonly #sendings = new Map<string, number>();

  /** A process sends a call: what was refused or lost is not sent without end. */
  sent(process: string, { table, partitionKey, operations }: TableCall): void {
    const [guard] = operations;
    if (guard?.kind !== 'replace') return;
    const key = `${process} ${table} ${partitionKey} ${guard.rowKey} ${guard.etag}`;
    const sendings = (this.#sendings.get(key) ?? 0) + 1;
    this.#sendings.set(key, sendings);
    if (sendings > mostSendings) throw new Error(`Sent without end: ${key}`);
  }

  /** A call has had its effect. */
  watch({ table, operations, partitionKey }: TableCall, result: unknown): void {
    if ((result as { committed?: boolean } | undefined)?.committed !== true) return;
    for (const operation of operations) {
      if (table === 'log' && /^\d+$/.test(operation.rowKey)) {
        const isVoid =
          operation.kind === 'delete' ||
          (operation.kind === 'replace' && operation.properties['void'] === true);
        if (isVoid) this.#voided(Number(operation.rowKey));
      }
      if (table === 'catalog' && operation.rowKey === '0' && operation.kind !== 'delete') {
        const commits = String(operation.properties['commits']).split(' ').filter(Boolean);
        this.#commits(partitionKey, commits.map(Number));
      }
    }
  }

  #voided(intent: number): void {
    if (this.#committed.has(intent))
      throw new Error(`Intent ${intent} was committed, and is void.`);
    this.#void.add(intent);
  }

  #commits(study: string, commits: readonly number[]): void {
    const intent = commits.at(-1);
    if (intent === undefined || this.#committed.has(intent)) return;
    if (this.#void.has(intent)) throw new Error(`Intent ${intent} is void, and was committed.`);
    if (intent <= (this.#last.get(study) ?? 0)) {
      throw new Error(`Intent ${intent} was committed after one with a greater sequence.`);
    }
    this.#committed.add(intent);
    this.#last.set(study, intent);
  }

  /** Changes were shown to a reader. */
  shown(changes: readonly FeedChange[]): void {
    for (const change of changes) this.#shown.set(change.sequence, describe(change));
  }

  /** Holds the feed as it is in the end against what was shown, stored and told. */
  judgeFeed(
    feed: readonly FeedChange[],
    followed: readonly FeedChange[],
    instances: readonly InstanceRecord[],
    told: Told,
  ): void {
    const texts = feed.map(describe);
    const all = new Set(texts);
    for (const text of this.#shown.values()) {
      if (!all.has(text)) throw new Error(`Shown, then gone: ${text}`);
    }
    const passed = followed.map(describe);
    for (const [position, text] of passed.entries()) {
      if (texts[position] !== text)
        throw new Error(`Behind the reader: ${String(texts[position])}`);
    }
    const there = new Map<string, string>();
    const made = new Set<string>();
    let deleted = 0;
    for (const change of feed) {
      const { study, series, instance, action, version } = change;
      const key = [study, series, instance].join('/');
      const before = there.get(key);
      const isRight =
        action === 'Create'
          ? before === undefined
          : action === 'Update'
            ? before !== undefined
            : before === version;
      if (!isRight) throw new Error(`After ${String(before)} comes ${describe(change)}`);
      if (action === 'Delete') {
        deleted += 1;
        there.delete(key);
        continue;
      }
      if (made.has(version)) throw new Error(`Shown twice: ${describe(change)}`);
      made.add(version);
      there.set(key, version);
    }
    const stored = new Map(
      instances.map(({ study, series, instance, version }) => [
        [study, series, instance].join('/'),
        version,
      ]),
    );
    for (const key of new Set([...stored.keys(), ...there.keys()])) {
      if (stored.get(key) !== there.get(key)) throw new Error(`The feed is wrong about ${key}`);
    }
    for (const version of told.stored) {
      if (!made.has(version)) throw new Error(`Lost: ${version}`);
    }
    for (const version of made) {
      const isKnown = told.stored.has(version) || told.unsure.has(version);
      if (!isKnown || told.refused.has(version)) throw new Error(`A ghost: ${version}`);
    }
    const isRight = told.unsureDeletes > 0 ? deleted >= told.deleted : deleted === told.deleted;
    if (!isRight) throw new Error(`${deleted} deletes in the feed, ${told.deleted} answered`);
  }
}
