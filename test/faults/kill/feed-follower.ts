/** A reader of the change feed that follows it live, never looking back. */
import { timeOfSequence } from '../../../src/storage/archive/log/sequence.js';
import type { Action } from './ledger.js';

export interface Change {
  readonly sequence: number;
  readonly sopInstanceUid: string;
  readonly action: Action;
  readonly state: 'Current' | 'Replaced' | 'Deleted';
}

const pageChanges = 100;

/** The page after a sequence. */
export async function readChanges(baseUrl: string, after: number): Promise<readonly Change[]> {
  const query = `offset=${after}&limit=${pageChanges}&includemetadata=false`;
  const response = await fetch(`${baseUrl}/v1/changefeed?${query}`, {
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok) throw new Error(`The change feed answered ${response.status}.`);
  return (await response.json()) as readonly Change[];
}

/** The whole feed after a sequence. */
export async function readAllChanges(baseUrl: string, after = 0): Promise<readonly Change[]> {
  const all: Change[] = [];
  for (;;) {
    const page = await readChanges(baseUrl, all.at(-1)?.sequence ?? after);
    all.push(...page);
    if (page.length === 0) return all;
  }
}

export class FeedFollower {
  readonly changes: Change[] = [];
  /** The longest time from when a change was announced to when it was read here. */
  slowestMilliseconds = 0;
  /** Of that time, what had passed when the page that showed it was asked for: the rest is that request. */
  askedAfterMilliseconds = 0;
  /** The longest that a page took that was answered: with the wait of a change, what the machine and the service add to it. */
  slowestPageMilliseconds = 0;
  readonly #baseUrls: () => readonly string[];
  #stopping = false;
  readonly #running: Promise<void>;

  constructor(baseUrls: () => readonly string[]) {
    this.#baseUrls = baseUrls;
    this.#running = this.#follow();
  }

  async #follow(): Promise<void> {
    for (let turn = 0; !this.#stopping; turn++) {
      const urls = this.#baseUrls();
      const url = urls[turn % urls.length];
      const asked = Date.now();
      // A page that breaks off, since its process died, is read again.
      const page =
        url === undefined ? [] : await readChanges(url, this.last).catch(() => [] as Change[]);
      this.changes.push(...page);
      if (page.length > 0) {
        const took = Date.now() - asked;
        this.slowestPageMilliseconds = Math.max(this.slowestPageMilliseconds, took);
      }
      for (const { sequence } of page) {
        const waited = Date.now() - timeOfSequence(sequence);
        if (waited <= this.slowestMilliseconds) continue;
        this.slowestMilliseconds = waited;
        this.askedAfterMilliseconds = asked - timeOfSequence(sequence);
      }
      await new Promise((resolve) => setTimeout(resolve, page.length > 0 ? 5 : 60));
    }
  }

  get last(): number {
    return this.changes.at(-1)?.sequence ?? 0;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }
}
