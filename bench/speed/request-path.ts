/**
 * Rows 1 to 7 and 15: what the request path takes beside a lean server on the storage SDKs, by processor time
 * of the process and by rate, for each kind of work. Both use one Azurite and meet one client in turns.
 */
import path from 'node:path';
import { bytesOf, largeFile, newUid } from '../large-files.js';
import { store as storeLarge } from '../transfer.js';
import type { Context, Part } from './context.js';
import { columns, madeInstance, madeSeries, pathOf, rows, storeRequest } from './instances.js';
import type { MadeInstance } from './instances.js';
import { Client, rateOf, type Call } from './load.js';
import { processorMilliseconds } from './processor-time.js';
import { inTurns, summarise, type Comparison, type Row } from './row.js';
import { startScript, type RunningService } from './service.js';

const clients = 8;
const frames = 500;
const frameBytes = rows * columns * 2;
const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';
const anyFrame = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
const json = { Accept: 'application/dicom+json', 'Accept-Encoding': 'gzip' };
const against = 'lean server on the SDKs';
const leastRate = 0.8;

/** One kind of work: the same request for either server. */
interface Work {
  readonly number: string;
  readonly what: string;
  readonly route: string;
  /** Requests in a round. */
  readonly requests: number;
  /** What a request counts for. */
  readonly units: number;
  readonly unit: string;
  readonly atMost: number;
  readonly ours: (n: number) => Call;
  readonly theirs: (n: number) => Call;
  readonly against?: string;
}

interface Server {
  readonly pid: number;
  readonly client: Client;
}

interface Figures {
  readonly rate: number;
  readonly milliseconds: number;
}

async function measure(server: Server, work: Work, callOf: Work['ours']): Promise<Figures> {
  const calls = Array.from({ length: work.requests }, (_, n) => callOf(n));
  const before = processorMilliseconds(server.pid);
  const rate = await rateOf(clients, work.requests, async (n) => {
    const call = calls[n];
    if (call !== undefined) await server.client.send(call);
  });
  const spent = processorMilliseconds(server.pid) - before;
  return { rate: rate * work.units, milliseconds: spent / (work.requests * work.units) };
}

async function rowsOf(
  { service, rounds, progress }: Context,
  servers: { readonly ours: Server; readonly theirs: Server },
  work: Work,
): Promise<readonly Row[]> {
  progress(work.what);
  service.storageCalls('');
  const all: { ours: Figures[]; theirs: Figures[] } = { ours: [], theirs: [] };
  const rates = await inTurns(
    rounds,
    async () => {
      const figures = await measure(servers.ours, work, work.ours);
      all.ours.push(figures);
      return figures.rate;
    },
    async () => {
      const figures = await measure(servers.theirs, work, work.theirs);
      all.theirs.push(figures);
      return figures.rate;
    },
  );
  // The first round warms up.
  const times: readonly Comparison[] = all.ours.slice(1).map(({ milliseconds }, n) => {
    return { ours: milliseconds, theirs: all.theirs[n + 1]?.milliseconds ?? Number.NaN };
  });
  const storageCalls = service.storageCalls(work.route);
  const { number, what } = work;
  const calls = storageCalls === undefined ? {} : { storageCalls };
  const common = { number, work: what, against: work.against ?? against, ...calls };
  return [
    {
      ...common,
      unit: `ms of processor per ${work.unit}`,
      ...summarise(times),
      goal: { atMost: work.atMost },
    },
    { ...common, unit: `${work.unit}s/s`, ...summarise(rates), goal: { atLeast: leastRate } },
  ];
}

function at<T>(list: readonly T[], n: number): T {
  const one = list[n % list.length];
  if (one === undefined) throw new RangeError('The list is empty.');
  return one;
}

function storeAtReference(instances: readonly MadeInstance[]): Call {
  const call = storeRequest(instances);
  const named = instances.map(({ study, series, instance }) => `${study}/${series}/${instance}`);
  return { ...call, headers: { ...call.headers, 'X-Instances': named.join(' ') } };
}

async function storeWork(
  _: Context,
  servers: { readonly ours: Server; readonly theirs: Server },
): Promise<readonly Work[]> {
  const studies = Array.from({ length: clients }, newUid);
  for (const study of studies) {
    const first = [madeInstance(study, 0)];
    await servers.ours.client.send(storeRequest(first));
    await servers.theirs.client.send(storeAtReference(first));
  }
  const made = (n: number, count: number) =>
    Array.from({ length: count }, (_, m) => madeInstance(at(studies, n), m + 1));
  const common = { route: 'storeInstances', unit: 'instance' };
  const storing = (count: number) => ({
    units: count,
    ours: (n: number) => storeRequest(made(n, count)),
    theirs: (n: number) => storeAtReference(made(n, count)),
  });
  return [
    {
      ...common,
      ...storing(1),
      number: '1',
      what: 'store 525 KB in a known series, one a request',
      requests: 96,
      atMost: 1.5,
    },
    {
      ...common,
      ...storing(25),
      number: '2',
      what: 'store 525 KB in a known series, 25 a request',
      requests: 16,
      atMost: 1.3,
    },
  ];
}

async function retrieveWork(
  { service }: Context,
  servers: { readonly ours: Server; readonly theirs: Server },
): Promise<readonly Work[]> {
  const series = madeSeries(100);
  for (let from = 0; from < series.length; from += 25) {
    const part = series.slice(from, from + 25);
    await servers.ours.client.send(storeRequest(part));
    await servers.theirs.client.send(storeAtReference(part));
  }
  const file = largeFile(newUid(), (frames * frameBytes) / 1024 ** 2);
  await storeLarge(service.baseUrl, [file], () => undefined);
  const bytes = Buffer.concat([...bytesOf(file)]);
  const large = { study: file.study, series: `${file.study}.1`, instance: file.instance, bytes };
  await servers.theirs.client.send(storeAtReference([large]));
  const frameOf = (n: number) => (n * 37) % frames;
  const header = bytes.length - frames * frameBytes;
  const framePath = pathOf(large);
  const studyPath = `/studies/${at(series, 0).study}`;
  const metadata: Call = { path: `${studyPath}/metadata`, headers: json };

  /** Gives the reference server what ours answers. */
  const can = async (call: Call, status = 200) => {
    const answer = await servers.ours.client.send({ ...call, status, keep: true });
    const names = Object.entries(answer.headers).filter(
      ([name]) => !['content-length', 'transfer-encoding', 'connection', 'date'].includes(name),
    );
    await servers.theirs.client.send({
      method: 'PUT',
      path: call.path,
      headers: { 'X-Answer': JSON.stringify({ status, headers: Object.fromEntries(names) }) },
      body: [answer.body ?? Buffer.alloc(0)],
    });
    return answer;
  };
  await servers.ours.client.send(metadata);
  const { headers } = await can(metadata);
  const unknown: Call = { path: '/no/such/path', headers: { Accept: '*/*' } };
  await can(unknown, 404);
  const notModified = (etag: string): Call => ({
    ...metadata,
    headers: { ...json, 'If-None-Match': etag },
    status: 304,
  });
  const retrieving = { headers: { Accept: asStored } };
  return [
    {
      number: '3',
      what: 'retrieve an instance of 525 KB',
      route: 'retrieveInstance',
      requests: 200,
      units: 1,
      unit: 'instance',
      atMost: 1.25,
      ours: (n) => ({ ...retrieving, path: pathOf(at(series, n)) }),
      theirs: (n) => ({ ...retrieving, path: pathOf(at(series, n)) }),
    },
    {
      number: '4',
      what: `retrieve a frame of ${frameBytes >> 10} KiB of an object of ${frames}`,
      route: 'retrieveFrames',
      requests: 200,
      units: 1,
      unit: 'frame',
      atMost: 1.3,
      ours: (n) => ({
        path: `${framePath}/frames/${frameOf(n) + 1}`,
        headers: { Accept: anyFrame },
      }),
      theirs: (n) => ({
        path: `${framePath}?bytes=${header + frameOf(n) * frameBytes}-${frameBytes}`,
      }),
    },
    {
      number: '5',
      what: 'retrieve a study of 100 instances',
      route: 'retrieveStudy',
      requests: 2,
      units: series.length,
      unit: 'instance',
      atMost: 1.2,
      ours: () => ({ ...retrieving, path: studyPath }),
      theirs: () => ({ ...retrieving, path: studyPath }),
    },
    {
      number: '6',
      what: 'metadata of a study of 100 instances, warm, gzip',
      route: 'retrieveStudyMetadata',
      requests: 300,
      units: 1,
      unit: 'request',
      atMost: 1.4,
      ours: () => metadata,
      theirs: () => metadata,
    },
    {
      number: '7',
      what: 'the same, not modified (304)',
      route: 'retrieveStudyMetadata',
      requests: 400,
      units: 1,
      unit: 'request',
      atMost: 1.4,
      ours: () => notModified(String(headers['etag'])),
      theirs: () => notModified('"reference"'),
    },
    {
      number: '15',
      what: 'a path that is not there (404)',
      route: 'unknownRoute',
      requests: 1000,
      units: 1,
      unit: 'request',
      atMost: 2,
      against: 'bare http server',
      ours: () => ({ ...unknown, status: 404 }),
      theirs: () => ({ ...unknown, status: 404 }),
    },
  ];
}

export const requestPath: Part = {
  name: 'path',
  rounds: 5,
  measure: async (context) => {
    if (process.platform !== 'linux') return [];
    const { service, connectionString } = context;
    const reference: RunningService = await startScript(
      path.join(__dirname, 'reference-server.js'),
      [],
      { DicomStorage: connectionString },
    );
    const ours = { pid: service.pid, client: new Client(service.baseUrl, clients) };
    const theirs = { pid: reference.pid, client: new Client(reference.baseUrl, clients) };
    const servers = { ours, theirs };
    try {
      const all: Row[] = [];
      for (const prepare of [retrieveWork, storeWork]) {
        for (const work of await prepare(context, servers)) {
          if (context.wants(work.number)) all.push(...(await rowsOf(context, servers, work)));
        }
      }
      return all;
    } finally {
      ours.client.close();
      theirs.client.close();
      await reference.stop();
    }
  },
};
