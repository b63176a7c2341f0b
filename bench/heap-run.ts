/**
 * Many small requests of every kind, after which the heap of the service must be where it began: what a
 * request leaves behind for good shows here, though it is too little to show in a few large ones.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sampleInstance } from '../test/support/part10-builder.js';
import { MiB, newUid } from './large-files.js';
import { startMeasuredService, type Host } from './measured-service.js';
import { pathOf, storeRequest, type MadeInstance } from './speed/instances.js';
import { Client, rateOf, type Call } from './speed/load.js';

const clients = 8;
const instances = 10;
/** One in so many requests stores: each makes the archive larger, and Azurite slower. */
const storesOneIn = 50;
/**
 * V8 goes on compiling what is called often, and caches fill. What is kept of studies that were just stored, at
 * most a thousand of them for five minutes, still grows after it.
 */
const warmUpRequests = 20_000;
export const heapGoalBytes = 3 * MiB;

export interface HeapFigures {
  readonly host: Host;
  readonly requests: number;
  readonly seconds: number;
  /** After collection. */
  readonly before: number;
  readonly after: number;
}

export function heapPasses({ before, after }: HeapFigures): boolean {
  return Math.abs(after - before) < heapGoalBytes;
}

function madeInstances(study: string, count: number): readonly MadeInstance[] {
  return Array.from({ length: count }, () => {
    const uids = { study, series: `${study}.1`, instance: newUid() };
    return { ...uids, bytes: sampleInstance(uids) };
  });
}

/** Requests of every kind, in turns. */
function requestsOf(stored: readonly MadeInstance[], etag: string): (n: number) => Call {
  const [first] = stored;
  if (first === undefined) throw new RangeError('Nothing is stored.');
  const study = `/studies/${first.study}`;
  const json = { Accept: 'application/dicom+json' };
  const files = { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };
  const frames = {
    Accept: 'multipart/related; type="application/octet-stream"; transfer-syntax=*',
  };
  const at = (n: number) => pathOf(stored[n % stored.length] ?? first);
  const kinds: readonly ((n: number) => Call)[] = [
    (n) => ({ path: at(n), headers: files }),
    (n) => ({ path: at(n), headers: { Accept: 'application/dicom; transfer-syntax=*' } }),
    (n) => ({
      path: at(n),
      headers: { Accept: 'application/dicom; transfer-syntax=*', Range: 'bytes=10-200' },
      status: 206,
    }),
    (n) => ({ path: `${at(n)}/frames/1`, headers: frames }),
    (n) => ({ path: `${at(n)}/metadata`, headers: json }),
    () => ({ path: `${study}/metadata`, headers: { ...json, 'Accept-Encoding': 'gzip' } }),
    () => ({ path: `${study}/metadata`, headers: { ...json, 'If-None-Match': etag }, status: 304 }),
    () => ({ path: study, headers: files }),
    () => ({ path: `/studies?StudyInstanceUID=${first.study}`, headers: json }),
    () => ({ path: '/studies?limit=5', headers: json }),
    () => ({ path: `${study}/instances?limit=3`, headers: json }),
    () => ({ path: '/no/such/path', status: 404 }),
    () => ({ path: `/studies/${newUid()}/metadata`, headers: json, status: 404 }),
    (n) => ({ method: 'HEAD', path: at(n), headers: files }),
    () => ({ path: '/changefeed?limit=5' }),
    (n) => ({ path: `${at(n)}/rendered`, headers: { Accept: 'image/jpeg' } }),
    (n) => ({ path: `${at(n)}/thumbnail`, headers: { Accept: 'image/png' } }),
    (n) => ({
      path: `${at(n)}/frames/1`,
      headers: { Accept: 'multipart/related; type="image/jls"' },
    }),
    () => ({ path: study, headers: { Accept: 'application/zip' } }),
    () => ({ path: '/studies?PatientName=*o*&limit=3', headers: json }),
    () => ({ path: `${study}/series?Modality=CT`, headers: { Accept: 'text/csv' } }),
    () => ({ path: `${study}/metadata`, headers: { Accept: 'text/nothing' }, status: 406 }),
    () => ({ method: 'DELETE', path: `/studies/${newUid()}`, status: 404 }),
    () => ({ path: '/health/check' }),
  ];
  const studies = Array.from({ length: 8 }, newUid);
  return (n) => {
    // Into a few studies: of each that is written the service keeps the rows for some minutes.
    const written = studies[(n / storesOneIn) % studies.length];
    if (written !== undefined) return storeRequest(madeInstances(written, 1));
    const call = kinds[n % kinds.length];
    if (call === undefined) throw new RangeError('no kind');
    return call(n);
  };
}

/** The heap of a process with the probe in it. */
async function heapOf(pid: number, file: string): Promise<number> {
  rmSync(file, { force: true });
  process.kill(pid, 'SIGUSR2');
  for (let waited = 0; waited < 600; waited += 1) {
    await sleep(100);
    try {
      return Number(readFileSync(file, 'utf8'));
    } catch {
      // Not yet.
    }
  }
  throw new Error('The process does not tell its heap.');
}

/** Measures one host, in a process and an archive of their own. */
export async function measureHeap(host: Host, requests: number): Promise<HeapFigures> {
  const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-heap-'));
  const probe = path.join(folder, 'heap');
  const service = await startMeasuredService(host, path.join(folder, 'data'), {
    nodeArguments: ['--expose-gc', '--require', path.join(__dirname, 'heap-probe.js')],
    env: { HEAP_PROBE: probe },
  });
  const client = new Client(service.baseUrl, clients);
  try {
    const stored = madeInstances(newUid(), instances);
    await client.send(storeRequest(stored));
    const metadata = `/studies/${stored[0]?.study ?? ''}/metadata`;
    const headers = { Accept: 'application/dicom+json' };
    const { etag } = (await client.send({ path: metadata, headers })).headers;
    const callOf = requestsOf(stored, String(etag));
    const send = async (count: number) =>
      await rateOf(clients, count, async (n) => await client.send(callOf(n)));
    await send(warmUpRequests);
    const before = await heapOf(service.pid, probe);
    const started = performance.now();
    await send(requests);
    const seconds = (performance.now() - started) / 1000;
    return { host, requests, seconds, before, after: await heapOf(service.pid, probe) };
  } finally {
    client.close();
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
