/**
 * One schedule: writers, readers and recoveries of several processes on one storage, some of which die,
 * with every call to storage in an order that the seed chooses. Afterwards everything is held against the
 * invariants of docs/architecture.md.
 */
import assert from 'node:assert/strict';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import { Archive, type StoredFile } from '../../../../src/storage/archive/archive.js';
import type { FeedChange } from '../../../../src/storage/archive/log/change-feed.js';
import type { DeleteScope } from '../../../../src/storage/archive/commit/delete-commit.js';
import {
  browsePartitionKey,
  parseBrowseRowKey,
  studyRowKey,
} from '../../../../src/storage/archive/keys.js';
import { blobName } from '../../../../src/storage/archive/blob-name.js';
import { growLog } from '../../../../src/storage/archive/log/log-tail.js';
import type { StoreMode } from '../../../../src/storage/archive/commit/store-commit.js';
import { timeBudgets } from '../../../../src/time-budgets.js';
import type { BlobStore } from '../../../../src/storage/blob-store.js';
import { MemoryBlobStore } from '../../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import {
  bytes,
  dataSetOf,
  fileOf,
  instanceUid,
  partition,
  seriesUid,
  studyUid,
  type Sample,
} from '../support/samples.js';
import {
  expectCountsToMatch,
  expectLogToBeSettled,
  expectStudyListToMatch,
  impliedIndexRows,
  survey,
  totalsOf,
} from '../support/survey.js';
import { WatchedTables, type TableCall } from '../support/watched-tables.js';
import { Referee } from './referee.js';
import { World, type Faults, type Owner } from './world.js';

/** What a schedule is made of; chosen by the seed unless it is given. */
export interface Plan {
  readonly faults: Faults;
  readonly kills: number;
}

/** What recovery asks of storage in the end takes some hundred calls. */
const mostQuietCalls = 5000;
/** Clocks are so many milliseconds apart from the true time, at most. */
const mostSkew = 15 * 60_000;
const metadata = Uint8Array.of(1);
const noFaults: Faults = { lostCalls: 0, lostAnswers: 0, lateCalls: 0, throttled: 0, steps: 0 };

/** A third runs undisturbed, a third meets storage that fails for a while, and in a third processes die. */
function planOf(seed: number): Plan {
  // Now and then, or a storm that is soon over.
  const isStorm = seed % 2 === 0;
  const share = isStorm ? 0.12 : 0.02;
  const faults = { lostCalls: share, lostAnswers: share, lateCalls: share / 2, throttled: share };
  const steps = isStorm ? 30 + (seed % 70) : 150 + (seed % 200);
  switch (seed % 3) {
    case 0:
      return { faults: noFaults, kills: 0 };
    case 1:
      return { faults: { ...faults, steps }, kills: 0 };
    default:
      return { faults: { ...faults, steps: steps / 4 }, kills: 2 };
  }
}

/** As much as makes index rows at every level, one that changes among them. */
function fewAttributesOf(sample: Sample): DataSet {
  const all = dataSetOf(sample);
  const kept = ['PatientID', 'Modality', 'SOPInstanceUID'].map(attribute);
  return Object.fromEntries(kept.map((tag) => [tag, all[tag] ?? { vr: 'LO' }]));
}

/** Whether a call was a commit after which a study is gone. */
function endsStudy({ table, operations }: TableCall, result: unknown): boolean {
  if (table !== 'catalog') return false;
  if ((result as { committed?: boolean } | undefined)?.committed !== true) return false;
  return operations.some(
    (one) =>
      one.rowKey === studyRowKey && one.kind === 'replace' && one.properties['gone'] === true,
  );
}

interface Process {
  readonly owner: Owner;
  readonly archive: Archive;
}

/** What clients were told. */
interface Told {
  /** Versions that were acknowledged, and those that were refused as being there. */
  readonly stored: Set<string>;
  readonly refused: Set<string>;
  /** Versions whose store was not answered. */
  readonly unsure: Set<string>;
  /** Instances that acknowledged deletes took out, and whether all deletes were answered. */
  deleted: number;
  unsureDeletes: number;
}

export class SimulationFailure extends Error {
  constructor(seed: number, cause: unknown, trace: readonly string[]) {
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`Schedule ${seed} fails: ${why}\n${trace.slice(-60).join('\n')}`, { cause });
  }
}

class Schedule {
  readonly #world: World;
  readonly #plan: Plan;
  readonly #tables: WatchedTables;
  readonly #blobs = new MemoryBlobStore();
  readonly #referee = new Referee();
  readonly #told: Told = {
    stored: new Set(),
    refused: new Set(),
    unsure: new Set(),
    deleted: 0,
    unsureDeletes: 0,
  };
  readonly #followed: FeedChange[] = [];
  readonly #problems: unknown[] = [];
  #started = 0;
  #quietCalls = 0;

  constructor(seed: number) {
    this.#plan = planOf(seed);
    this.#world = new World(seed, this.#plan.faults);
    const inner = new MemoryTableStore({ now: () => this.#world.now, shortPagesSeed: seed });
    this.#tables = new WatchedTables(inner);
  }

  get trace(): readonly string[] {
    return this.#world.trace;
  }

  #start(name: string, isQuiet = false): Process {
    const world = this.#world;
    const owner = world.owner(`${name}${(this.#started += 1)}`);
    const tables = new WatchedTables(this.#tables, this.#tables);
    tables.around = async (call, act) => {
      const what = `${call.operation} ${call.table}`;
      const watched = async () => {
        if (isQuiet && (this.#quietCalls += 1) > mostQuietCalls) {
          throw new Error('Recovery never ends.');
        }
        this.#judge(() => this.#referee.sent(owner.name, call));
        const result = await act();
        this.#judge(() => this.#referee.watch(call, result));
        if (endsStudy(call, result)) await this.#lookAtStudyList(call.partitionKey);
        return result;
      };
      return isQuiet ? await watched() : await world.call(owner, what, watched);
    };
    // What a process takes for the time of storage may be wrong: nothing depends on it.
    const skew =
      isQuiet || this.#world.random() < 0.5 ? 0 : this.#world.integer(mostSkew) * 2 - mostSkew;
    tables.now = () => world.now + skew;
    const blobs = isQuiet ? this.#blobs : this.#slowBlobs(owner);
    const runtime = isQuiet
      ? { sleep: instantly, rest: instantly, random: world.random }
      : world.runtime(owner);
    // Time decides when to look, never what is true: some settle whatever they meet at once.
    const isHasty = !isQuiet && world.random() < 0.3;
    const timing = isHasty ? { ...timeBudgets, settleIntent: 0, finishIntent: 0 } : timeBudgets;
    return { owner, archive: new Archive({ tables, blobs, runtime, timing }) };
  }

  /** Nobody may find a study in the list any more once it is gone; nothing else happens meanwhile. */
  async #lookAtStudyList(studyPartition: string): Promise<void> {
    const study = studyPartition.split('|')[1] ?? '';
    for (const { partitionKey, rowKey, properties } of await this.#tables.rows('searchindex')) {
      if (partitionKey !== browsePartitionKey(partition)) continue;
      if (parseBrowseRowKey(rowKey).study !== study || properties['unsure'] === true) continue;
      this.#problems.push(new Error(`The list shows ${study}, which is gone.`));
    }
  }

  /** Noted, not thrown: work behind answers passes over what it meets. The schedule ends with the first. */
  #judge(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.#problems.push(error);
    }
  }

  #slowBlobs(owner: Owner): BlobStore {
    const world = this.#world;
    const inner = this.#blobs;
    return {
      get: async (...call) => await inner.get(...call),
      list: async (...call) => await inner.list(...call),
      check: async (...call) => await inner.check(...call),
      deleteUnchanged: async (...call) => await inner.deleteUnchanged(...call),
      put: async (...call) =>
        await world.call(owner, 'put blob', async () => await inner.put(...call)),
      delete: async (...call) => {
        await world.call(owner, 'delete blobs', async () => await inner.delete(...call));
      },
    };
  }

  /** Runs something of a process; what it throws besides `ServiceError` is a problem. */
  #do(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (!(error instanceof Error && error.name === 'ServiceError')) this.#problems.push(error);
    });
  }

  #sample(): Sample {
    const below = (most: number) => this.#world.integer(most);
    return {
      study: 1 + below(2),
      series: 1 + below(2),
      instance: 1 + below(2),
      patient: below(2) === 0 ? 'P1' : 'P2',
      modality: below(2) === 0 ? 'CT' : 'MR',
    };
  }

  /** A client: a few requests, one after the other. */
  async #client(process: Process): Promise<void> {
    for (let request = 1 + this.#world.integer(2); request > 0; request--) {
      const dice = this.#world.random();
      if (dice < 0.7) await this.#store(process, dice < 0.25 ? 'replace' : 'create');
      else await this.#delete(process);
    }
  }

  async #store({ archive, owner }: Process, mode: StoreMode): Promise<void> {
    const { study } = this.#sample();
    const samples = Array.from({ length: 1 + this.#world.integer(2) }, () => {
      return { ...this.#sample(), study };
    });
    await Promise.all(
      samples.map(async (sample) => {
        const version = archive.newVersion();
        const { uids } = fileOf(sample, version);
        archive.expect(partition, uids.study);
        const uploaded = archive.putFile(partition, uids, version, bytes());
        uploaded.catch(() => undefined);
        const dataSet = fewAttributesOf(sample);
        const file: StoredFile = { ...fileOf(sample, version), dataSet, metadata, uploaded };
        this.#told.unsure.add(version);
        const result = await archive.store(partition, file, mode).catch((error: unknown) => {
          if (error instanceof Error && error.name === 'ServiceError') return 'unsure' as const;
          throw error;
        });
        if (owner.isDead || result === 'unsure') return;
        this.#told.unsure.delete(version);
        this.#told[result === 'stored' ? 'stored' : 'refused'].add(version);
      }),
    );
  }

  async #delete({ archive }: Process): Promise<void> {
    const { study, series, instance } = this.#sample();
    const depth = this.#world.integer(3);
    const scope: DeleteScope = {
      ...(depth > 0 && { series: seriesUid(study, series) }),
      ...(depth > 1 && { instance: instanceUid(study, series, instance) }),
    };
    this.#told.unsureDeletes += 1;
    const deleted = await archive.delete(partition, studyUid(study), scope);
    this.#told.deleted += deleted;
    this.#told.unsureDeletes -= 1;
  }

  /** A reader that follows the feed live and never looks back. */
  async #follow({ archive, owner }: Process): Promise<void> {
    const { rest } = this.#world.runtime(owner);
    for (let turn = 3 + this.#world.integer(4); turn > 0; turn--) {
      await rest(this.#world.integer(500));
      const last = this.#followed.at(-1)?.sequence ?? 0;
      const limit = 1 + this.#world.integer(4);
      const page = await archive.feed.changes(last + 1, limit).catch(() => []);
      // Its process may have been replaced while the page was on its way.
      if ((this.#followed.at(-1)?.sequence ?? 0) === last) this.#followed.push(...page);
      this.#referee.shown(page);
      if (turn > 1) continue;
      await archive.feed.latest().then(
        (latest) => this.#referee.shown(latest === undefined ? [] : [latest]),
        () => undefined,
      );
    }
  }

  /** Someone who looks at the study list, and settles what is unsure there. */
  async #browse({ archive }: Process): Promise<void> {
    for await (const copy of archive.browse.walk(partition, {})) {
      if (copy.unsure) await archive.browse.confirm(archive.catalog, partition, copy);
    }
  }

  async run(): Promise<void> {
    const world = this.#world;
    const shards = 1 + world.integer(2);
    await growLog(this.#tables, shards);
    const writers = Array.from({ length: 2 + world.integer(2) }, () => this.#start('writer'));
    const reader = this.#start('reader');
    const keeper = this.#start('keeper');
    for (const writer of writers) {
      for (let client = 1 + world.integer(2); client > 0; client--) {
        this.#do(async () => await this.#client(writer));
      }
    }
    this.#do(async () => await this.#follow(reader));
    this.#do(async () => {
      await this.#browse(keeper);
      for (let turn = 0; turn < 3; turn++) {
        await world.runtime(keeper.owner).rest(world.integer(1000));
        await keeper.archive.recover();
      }
    });
    if (world.integer(4) === 0) {
      this.#do(async () => {
        await growLog(keeper.archive.tables, shards + 1);
        // Those that are there keep their shards: others choose the new one.
        await this.#client(this.#start('writer'));
      });
    }
    for (let kill = 0; kill < this.#plan.kills; kill++) {
      let steps = world.integer(120);
      await world.run(() => steps-- <= 0 || this.#problems.length > 0);
      const victim = writers[world.integer(writers.length)];
      if (victim === undefined || victim.owner.isDead) continue;
      world.kill(victim.owner);
      const next = this.#start('writer');
      writers.push(next);
      this.#do(async () => await this.#client(next));
    }
    await world.run(() => this.#problems.length > 0);
    if (this.#problems.length > 0) throw this.#problems[0];
    await this.#verify();
    if (this.#problems.length > 0) throw this.#problems[0];
  }

  async #verify(): Promise<void> {
    const { archive } = this.#start('verifier', true);
    // Twice: what the first settles as void is kept for its writer before it is cleared away.
    for (let turn = 0; turn < 2; turn++) {
      this.#world.now += 3_600_000;
      await archive.recover();
    }
    for await (const copy of archive.browse.walk(partition, {})) {
      if (copy.unsure) await archive.browse.confirm(archive.catalog, partition, copy);
    }
    const found = await survey({ tables: [this.#tables] });
    expectCountsToMatch(found);
    expectLogToBeSettled(found);
    if (found.log.some(({ state }) => state === 'void')) throw new Error('Void intents are left.');
    expectStudyListToMatch(found);
    assert.deepEqual(await archive.totals(partition), totalsOf(found));
    const [implied, rows] = [impliedIndexRows(found), new Set(found.indexRows)];
    const missing = implied.filter((row) => !rows.has(row));
    if (missing.length > 0) throw new Error(`Index rows are missing: ${missing.join(', ')}`);
    const names = new Set(this.#blobs.names('instances'));
    for (const record of found.instances) {
      const name = blobName(partition, record, record.version, 'dcm');
      if (!names.has(name)) throw new Error(`The file of ${record.instance} is missing.`);
    }
    const { faults, kills } = this.#plan;
    if (faults === noFaults && kills === 0) {
      if (rows.size > implied.length) throw new Error('Index rows are left behind.');
      if (names.size > found.instances.length) throw new Error('Files are left behind.');
    }
    const feed = await archive.feed.changes(1, 1000);
    this.#referee.judgeFeed(feed, this.#followed, found.instances, this.#told);
  }
}

async function instantly(): Promise<void> {
  await Promise.resolve();
}

/**
 * Plays the schedule of a seed.
 *
 * @throws SimulationFailure with what was wrong and the last of what happened.
 */
export async function simulate(seed: number): Promise<number> {
  const schedule = new Schedule(seed);
  try {
    await schedule.run();
    return schedule.trace.length;
  } catch (error) {
    throw new SimulationFailure(seed, error, schedule.trace);
  }
}
