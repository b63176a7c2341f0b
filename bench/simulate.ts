/**
 * What saturates first on Azure: `npm run bench:simulate`. A discrete-event simulation of the commit
 * protocol and of frame requests at 1, 10 and 100 function instances against the published limits of
 * one storage account. docs/scale.md says what it leaves out.
 */
import { Clock, Resource } from './simulate/clock.js';
import { account, instance, latency, work } from './simulate/limits.js';

const instanceCounts = [1, 10, 100];
const warmUpSeconds = 5;
const seconds = 25;
const wholeArchive = 10_000_000;
/** Entries of one append: a transaction of 100 rows less the tail. */
const entriesPerAppend = 99;

interface World {
  readonly clock: Clock;
  readonly tables: Resource;
  readonly logPartition: Resource;
  readonly blobs: Resource;
  readonly ingress: Resource;
  readonly egress: Resource;
}

function newWorld(): World {
  const clock = new Clock();
  const resource = (name: string, perSecond: number) => new Resource(clock, name, perSecond);
  return {
    clock,
    tables: resource('tables of the account', account.tableOperationsPerSecond),
    logPartition: resource('partition of the log', account.tablePartitionEntitiesPerSecond),
    blobs: resource('blobs of the account', account.blobRequestsPerSecond),
    ingress: resource('bytes in', account.ingressBytesPerSecond),
    egress: resource('bytes out', account.egressBytesPerSecond),
  };
}

/** What a refused append takes of what its partition can do: Azure does not say. */
const refusalKinds = ['count in full', 'count as one entity'] as const;
type Refusals = (typeof refusalKinds)[number];

/** The tail of the log: one writer wins, the others have to read it again. */
interface Tail {
  revision: number;
  appends: number;
  lost: number;
}

/** Group commit of one process: what waits goes out together, under the revision that was read last. */
class Appender {
  readonly #world: World;
  readonly #tail: Tail;
  readonly #refusals: Refusals;
  #waiting: { readonly entries: number; readonly done: () => void }[] = [];
  #known = 0;
  #running = false;

  constructor(world: World, tail: Tail, refusals: Refusals) {
    this.#world = world;
    this.#tail = tail;
    this.#refusals = refusals;
  }

  async append(entries: number): Promise<void> {
    await new Promise<void>((done) => {
      this.#waiting.push({ entries, done });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    while (this.#waiting.length > 0) {
      const batch = [this.#waiting[0]].filter((one) => one !== undefined);
      let entries = batch[0]?.entries ?? 0;
      for (const next of this.#waiting.slice(1)) {
        if (entries + next.entries > entriesPerAppend) break;
        batch.push(next);
        entries += next.entries;
      }
      this.#waiting = this.#waiting.slice(batch.length);
      await this.#write(entries);
      for (const { done } of batch) done();
    }
    this.#running = false;
  }

  async #write(entries: number): Promise<void> {
    const { clock, logPartition, tables } = this.#world;
    for (let attempt = 0; ; attempt++) {
      await clock.sleep(latency.tableWrite / 2);
      const outcome = { won: false };
      await Promise.all([
        tables.use(1),
        logPartition.use(() => {
          outcome.won = this.#tail.revision === this.#known;
          if (outcome.won) this.#tail.revision++;
          return outcome.won || this.#refusals === 'count in full' ? entries + 1 : 1;
        }),
      ]);
      if (outcome.won) this.#tail.appends++;
      else this.#tail.lost++;
      this.#known = this.#tail.revision;
      await clock.sleep(latency.tableWrite / 2);
      if (outcome.won) return;
      // Full jitter, as the code does; the tail is read again after it.
      await clock.sleep(Math.random() * Math.min(0.4, 0.01 * 2 ** attempt));
      await tables.use(1);
      this.#known = this.#tail.revision;
      await clock.sleep(latency.tableRead);
    }
  }
}

/** One STOW-RS request of 25 instances, in the rounds of the commit protocol. */
async function storeRequest(world: World, processor: Resource, appender: Appender): Promise<void> {
  const { clock, tables, blobs, ingress } = world;
  const count = work.instancesPerRequest;
  await processor.use(instance.processorPerStore * count);
  await Promise.all([
    ingress.use(work.instanceBytes * count),
    blobs.use(count),
    tables.use(work.indexEntitiesPerRequest),
    clock.sleep(latency.blobWrite * 3),
  ]);
  await appender.append(count * work.logEntriesPerInstance);
  await tables.use(work.catalogEntitiesPerRequest);
  await clock.sleep(latency.tableWrite);
  await tables.use(1);
  await clock.sleep(latency.tableWrite);
}

async function frameRequest({ clock, tables, blobs, egress }: World, processor: Resource) {
  await processor.use(instance.processorPerFrame);
  await tables.use(1);
  await clock.sleep(latency.tableRead);
  await Promise.all([blobs.use(1), egress.use(work.frameBytes)]);
  await clock.sleep(latency.blobRead);
}

function busiest(world: World, processors: readonly Resource[]): string {
  const shared = [world.tables, world.logPartition, world.blobs, world.ingress, world.egress];
  const mean =
    processors.reduce((sum, one) => sum + one.utilisation, 0) / Math.max(processors.length, 1);
  const all = [
    ...shared.map(({ name, utilisation }) => ({ name, utilisation })),
    { name: 'our processors', utilisation: mean },
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

async function ingest(processes: number, refusals: Refusals): Promise<readonly string[]> {
  const world = newWorld();
  const { clock } = world;
  const tail: Tail = { revision: 0, appends: 0, lost: 0 };
  const processors = Array.from(
    { length: processes },
    (_, n) => new Resource(clock, `processor ${n}`, 1),
  );
  let stored = 0;
  const took: number[] = [];
  for (const processor of processors) {
    const appender = new Appender(world, tail, refusals);
    const client = async () => {
      for (;;) {
        const start = clock.now;
        await storeRequest(world, processor, appender);
        if (clock.now < warmUpSeconds) continue;
        stored += work.instancesPerRequest;
        took.push(clock.now - start);
      }
    };
    for (let n = 0; n < instance.requestsAtATime; n++) void client();
  }
  await clock.runUntil(seconds);
  const rate = stored / (seconds - warmUpSeconds);
  const lost = tail.lost / Math.max(tail.appends + tail.lost, 1);
  return [
    refusals,
    String(processes),
    rate.toFixed(0),
    (wholeArchive / rate / 3600).toFixed(1),
    percentile(took, 0.5).toFixed(2),
    percentile(took, 0.95).toFixed(2),
    `${Math.round(lost * 100)} %`,
    busiest(world, processors),
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
  const ingested: (readonly string[])[] = [];
  const viewed: (readonly string[])[] = [];
  for (const processes of instanceCounts) {
    console.error(`${processes} function instances`);
    for (const refusals of refusalKinds) ingested.push(await ingest(processes, refusals));
    viewed.push(await view(processes));
  }
  console.log(
    table(
      [
        'Refused appends',
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
