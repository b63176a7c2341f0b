/**
 * A world in which nothing happens by itself: time stands still, and every call to storage and every wait
 * is an event that a seeded scheduler lets happen in an order of its own. The same seed, the same world.
 */
import { ServiceError } from '../../../../src/errors.js';
import type { Runtime } from '../../../../src/storage/runtime.js';
import { seededRandom } from '../../../../src/storage/memory/seeded-random.js';

interface Event {
  readonly owner: Owner;
  readonly what: string;
  /** A wait happens at this time, a step of a call at any. */
  readonly due: number | undefined;
  /** What is sent reaches storage even if its sender dies. */
  readonly isSent: boolean;
  readonly happen: () => void;
}

/** A process of the world. */
export interface Owner {
  readonly name: string;
  /** How often it has its turn, compared with others: a slow one is as good as frozen. */
  weight: number;
  isDead: boolean;
}

/** What goes wrong with calls, each as a probability, and for how many steps of the schedule. */
export interface Faults {
  /** Nothing is done, and the caller learns that there was no answer. */
  readonly lostCalls: number;
  /** The work is done, and the caller learns that there was no answer. */
  readonly lostAnswers: number;
  /** The caller gives up, and the work is done afterwards, any time. */
  readonly lateCalls: number;
  /** Storage is busy: the call is sent again after a while, as the adapter does; it may have been done before. */
  readonly throttled: number;
  /** Storage fails for so many steps, and then is well again. */
  readonly steps: number;
}

/** Six times as many as the longest schedule takes: who sends without end is found out. */
const mostSteps = 4_000;
const fates = ['lostCalls', 'lostAnswers', 'lateCalls', 'throttled'] as const;
/** What a wait weighs against a step of a call: time passes while calls are on their way. */
const waitWeight = 0.15;

function unanswered(): ServiceError {
  return new ServiceError('storage-unavailable', 'No answer, says the world.');
}

function isCommitted(result: unknown): boolean {
  return (result as { readonly committed?: boolean } | undefined)?.committed === true;
}

function isRefused(result: unknown): boolean {
  return (result as { readonly committed?: boolean } | undefined)?.committed === false;
}

function ignore(): void {
  // Nobody waits for it any more.
}

export class World {
  readonly random: () => number;
  readonly faults: Faults;
  /** Milliseconds since 1970. */
  now = 1_800_000_000_000;
  readonly trace: string[] = [];
  #events: Event[] = [];

  constructor(seed: number, faults: Faults) {
    this.random = seededRandom(seed);
    this.faults = faults;
  }

  integer(below: number): number {
    return Math.floor(this.random() * below);
  }

  owner(name: string): Owner {
    const dice = this.random();
    return { name, weight: dice < 0.2 ? 0.02 : dice < 0.5 ? 0.3 : 1, isDead: false };
  }

  /** Lets something happen some time. */
  async #event(
    owner: Owner,
    what: string,
    due: number | undefined,
    isSent: boolean,
  ): Promise<void> {
    await new Promise<void>((resolve) => {
      // Nobody hears of what happens to the dead.
      if (owner.isDead && !isSent) return;
      this.#events.push({ owner, what, due, isSent, happen: resolve });
    });
  }

  /** Makes a call of a process: its effect is one event, its answer another. */
  async call<T>(owner: Owner, what: string, act: () => Promise<T>): Promise<T> {
    if (owner.isDead) await new Promise<never>(() => undefined);
    const fate = this.#fate();
    if (fate === 'lateCalls') {
      void this.#event(owner, `${what} late`, undefined, true).then(act).catch(ignore);
      await this.#event(owner, `${what} given up`, undefined, false);
      throw unanswered();
    }
    await this.#event(owner, what, undefined, true);
    if (fate === 'lostCalls') {
      await this.#event(owner, `${what} lost`, undefined, false);
      throw unanswered();
    }
    const isDone = fate !== 'throttled' || (what.startsWith('transact') && this.random() < 0.5);
    let result = isDone ? await act() : undefined;
    if (fate === 'throttled' && (result === undefined || isCommitted(result))) {
      await this.#event(owner, `${what} throttled`, this.now + this.integer(1000), false);
      result = await act();
      // It may have clashed with itself, the adapter says, as of any lost answer.
      if (isRefused(result)) throw unanswered();
    }
    await this.#event(owner, `${what} answered`, undefined, false);
    if (fate === 'lostAnswers') throw unanswered();
    return result as T;
  }

  /** What becomes of the next call. */
  #fate(): (typeof fates)[number] | undefined {
    if (this.trace.length >= this.faults.steps) return undefined;
    let dice = this.random();
    return fates.find((one) => (dice -= this.faults[one]) < 0);
  }

  runtime(owner: Owner): Runtime {
    const wait = async (milliseconds: number) => {
      await this.#event(owner, 'wait', this.now + milliseconds, false);
    };
    return { sleep: wait, rest: wait, random: this.random };
  }

  /** Ends a process: what it has sent may still arrive, any time later. */
  kill(owner: Owner): void {
    owner.isDead = true;
    this.#events = this.#events.filter((event) => event.owner !== owner || event.isSent);
  }

  /** Lets everything happen until nothing is left, or until `isOver`. */
  async run(isOver: () => boolean = () => false): Promise<void> {
    for (let step = 0; ; step++) {
      // Everything that the last event has set free runs before the next one.
      await new Promise(setImmediate);
      if (this.#events.length === 0 || isOver()) return;
      if (step > mostSteps) throw new Error('The world does not come to rest.');
      const event = this.#choose();
      if (event.due !== undefined) this.now = Math.max(this.now, event.due);
      this.now += 1 + this.integer(20);
      this.trace.push(`${event.owner.name}: ${event.what}`);
      event.happen();
    }
  }

  #choose(): Event {
    const weights = this.#events.map(
      ({ owner, due }) =>
        (owner.isDead ? 0.05 : owner.weight) * (due === undefined ? 1 : waitWeight),
    );
    let dice = this.random() * weights.reduce((sum, weight) => sum + weight, 0);
    let at = 0;
    while (at < weights.length - 1 && (dice -= weights[at] ?? 0) > 0) at++;
    const [event] = this.#events.splice(at, 1);
    if (event === undefined) throw new RangeError('no event');
    return event;
  }
}
