/**
 * One study that several function instances fill at once: the archive of the service itself, over tables that take
 * their time and refuse who comes too late.
 */
import { Archive } from '../../src/storage/archive/archive.js';
import { growLog } from '../../src/storage/archive/log/log-tail.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { seededRandom } from '../../src/storage/memory/seeded-random.js';
import type { Runtime } from '../../src/storage/runtime.js';
import {
  fileOf,
  partition,
  studyUid,
  type Sample,
} from '../../test/storage/archive/support/samples.js';
import { Clock, Resource } from './clock.js';
import { LimitedTables } from './limited-tables.js';
import { account, instance, latency } from './limits.js';

/** Requests on their way at any time, whatever the number of function instances. */
const requestsAtATime = 16;
const instancesPerSeries = 100;
const metadata = new Uint8Array(1500);

export interface OneStudy {
  readonly processes: number;
  readonly instances: number;
  readonly instancesPerRequest: number;
  readonly shards: number;
  readonly seed: number;
}

export interface OneStudyFigures {
  readonly instancesPerSecond: number;
  /** The longest request, in seconds. */
  readonly slowest: number;
  /** Transactions in the catalog, those that were refused among them. */
  readonly commits: number;
  readonly refused: number;
  readonly calls: number;
}

/** Numbers of one of the instances, as samples of the archive have them. */
function sampleOf(number: number): Sample {
  return { study: 1, series: Math.floor(number / instancesPerSeries), instance: number };
}

export async function storeOneStudy(run: OneStudy): Promise<OneStudyFigures> {
  const { processes, instances, instancesPerRequest, shards, seed } = run;
  const clock = new Clock();
  const tables = new LimitedTables(
    clock,
    new Resource(clock, 'tables', account.tableOperationsPerSecond),
  );
  await growLog(tables.atOnce, shards);
  const blobs = new MemoryBlobStore();
  const sleep = async (milliseconds: number) => await clock.sleep(milliseconds / 1000);
  const all = Array.from({ length: processes }, (_, number) => {
    const runtime: Runtime = { sleep, rest: sleep, random: seededRandom(number + 1 + 100 * seed) };
    const processor = new Resource(clock, `processor ${number}`, 1);
    return { processor, archive: new Archive({ tables, blobs, runtime }) };
  });
  let next = 0;
  let stored = 0;
  let slowest = 0;
  let end = 0;
  const client = async ({ archive, processor }: (typeof all)[number]) => {
    while (next < instances) {
      const first = next;
      const many = Math.min(instancesPerRequest, instances - first);
      // Others go on with it while this waits.
      next += many;
      const begun = clock.now;
      archive.expect(partition, studyUid(1));
      await processor.use(instance.processorPerStore * many);
      const numbers = Array.from({ length: many }, (_, n) => first + n);
      const results = await Promise.all(
        numbers.map(async (number) => {
          return await archive.store(partition, {
            ...fileOf(sampleOf(number), archive.newVersion()),
            metadata,
            uploaded: clock.sleep(latency.blobWrite),
          });
        }),
      );
      stored += results.filter((result) => result === 'stored').length;
      slowest = Math.max(slowest, clock.now - begun);
      end = clock.now;
    }
  };
  for (let n = 0; n < requestsAtATime; n++) {
    const process = all[n % processes];
    if (process !== undefined) void client(process);
  }
  await clock.runUntil(600);
  if (stored !== instances) throw new Error(`${stored} of ${instances} were stored.`);
  const { committed, refused } = tables.transactionsOf('catalog');
  return {
    instancesPerSecond: instances / end,
    slowest,
    commits: committed + refused,
    refused,
    calls: tables.calls,
  };
}
