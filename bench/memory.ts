/**
 * Proves that memory stays flat: `npm run bench:memory [-- --mib 1024] [--host local] [--attempts 1] [--requests 20000]`.
 * Stores one large file, then retrieves a study of twice the size by a slow reader, on each host, sends
 * bodies without a token, and follows the resident memory of the service. Exits 1 when it grows by the goal or more. With
 * `--attempts`, a host that does is measured anew: when garbage is collected moves a peak by some MiB,
 * but memory that grows with the files misses the goal every time. Then many small requests are sent, after
 * which the heap must be where it began (`heap-run.ts`); `--mib 0` does that alone, `--requests 0` leaves it out.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sendBlindly } from '../test/support/http-client.js';
import { heapPasses, measureHeap, type HeapFigures } from './heap-run.js';
import { largeFile, MiB, newUid, type LargeFile } from './large-files.js';
import {
  hosts,
  lockedSettings,
  startMeasuredService,
  type Host,
  type MeasuredService,
} from './measured-service.js';
import { bytesRead, residentBytes, watchPeak } from './process-memory.js';
import { retrieve, slowReader, store, type OnBytes } from './transfer.js';

const goalBytes = 64 * MiB;
/** Files that share the second half of the study, so that several are read ahead. */
const smallerFiles = 8;
/** Of a body that nobody has been asked for. */
const unaskedMebibytes = 300;

interface Figures {
  readonly host: Host;
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
  readonly before: number;
  readonly peak: number;
  /** How much further than its slow reader the service had read when the reader had paused. */
  readonly ahead: number | undefined;
}

const mebi = (bytes: number) => (bytes / MiB).toFixed(1);

function progress(host: Host, what: string, pid: number): OnBytes {
  let total = 0;
  let shown = 0;
  return (bytes) => {
    total += bytes;
    if (performance.now() - shown < 1000) return;
    shown = performance.now();
    const line = `${host}: ${what}, ${Math.round(total / MiB)} MiB, RSS ${mebi(residentBytes(pid))} MiB`;
    process.stderr.write(process.stderr.isTTY ? `\r${line.padEnd(79)}` : `${line}\n`);
  };
}

function checkDigests(sent: readonly ReadonlySet<string>[], received: ReadonlySet<string>): void {
  const expected = sent.flatMap((digests) => [...digests]);
  if (expected.length === received.size && expected.every((digest) => received.has(digest))) return;
  throw new Error('What was retrieved is not what was stored.');
}

/** Loads code and buffers: a small store and a retrieve, with as many files as are measured. */
async function warmUp({ baseUrl }: MeasuredService): Promise<void> {
  const study = newUid();
  const files = Array.from({ length: smallerFiles }, () => largeFile(study, 8));
  const nothing = () => undefined;
  const sent = await store(baseUrl, files, nothing);
  checkDigests([sent], await retrieve(baseUrl, study, [], nothing, nothing));
}

const unaskedHead = 'POST /studies HTTP/1.1\r\nContent-Type: multipart/related; boundary=b\r\n';

/** Sends a body without a token, to its end. @throws Error when the answer is not 401. */
async function sendUnasked(
  { baseUrl }: MeasuredService,
  mebibytes: number,
  isChunked: boolean,
  onBytes?: OnBytes,
): Promise<void> {
  const sending = { head: unaskedHead, mebibytes, isChunked };
  const { status } = await sendBlindly(baseUrl, sending, onBytes);
  if (status !== 401) throw new Error(`A body without a token was answered ${status}`);
}

/** The same where nobody is let in. */
async function warmUpLocked(service: MeasuredService): Promise<void> {
  for (const isChunked of [true, false]) await sendUnasked(service, 64, isChunked);
}

/** Runs one case in a process of its own, so that none hides in what another has left behind. */
async function measure(
  {
    host,
    what,
    dataDir,
    isLocked = false,
  }: Pick<Figures, 'host' | 'what'> & { readonly dataDir: string; readonly isLocked?: boolean },
  work: (service: MeasuredService, onBytes: OnBytes) => Promise<number | undefined>,
): Promise<Figures> {
  const service = await startMeasuredService(
    host,
    dataDir,
    isLocked ? { env: lockedSettings } : {},
  );
  try {
    await (isLocked ? warmUpLocked : warmUp)(service);
    const before = residentBytes(service.pid);
    let bytes = 0;
    const show = progress(host, what, service.pid);
    const started = performance.now();
    const peakOf = watchPeak(service.pid);
    const ahead = await work(service, (more) => {
      bytes += more;
      show(more);
    }).finally(peakOf);
    const seconds = (performance.now() - started) / 1000;
    return { host, what, bytes, seconds, before, peak: peakOf(), ahead };
  } finally {
    await service.stop();
  }
}

async function measureHost(
  host: Host,
  mebibytes: number,
  dataDir: string,
): Promise<readonly Figures[]> {
  const study = newUid();
  const one = largeFile(study, mebibytes);
  const several: readonly LargeFile[] = Array.from({ length: smallerFiles }, () =>
    largeFile(study, mebibytes / smallerFiles),
  );
  const sent: ReadonlySet<string>[] = [];
  const storing = (files: readonly LargeFile[]) => {
    return async ({ baseUrl }: MeasuredService, onBytes: OnBytes) => {
      sent.push(await store(baseUrl, files, onBytes));
      return undefined;
    };
  };
  const retrieving = async ({ baseUrl, pid }: MeasuredService, onBytes: OnBytes) => {
    const before = bytesRead(pid);
    let ahead: number | undefined;
    const received = await retrieve(baseUrl, study, slowReader(mebibytes), onBytes, (taken) => {
      const now = bytesRead(pid);
      if (before !== undefined && now !== undefined) ahead = now - before - taken;
    });
    checkDigests(sent, received);
    return ahead;
  };
  const files = `${smallerFiles} files in a request`;
  const unasked = (isChunked: boolean) => {
    return async (service: MeasuredService, onBytes: OnBytes) => {
      await sendUnasked(service, unaskedMebibytes, isChunked, onBytes);
      return undefined;
    };
  };
  const slow = `retrieve, ${smallerFiles + 1} files, slow reader`;
  return [
    await measure({ host, what: 'store, 1 file', dataDir }, storing([one])),
    await measure({ host, what: `store, ${files}`, dataDir }, storing(several)),
    await measure({ host, what: slow, dataDir }, retrieving),
    await measure({ host, what: 'no token, chunked', dataDir, isLocked: true }, unasked(true)),
    await measure({ host, what: 'no token, a length', dataDir, isLocked: true }, unasked(false)),
  ];
}

async function measureInNewFolder(host: Host, mebibytes: number): Promise<readonly Figures[]> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'dicomweb-bench-'));
  try {
    return await measureHost(host, mebibytes, dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function passes({ before, peak }: Figures): boolean {
  return peak - before < goalBytes;
}

function table(all: readonly Figures[]): string {
  const goal = `< ${mebi(goalBytes)}`;
  const head = ['host', 'case', 'MiB', 's', 'MiB/s', 'RSS before', 'peak', 'growth', 'goal', ''];
  const lines = all.map((figures) => {
    const { host, what, bytes, seconds, before, peak } = figures;
    const numbers = [bytes, seconds * MiB, bytes / seconds, before, peak, peak - before];
    return [host, what, ...numbers.map(mebi), goal, passes(figures) ? 'ok' : 'FAIL'];
  });
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? '').length)),
  );
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, column) =>
          column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  '),
    )
    .join('\n');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      mib: { type: 'string', default: '1024' },
      host: { type: 'string' },
      attempts: { type: 'string', default: '1' },
      requests: { type: 'string', default: '20000' },
    },
  });
  const mebibytes = Number(values.mib);
  const chosen = hosts.filter((host) => values.host === undefined || values.host === host);
  if (!Number.isInteger(mebibytes / smallerFiles) || mebibytes < 0 || chosen.length === 0) {
    throw new Error(
      `--mib is a multiple of ${smallerFiles}; --host is ${hosts.join(' or ')}, or left out.`,
    );
  }
  const all: Figures[] = [];
  // A run of requests alone: --mib 0.
  for (const host of mebibytes === 0 ? [] : chosen) {
    let figures = await measureInNewFolder(host, mebibytes);
    for (let attempt = 2; attempt <= Number(values.attempts) && !figures.every(passes); attempt++) {
      console.error(`${table(figures)}\n${host}: attempt ${attempt} of ${values.attempts}`);
      figures = await measureInNewFolder(host, mebibytes);
    }
    all.push(...figures);
  }
  if (process.stderr.isTTY) process.stderr.write('\r');
  if (all.length > 0) console.log(table(all));
  for (const { host, ahead } of all) {
    if (ahead === undefined) continue;
    console.log(
      `${host}: after a pause of the reader the service had read ${mebi(ahead)} MiB more than it.`,
    );
  }
  const heaps: HeapFigures[] = [];
  for (const host of Number(values.requests) > 0 ? chosen : []) {
    const figures = await measureHeap(host, Number(values.requests));
    const { requests, seconds, before, after } = figures;
    const growth = `heap after collection ${mebi(before)} MiB, then ${mebi(after)} MiB`;
    const verdict = heapPasses(figures) ? 'ok' : 'FAIL';
    console.log(`${host}: ${requests} requests in ${seconds.toFixed(0)} s: ${growth}, ${verdict}`);
    heaps.push(figures);
  }
  if (!all.every(passes) || !heaps.every(heapPasses)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
