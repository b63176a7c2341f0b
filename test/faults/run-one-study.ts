/** Several processes store one study at once, as an import does: every instance gets in. */
import { deployedLogShards } from '../../src/host/config.js';
import { prepareArchive } from '../../src/storage/archive/layout.js';
import { connectStorage } from '../../src/storage/azure/connect.js';
import { timeBudgets } from '../../src/time-budgets.js';
import { writeParts } from '../support/multipart.js';
import { newFile } from './kill/files.js';
import { noCalls, type CallCount, type CallCounts, type CallKind } from './kill/counted-calls.js';
import type { LogFindings } from './kill/service-child.js';
import { startServiceProcess } from './kill/service-child.js';
import type { Sample } from './kill/service-process.js';

/** The study that is stored, or the first of several. */
const theStudy = 1;
const root = '1.2.826.0.1.3680043.8.498.7';
const boundary = 'a-boundary';
export interface OneStudyRun {
  readonly connectionString: string;
  /** Of another storage, in which each process stores a study before, so that its code is compiled. */
  readonly warmUpConnectionString?: string;
  /** Of the names of tables and containers. */
  readonly prefix: string;
  readonly processes: number;
  /** Sent to all processes together. */
  readonly requestsAtATime: number;
  readonly instances: number;
  /** 1, or as many as there are processes: then each process stores a study of its own. */
  readonly studies: number;
  readonly instancesPerRequest: number;
  /** Instances of that study. */
  readonly warmUp: number;
  /** Milliseconds of processor time that storage has taken so far. */
  readonly storageTime: () => number;
}

export interface OneStudyReport {
  readonly processes: number;
  readonly studies: number;
  readonly requestsAtATime: number;
  /** Answers other than 200, and instances that those of 200 did not take. */
  readonly failed: number;
  /** Instances that were acknowledged and are not there, or not in the counts. */
  readonly lost: number;
  readonly instancesPerSecond: number;
  /** Processor time of the processes for each instance. */
  readonly processorMilliseconds: number;
  readonly storageMilliseconds: number;
  /** Calls to tables, by what they are for. */
  readonly calls: CallCounts;
}

interface Element {
  readonly Value?: readonly unknown[];
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/** Stores instances of a study; answers how many were refused. */
async function store(url: string, of: number, numbers: readonly number[]): Promise<number> {
  const parts = numbers.map((number) => {
    const study = `${root}.${of}`;
    // A hundred instances a series.
    const series = `${study}.2.${Math.floor(number / 100)}`;
    const instance = `${study}.3.${number}`;
    const { file } = newFile({ study, series, instance, modality: 'CT', big: false });
    return { headers: ['Content-Type: application/dicom'], body: file };
  });
  const response = await fetch(`${url}/studies`, {
    method: 'POST',
    body: writeParts(parts, boundary),
    headers: {
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
    },
  });
  await response.text();
  return response.status === 200 ? 0 : numbers.length;
}

/** How many instances of a study there are, by its rows or by its count, whichever is less. */
async function found(url: string, of: number): Promise<number> {
  const headers = { Accept: 'application/dicom+json' };
  const metadata = await fetch(`${url}/studies/${root}.${of}/metadata`, { headers });
  const all = (await metadata.json()) as readonly unknown[];
  const query = `StudyInstanceUID=${root}.${of}&includefield=NumberOfStudyRelatedInstances`;
  const search = await fetch(`${url}/studies?${query}`, { headers });
  const [study] = (await search.json()) as readonly Readonly<Record<string, Element>>[];
  return Math.min(all.length, Number(study?.['00201208']?.Value?.[0] ?? 0));
}

/** Starts the processes, stores the study, and looks at what is there. */
export async function runOneStudy(run: OneStudyRun): Promise<OneStudyReport> {
  const { connectionString, warmUpConnectionString, prefix, processes, instances } = run;
  const { studies, requestsAtATime, instancesPerRequest, warmUp } = run;
  for (const one of [connectionString, warmUpConnectionString]) {
    if (one === undefined) continue;
    const storage = connectStorage({ connectionString: one }, { prefix });
    await storage.ensureCreated();
    await prepareArchive(storage.tables, deployedLogShards);
  }
  const log: LogFindings = { faults: [], crashes: [], slowestMilliseconds: 0 };
  const children = await Promise.all(
    Array.from({ length: processes }, async () => {
      const storage = {
        ...{ connectionString, prefix },
        ...(warmUpConnectionString !== undefined && { warmUpConnectionString }),
      };
      const service = { ...storage, timing: timeBudgets, clockOffset: 0 };
      return await startServiceProcess({ ...service, recoveryMilliseconds: 60_000 }, log);
    }),
  );
  try {
    let failed = 0;
    const numbers = Array.from({ length: studies }, (_, number) => number);
    /** Clients that store one study together, each through the process that it was given. */
    const storeAll = async (of: number, many: number, urls: readonly string[]) => {
      let next = 0;
      const client = async (url: string) => {
        while (next < many) {
          const first = next;
          next = Math.min(next + instancesPerRequest, many);
          const some = Array.from({ length: next - first }, (_, n) => first + n);
          // Not in one: others add while this waits.
          const refused = await store(url, of, some);
          failed += refused;
        }
      };
      await Promise.all(urls.map(client));
    };
    await Promise.all(
      children.map(async ({ warmUpUrl }, number) => {
        await storeAll(theStudy + number, warmUp, [warmUpUrl, warmUpUrl]);
      }),
    );
    const before = await Promise.all(children.map(async (child) => await child.sample()));
    const storageBefore = run.storageTime();
    const started = performance.now();
    const clients = Array.from({ length: requestsAtATime }, (_, n) => n);
    await Promise.all(
      numbers.map(async (number) => {
        const some = clients.filter((client) => client % studies === number);
        const urls = some.map((client) => children[client % processes]?.url ?? '');
        await storeAll(theStudy + number, instances / studies, urls);
      }),
    );
    const seconds = (performance.now() - started) / 1000;
    const storageMilliseconds = (run.storageTime() - storageBefore) / instances;
    const after = await Promise.all(children.map(async (child) => await child.sample()));
    const spent = (of: (sample: Sample) => number) => sum(after.map(of)) - sum(before.map(of));
    const countOf = (sample: Sample, kind: CallKind) => new Map(sample.calls).get(kind) ?? noCalls;
    const kinds = new Set(after.flatMap(({ calls }) => calls.map(([kind]) => kind)));
    const calls = [...kinds].map((kind) => {
      const of = (what: keyof CallCount) => spent((sample) => countOf(sample, kind)[what]);
      return [kind, { calls: of('calls'), refused: of('refused'), rows: of('rows') }] as const;
    });
    const { url = '' } = children[0] ?? {};
    const counts = await Promise.all(
      numbers.map(async (number) => await found(url, theStudy + number)),
    );
    return {
      processes,
      studies,
      requestsAtATime,
      failed,
      // What was answered as failed may be there.
      lost: Math.max(instances - failed - sum(counts), 0),
      instancesPerSecond: (instances - failed) / seconds,
      processorMilliseconds: spent((sample) => sample.processorMilliseconds) / instances,
      storageMilliseconds,
      calls: new Map(calls),
    };
  } finally {
    await Promise.all(children.map(async (child) => await child.kill()));
  }
}
