/**
 * Several processes of the service on one storage, clients that use them, a live reader of the change
 * feed, and someone who keeps killing processes and starting them again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readTails } from '../../../src/storage/archive/log/log-tail.js';
import { timeBudgets, type ArchiveTiming } from '../../../src/time-budgets.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import type { Finding } from '../../../src/storage/archive/store-check/finding.js';
import { mend } from '../../../src/storage/archive/store-check/mend.js';
import { connectStorage, type Storage } from '../../../src/storage/azure/connect.js';
import { FeedFollower, readAllChanges } from './feed-follower.js';
import { Ledger, type Instance } from './ledger.js';
import { makeClients, type AnswerFindings, type Load } from './load.js';
import { startServiceProcess, type LogFindings, type ServiceChild } from './service-child.js';
import type { Fuse, ServiceProcessOptions } from './service-process.js';
import { moments, steps } from './steps.js';
import { compareFeeds, verify, type Verdict } from './verify.js';

/** As in production, but that files which nobody needs go sooner, for the store to be looked at. */
const soonClearedTiming: ArchiveTiming = { ...timeBudgets, keepLeavings: 5_000 };
/** The clocks of the processes are so far from each other. */
const clockOffsets = [-10, 10, 0].map((minutes) => minutes * 60_000);

/** Processes that are killed; further ones live on. */
const victims = 2;
/** A fuse that has not burnt by then is replaced by a kill at once. */
const fuseMilliseconds = 4000;
/** The checkpoint stands still for the lease of whoever died before. */
const checkpointFuseMilliseconds = 15_000;
const latestTurn = 4;
const settleMilliseconds = 60_000;
const thawMilliseconds = 3000;

export interface ArenaOptions {
  /** Of the storage, past any proxy. */
  readonly connectionString: string;
  /** Where the processes find the storage; the same when left out. */
  readonly serviceConnectionString?: string;
  readonly prefix: string;
  readonly storageTimeoutMilliseconds?: number;
  readonly answerMilliseconds?: number;
  /** That use the service at once; eight when left out. */
  readonly clients?: number;
  /** Processes beside the victims, which are never killed; none when left out. */
  readonly survivors?: number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** A kill as planned; without a fuse at any moment. */
export type Kill = Pick<Fuse, 'step' | 'moment'> | 'any time';

/** Every step, before and after. */
export const everyKill: readonly Kill[] = steps.flatMap((step) =>
  moments.map((moment) => ({ step, moment })),
);

/** Debris that only the store check finds: its writer died before the log knew of it. */
const debris: ReadonlySet<Finding['kind']> = new Set([
  'index-row-dangling',
  'browse-row-dangling',
  'blob-orphaned',
]);

export interface Report {
  /** How often a process stood still, and went on. */
  readonly frozen: number;
  /** Kills by step and moment. */
  readonly kills: ReadonlyMap<string, number>;
  readonly acknowledged: number;
  readonly refused: number;
  readonly unanswered: number;
  readonly verified: number;
  readonly changes: number;
  /** The longest that a change waited until the reader of the feed had it. */
  readonly slowestChangeMilliseconds: number;
  /** Of that time, what had passed when the page that showed it was asked for. */
  readonly askedAfterMilliseconds: number;
  /** The longest request of that reader. */
  readonly slowestPageMilliseconds: number;
  readonly losses: readonly string[];
  readonly ghosts: readonly string[];
  /** Of the store check, after recovery, debris apart; and all that is left after mending. */
  readonly findings: readonly string[];
  /** Pieces of debris, invisible to clients, that the store check removed. */
  readonly debris: number;
  readonly answers: AnswerFindings;
  readonly log: LogFindings;
}

export class Arena {
  readonly ledger = new Ledger();
  readonly #options: ArenaOptions;
  readonly #service: Omit<ServiceProcessOptions, 'clockOffset'>;
  readonly #storage: Storage;
  readonly #children: (ServiceChild | undefined)[] = [];
  readonly #follower: FeedFollower;
  readonly #clients: { start(): Load };
  readonly #kills = new Map<string, number>();
  readonly #verdict: Verdict = { losses: [], ghosts: [] };
  readonly #findings: string[] = [];
  readonly #answers: AnswerFindings = { unexpected: [], hangs: [], busy: 0 };
  readonly #log: LogFindings = { faults: [], crashes: [], slowestMilliseconds: 0 };
  readonly #verified = new Map<Instance, number>();
  #debris = 0;
  #frozen = 0;
  #standing: ServiceChild | undefined;
  #bigShare = 0.01;

  private constructor(options: ArenaOptions) {
    this.#options = options;
    const { connectionString, prefix, storageTimeoutMilliseconds } = options;
    this.#service = {
      connectionString: options.serviceConnectionString ?? connectionString,
      prefix,
      timing: soonClearedTiming,
      recoveryMilliseconds: 500,
      ...(storageTimeoutMilliseconds !== undefined && { storageTimeoutMilliseconds }),
    };
    this.#storage = connectStorage({ connectionString }, { prefix });
    this.#follower = new FeedFollower(() => this.#urls(this.#standing));
    this.#clients = makeClients({
      ledger: this.ledger,
      clients: options.clients ?? 8,
      baseUrls: () => this.#urls(),
      findings: this.#answers,
      bigShare: () => this.#bigShare,
      answerMilliseconds: options.answerMilliseconds ?? 30_000,
      random: options.random,
    });
  }

  static async open(options: ArenaOptions): Promise<Arena> {
    const arena = new Arena(options);
    const processes = victims + (options.survivors ?? 0);
    await Promise.all(Array.from({ length: processes }, async (_, at) => await arena.#start(at)));
    return arena;
  }

  /** The processes that are there. */
  get children(): readonly ServiceChild[] {
    return this.#children.filter((child) => child?.alive() === true) as readonly ServiceChild[];
  }

  /** The processes that are never killed. */
  get survivors(): readonly ServiceChild[] {
    return this.#children.slice(victims).filter((child) => child !== undefined);
  }

  #urls(except?: ServiceChild): readonly string[] {
    return this.children.filter((child) => child !== except).map(({ url }) => url);
  }

  async #start(at: number): Promise<void> {
    const clockOffset = clockOffsets[at % clockOffsets.length] ?? 0;
    const options = { ...this.#service, clockOffset };
    this.#children[at] = await startServiceProcess(options, this.#log);
  }

  startLoad(): Load {
    return this.#clients.start();
  }

  /** Kills processes in turn, while clients go on; each is started again at once. */
  async kill(kills: readonly Kill[]): Promise<void> {
    for (const [turn, kill] of kills.entries()) {
      const at = turn % victims;
      const child = this.#children[at];
      if (child === undefined) continue;
      this.#bigShare = kill !== 'any time' && kill.step === 'derived put' ? 0.5 : 0.01;
      const name = kill === 'any time' ? kill : `${kill.moment} ${kill.step}`;
      if (kill === 'any time') {
        await sleep(this.#options.random() * 1000);
        await child.kill();
        this.#count(name);
      } else {
        const isRare = kill.step === 'checkpoint write';
        const nth = isRare ? 1 : 1 + Math.floor(this.#options.random() * latestTurn);
        child.arm({ ...kill, nth, signal: 'SIGKILL' });
        const burnt = await Promise.race([
          child.gone.then(() => true),
          sleep(isRare ? checkpointFuseMilliseconds : fuseMilliseconds, false),
        ]);
        if (!burnt) await child.kill();
        this.#count(burnt ? name : 'any time');
      }
      await this.#start(at);
    }
  }

  /**
   * Lets the last of the processes that are never killed stand still at a step, while the others go on, and
   * then go on where it was.
   */
  async freeze(kill: Pick<Fuse, 'step' | 'moment'>, milliseconds: number): Promise<void> {
    const child = this.survivors.at(-1);
    if (child === undefined) throw new Error('No process is there to stand still.');
    // The reader of the feed asks the others: how long these keep it waiting is measured.
    this.#standing = child;
    await child.freeze({ ...kill, nth: 1 }, fuseMilliseconds);
    await sleep(milliseconds);
    child.resume();
    this.#standing = undefined;
    this.#frozen += 1;
    // What it was about to do meets what others have done meanwhile.
    await sleep(thawMilliseconds);
  }

  #count(name: string): void {
    this.#kills.set(name, (this.#kills.get(name) ?? 0) + 1);
  }

  /** With all clients at rest: waits for recovery, then compares everything with the ledger. */
  async settleAndVerify(): Promise<void> {
    await this.#settle();
    const [url] = this.#urls();
    if (url === undefined) throw new Error('No process is there.');
    const verdict = await verify(url, this.ledger, this.#touched(), this.#follower.changes);
    this.#verdict.losses.push(...verdict.losses);
    this.#verdict.ghosts.push(...verdict.ghosts);
    for (const instance of this.ledger.instances.values()) {
      this.#verified.set(instance, instance.history.length);
    }
  }

  /** Instances that have changed since they were verified. */
  #touched(): readonly Instance[] {
    return [...this.ledger.instances.values()].filter(
      (instance) =>
        instance.inDoubt !== undefined || this.#verified.get(instance) !== instance.history.length,
    );
  }

  /** Waits until recovery has settled the whole log and the reader has read it. */
  async #settle(): Promise<void> {
    const { tables } = this.#storage;
    const deadline = Date.now() + settleMilliseconds;
    for (;;) {
      const open = (await readTails(tables)).flatMap((tail) => tail.open);
      if (open.length === 0) break;
      if (Date.now() > deadline) throw new Error(`${open.length} entries of the log are open.`);
      await sleep(100);
    }
    const [url] = this.#urls();
    if (url === undefined) throw new Error('No process is there.');
    // What is left to read may be void: the reader has it all when there is nothing after it.
    while ((await readAllChanges(url, this.#follower.last)).length > 0) {
      if (Date.now() > deadline) throw new Error('The reader of the feed is stuck.');
      await sleep(100);
    }
  }

  /** Everything once more, the feed from its beginning, and the store check. Ends the processes. */
  async finish(): Promise<Report> {
    try {
      this.#verified.clear();
      await this.settleAndVerify();
      const [url = ''] = this.#urls();
      const followed = this.#follower.changes;
      const verdict = compareFeeds(followed, await readAllChanges(url), this.ledger);
      this.#verdict.losses.push(...verdict.losses);
      this.#verdict.ghosts.push(...verdict.ghosts);
    } finally {
      await this.close();
    }
    await this.#checkStore();
    const { acknowledged, refused, unanswered, instances } = this.ledger;
    return {
      frozen: this.#frozen,
      kills: this.#kills,
      acknowledged,
      refused,
      unanswered,
      verified: instances.size,
      changes: this.#follower.changes.length,
      slowestChangeMilliseconds: this.#follower.slowestMilliseconds,
      askedAfterMilliseconds: this.#follower.askedAfterMilliseconds,
      slowestPageMilliseconds: this.#follower.slowestPageMilliseconds,
      ...this.#verdict,
      findings: this.#findings,
      debris: this.#debris,
      answers: this.#answers,
      log: this.#log,
    };
  }

  async #checkStore(): Promise<void> {
    const found = await this.#check();
    for (const finding of found) {
      if (debris.has(finding.kind)) this.#debris += 1;
      else this.#findings.push(textOf(finding));
      await mend(this.#storage, finding, { orphanAge: 0 });
    }
    this.#findings.push(...(await this.#check()).map((finding) => `still ${textOf(finding)}`));
  }

  async #check(): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    for await (const finding of checkStore(this.#storage, { orphanAge: 0 })) found.push(finding);
    return found;
  }

  async close(): Promise<void> {
    await this.#follower.stop();
    await Promise.all(this.children.map(async (child) => await child.kill()));
  }
}

function textOf({ kind, where, detail }: Finding): string {
  return [kind, where, detail].join(' ').trim();
}
