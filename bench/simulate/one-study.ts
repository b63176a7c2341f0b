/**
 * One study that several function instances fill at once: the archive of the service itself, over tables that take
 * their time and refuse who comes too late.
 */
import { attribute } from '../../src/dicom/attribute.js';
import type { DataSet } from '../../src/dicom/data-set.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  SOPInstanceUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../src/dicom/uid.js';
import { Archive } from '../../src/storage/archive/archive.js';
import { defaultPartition } from '../../src/storage/archive/keys.js';
import { growLog } from '../../src/storage/archive/log/log-tail.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { seededRandom } from '../../src/storage/memory/seeded-random.js';
import type { Runtime } from '../../src/storage/runtime.js';
import { Clock, Resource } from './clock.js';
import { LimitedTables } from './limited-tables.js';
import { account, instance, latency } from './limits.js';

const root = '1.2.826.0.1.3680043.8.498.7';
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

/** The UIDs of one of the instances. */
function uidsOf(number: number): InstanceUids {
  return {
    study: `${root}.1` as StudyInstanceUID,
    series: `${root}.2.${Math.floor(number / instancesPerSeries)}` as SeriesInstanceUID,
    instance: `${root}.3.${number}` as SOPInstanceUID,
  };
}

function dataSetOf({ study, series, instance: sop }: InstanceUids): DataSet {
  const value = (vr: 'UI' | 'CS' | 'LO', text: string) => ({ vr, Value: [text] });
  return {
    [attribute('SOPInstanceUID')]: value('UI', sop),
    [attribute('Modality')]: value('CS', 'CT'),
    [attribute('PatientID')]: value('LO', 'P1'),
    [attribute('StudyInstanceUID')]: value('UI', study),
    [attribute('SeriesInstanceUID')]: value('UI', series),
  };
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
      next = Math.min(next + instancesPerRequest, instances);
      const begun = clock.now;
      archive.expect(defaultPartition, uidsOf(first).study);
      await processor.use(instance.processorPerStore * (next - first));
      const numbers = Array.from({ length: next - first }, (_, n) => first + n);
      const results = await Promise.all(
        numbers.map(async (number) => {
          const uids = uidsOf(number);
          return await archive.store(defaultPartition, {
            ...{ uids, version: archive.newVersion(), length: 4, metadata },
            sopClass: '1.2.840.10008.5.1.4.1.1.2' as SOPClassUID,
            transferSyntax: '1.2.840.10008.1.2.1' as TransferSyntaxUID,
            dataSet: dataSetOf(uids),
            index: { frames: undefined, bulk: [] },
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
