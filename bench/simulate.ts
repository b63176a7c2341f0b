/**
 * What saturates first on Azure: `npm run bench:simulate [-- --shards 16]`. A discrete-event simulation of
 * the commit protocol and of frame requests at 1, 10 and 100 function instances, and some between, against
 * the published limits of one storage account. The change log is that of the service itself, over tables that
 * take their time. docs/scale.md says what is left out.
 */
import { parseArgs } from 'node:util';
import type { SeriesInstanceUID, SOPInstanceUID, StudyInstanceUID } from '../src/dicom/uid.js';
import { parseUid } from '../src/dicom/uid.js';
import { defaultPartition } from '../src/storage/archive/keys.js';
import { ChangeLog, type Appended } from '../src/storage/archive/log/change-log.js';
import { growLog } from '../src/storage/archive/log/log-tail.js';
import { noTotals } from '../src/storage/archive/log/totals.js';
import { ulidMaker } from '../src/storage/archive/ulid.js';
import { timeBudgets } from '../src/time-budgets.js';
import type { Runtime } from '../src/storage/runtime.js';
import { Clock, Resource } from './simulate/clock.js';
import { LimitedTables } from './simulate/limited-tables.js';
import { account, instance, latency, work } from './simulate/limits.js';
import { seededRandom } from '../src/storage/memory/seeded-random.js';

const storeCounts = [1, 10, 25, 40, 100, 200];
const viewCounts = [1, 10, 100];
const instancesPerRequest = [25, 1];
const warmUpSeconds = 5;
const seconds = 20;
const wholeArchive = 10_000_000;

interface World {
  readonly clock: Clock;
  readonly tables: Resource;
  readonly log: LimitedTables;
  readonly browse: Resource;
  readonly blobs: Resource;
  readonly ingress: Resource;
  readonly egress: Resource;
}

function newWorld(): World {
  const clock = new Clock();
  const resource = (name: string, perSecond: number) => new Resource(clock, name, perSecond);
  const tables = resource('tables of the account', account.tableOperationsPerSecond);
  return {
    clock,
    tables,
    log: new LimitedTables(clock, tables),
    browse: resource('study list', account.tablePartitionEntitiesPerSecond),
    blobs: resource('blobs of the account', account.blobRequestsPerSecond),
    ingress: resource('bytes in', account.ingressBytesPerSecond),
    egress: resource('bytes out', account.egressBytesPerSecond),
  };
}

function there<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError('not a UID');
  return value;
}

/** One process: its processor and its end of the log. */
class Process {
  readonly processor: Resource;
  readonly log: ChangeLog;
  readonly newUlid;

  constructor(world: World, number: number) {
    const { clock, log } = world;
    const sleep = async (milliseconds: number) => await clock.sleep(milliseconds / 1000);
    const runtime: Runtime = { sleep, rest: sleep, random: seededRandom(number) };
    this.processor = new Resource(clock, `processor ${number}`, 1);
    this.log = new ChangeLog(log, runtime);
    this.newUlid = ulidMaker(() => log.now(), runtime.random);
  }
}

/** A study as one client fills it, and what follows its commits behind their answers. */
class Study {
  readonly #world: World;
  readonly #process: Process;
  readonly #study: StudyInstanceUID;
  readonly #series: SeriesInstanceUID;
  #stored = 0;
  #last = 0;
  #committed: Appended[] = [];
  #isFollowing = false;

  constructor(world: World, process: Process, name: string) {
    this.#world = world;
    this.#process = process;
    this.#study = there(parseUid<StudyInstanceUID>(`2.25.${name}`));
    this.#series = there(parseUid<SeriesInstanceUID>(`2.25.${name}.1`));
  }

  /** One STOW-RS request, in the rounds of the commit protocol. */
  async store(count: number): Promise<void> {
    const { clock, tables, blobs, ingress } = this.#world;
    const { processor } = this.#process;
    await processor.use(instance.processorPerStore * count);
    const [appended] = await Promise.all([
      this.#append(count),
      ingress.use(work.instanceBytes * count),
      blobs.use(count),
      tables.use(count + work.indexEntitiesPerRequest),
      clock.sleep(latency.blobWrite),
    ]);
    await tables.use(count + work.rowsAboveInstances);
    await clock.sleep(latency.tableWrite);
    this.#committed.push(appended);
    if (!this.#isFollowing) void this.#follow();
  }

  async #append(count: number): Promise<Appended> {
    const { newUlid, log } = this.#process;
    const changes = Array.from({ length: count }, () => {
      const sop = there(parseUid<SOPInstanceUID>(`${this.#series}.${(this.#stored += 1)}`));
      return { series: this.#series, instance: sop, action: 'Create', version: newUlid() } as const;
    });
    const [id, write] = [newUlid(), newUlid()];
    const place = { partition: defaultPartition, study: this.#study };
    const totals = { ...noTotals, instances: count };
    const intent = { ...place, id, write, base: this.#stored, changes, rows: [], totals };
    const appended = await log.append(intent, this.#last);
    if (appended === undefined || appended === 'outdated') throw new Error('Nobody settles here.');
    this.#last = appended.sequence;
    return appended;
  }

  /** The copy in the study list, merged for the commits of a moment; then the intents are closed. */
  async #follow(): Promise<void> {
    const { clock, tables, browse } = this.#world;
    this.#isFollowing = true;
    while (this.#committed.length > 0) {
      await clock.sleep(timeBudgets.mergeFollowUps / 1000);
      const some = this.#committed;
      this.#committed = [];
      await Promise.all([tables.use(1), browse.use(1)]);
      await clock.sleep(latency.tableWrite);
      for (const appended of some) this.#process.log.finished(appended);
    }
    this.#isFollowing = false;
  }
}

async function frameRequest({ clock, tables, blobs, egress }: World, processor: Resource) {
  await processor.use(instance.processorPerFrame);
  await tables.use(1);
  await clock.sleep(latency.tableRead);
  await Promise.all([blobs.use(1), egress.use(work.frameBytes)]);
  await clock.sleep(latency.blobRead);
}

function busiest(world: World, processors: readonly Resource[]): string {
  const shared = [world.tables, world.browse, world.blobs, world.ingress, world.egress];
  const mean = (some: readonly Resource[]) =>
    some.reduce((sum, one) => sum + one.utilisation, 0) / Math.max(some.length, 1);
  const all = [
    ...shared.map(({ name, utilisation }) => ({ name, utilisation })),
    { name: 'shards of the log', utilisation: mean(world.log.partitions) },
    { name: 'our processors', utilisation: mean(processors) },
  ].toSorted((a, b) => b.utilisation - a.utilisation);
  return all
    .slice(0, 2)
    .map(({ name, utilisation }) => `${name} ${Math.round(utilisation * 100)} %`)
    .join(', ');
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? Number.NaN;
}

async function ingest(
  processes: number,
  count: number,
  shards: number,
): Promise<readonly string[]> {
  const world = newWorld();
  const { clock, log } = world;
  await growLog(log.atOnce, shards);
  const all = Array.from({ length: processes }, (_, n) => new Process(world, n));
  let stored = 0;
  const took: number[] = [];
  for (const [at, process] of all.entries()) {
    const client = async (number: number) => {
      const study = new Study(world, process, `${at + 1}.${number + 1}`);
      for (;;) {
        const start = clock.now;
        await study.store(count);
        if (clock.now < warmUpSeconds) continue;
        stored += count;
        took.push(clock.now - start);
      }
    };
    for (let n = 0; n < instance.requestsAtATime; n++) void client(n);
  }
  await clock.runUntil(seconds);
  const rate = stored / (seconds - warmUpSeconds);
  const lost = log.lost / Math.max(log.appends + log.lost, 1);
  return [
    String(count),
    String(processes),
    rate.toFixed(0),
    (wholeArchive / rate / 3600).toFixed(1),
    percentile(took, 0.5).toFixed(2),
    percentile(took, 0.95).toFixed(2),
    `${Math.round(lost * 100)} %`,
    busiest(
      world,
      all.map(({ processor }) => processor),
    ),
  ];
}

async function view(processes: number): Promise<readonly string[]> {
  const world = newWorld();
  const { clock } = world;
  const processors = Array.from(
    { length: processes },
    (_, n) => new Resource(clock, `processor ${n}`, 1),
  );
  const took: number[] = [];
  let asked = 0;
  const viewer = async (n: number) => {
    await clock.sleep(Math.random());
    for (;;) {
      const start = clock.now;
      asked++;
      const processor = processors[(n + asked) % processes];
      if (processor !== undefined) await frameRequest(world, processor);
      if (clock.now > warmUpSeconds) took.push(clock.now - start);
      const period = 1 / work.framesPerSecondPerViewer;
      await clock.sleep(Math.max(0, period - (clock.now - start)));
    }
  };
  for (let n = 0; n < work.viewers; n++) void viewer(n);
  await clock.runUntil(seconds);
  return [
    String(processes),
    (took.length / (seconds - warmUpSeconds)).toFixed(0),
    (percentile(took, 0.5) * 1000).toFixed(0),
    (percentile(took, 0.95) * 1000).toFixed(0),
    busiest(world, processors),
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { shards: { type: 'string', default: '16' } } });
  const ingested: (readonly string[])[] = [];
  const viewed: (readonly string[])[] = [];
  for (const count of instancesPerRequest) {
    for (const processes of storeCounts) {
      console.error(`${processes} function instances, ${count} in a request`);
      ingested.push(await ingest(processes, count, Number(values.shards)));
    }
  }
  for (const processes of viewCounts) viewed.push(await view(processes));
  console.log(
    table(
      [
        'In a request',
        'Function instances',
        'Instances/s',
        'Hours for 10 M',
        'Request p50, s',
        'p95, s',
        'Appends lost',
        'Busiest',
      ],
      ingested,
    ),
  );
  console.log();
  console.log(table(['Function instances', 'Frames/s', 'p50, ms', 'p95, ms', 'Busiest'], viewed));
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
