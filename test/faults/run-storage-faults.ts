/** Lets the storage misbehave while clients use the service. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena, type Report } from './kill/arena.js';
import { seededRandom } from '../../src/storage/memory/seeded-random.js';
import { startFaultyProxy, type Fault, type FaultSpans } from './storage/faulty-proxy.js';

export interface StorageFaultRun extends FaultSpans {
  readonly connectionString: string;
  /** Of the names of tables and containers. */
  readonly prefix: string;
  readonly seconds: number;
  /** The share of storage requests that meet a fault. */
  readonly share: number;
  readonly seed: number;
  /** Clients at once; as many as an arena has when left out. */
  readonly clients?: number;
}

/** Storage requests have this long; so silence is noticed soon. */
const storageTimeoutMilliseconds = 1500;

/** @returns the report, and how often each fault was met. */
export async function runStorageFaults({
  connectionString,
  prefix,
  seconds,
  share,
  seed,
  clients,
  ...spans
}: StorageFaultRun): Promise<{
  readonly report: Report;
  readonly met: ReadonlyMap<Fault, number>;
}> {
  const random = seededRandom(seed);
  const proxy = await startFaultyProxy(connectionString, random, spans);
  try {
    const arena = await Arena.open({
      connectionString,
      serviceConnectionString: proxy.connectionString,
      prefix,
      ...(clients !== undefined && { clients }),
      storageTimeoutMilliseconds,
      answerMilliseconds: 60_000 + spans.busySeconds * 1000,
      random,
    });
    const load = arena.startLoad();
    proxy.share = share;
    await sleep(seconds * 1000);
    proxy.share = 0;
    await load.stop();
    // Nothing is on its way any more.
    await sleep(spans.lateSeconds * 1000);
    return { report: await arena.finish(), met: proxy.met };
  } finally {
    await proxy.stop();
  }
}
