/** The client of the measurement: stores at full speed, and retrieves as slowly as it is told to. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMediaType } from '../src/http/media-type.js';
import { readMultipart } from '../src/multipart/reader.js';
import { bytesOf, MiB, type LargeFile } from './large-files.js';

/** Told how many more bytes have passed. */
export type OnBytes = (bytes: number) => void;

/** One stretch of a slow reading: so many bytes, then a pause. */
export interface Stretch {
  readonly bytes: number;
  readonly pauseMilliseconds: number;
}

const boundary = 'memory-benchmark';

function* multipart(files: readonly LargeFile[], digests: Set<string>): Generator<Uint8Array> {
  for (const file of files) {
    yield Buffer.from(`\r\n--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`);
    const hash = createHash('sha256');
    for (const chunk of bytesOf(file)) {
      hash.update(chunk);
      yield chunk;
    }
    digests.add(hash.digest('hex'));
  }
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

async function* counted(chunks: Iterable<Uint8Array>, onBytes: OnBytes) {
  for (const chunk of chunks) {
    yield chunk;
    onBytes(chunk.byteLength);
    // Lets timers run: chunks are made faster than they are sent only until buffers are full.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  if (incoming.statusCode === 200) return incoming;
  const text = (await incoming.toArray()).join('').slice(0, 1000);
  throw new Error(`${outgoing.method} was answered ${String(incoming.statusCode)}: ${text}`);
}

/** Stores files in one chunked STOW-RS request; resolves to the digests of what was sent. */
export async function store(
  baseUrl: string,
  files: readonly LargeFile[],
  onBytes: OnBytes,
): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  const outgoing = request(`${baseUrl}/studies`, {
    method: 'POST',
    headers: {
      Accept: 'application/dicom+json',
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
    },
  });
  const sent = pipeline(
    Readable.from(counted(multipart(files, digests), onBytes), { objectMode: false }),
    outgoing,
  );
  const [answer] = await Promise.all([answerOf(outgoing), sent]);
  answer.resume();
  return digests;
}

async function* slowly(
  incoming: IncomingMessage,
  stretches: readonly Stretch[],
  onBytes: OnBytes,
  onPaused: (received: number) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const left = [...stretches];
  let received = 0;
  let ofStretch = 0;
  for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
    received += chunk.byteLength;
    ofStretch += chunk.byteLength;
    onBytes(chunk.byteLength);
    yield chunk;
    const stretch = left[0];
    if (stretch === undefined || ofStretch < stretch.bytes) continue;
    await sleep(stretch.pauseMilliseconds);
    if (left.length === stretches.length) onPaused(received);
    ofStretch = 0;
    left.shift();
  }
}

/**
 * Retrieves a study in stretches, the rest at full speed; resolves to the digests of its instances.
 *
 * @param onPaused - told at the end of the first pause how many bytes had been taken by then.
 */
export async function retrieve(
  baseUrl: string,
  study: string,
  stretches: readonly Stretch[],
  onBytes: OnBytes,
  onPaused: (received: number) => void,
): Promise<ReadonlySet<string>> {
  const outgoing = request(`${baseUrl}/studies/${study}`, {
    headers: { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
  });
  outgoing.end();
  const incoming = await answerOf(outgoing);
  const type = parseMediaType(incoming.headers['content-type'] ?? '');
  const digests = new Set<string>();
  const body = slowly(incoming, stretches, onBytes, onPaused);
  for await (const part of readMultipart(body, type?.parameters.get('boundary') ?? '')) {
    const hash = createHash('sha256');
    for await (const chunk of part.body) hash.update(chunk);
    digests.add(hash.digest('hex'));
  }
  return digests;
}

/** Sixteen mebibytes and a long pause, then bursts, as of a client on a line of 16 MiB/s. */
export function slowReader(mebibytes: number): readonly Stretch[] {
  const burst = { bytes: 4 * MiB, pauseMilliseconds: 250 };
  const first = { bytes: Math.min(16, mebibytes / 8) * MiB, pauseMilliseconds: 5_000 };
  return [first, ...Array.from({ length: 32 }, () => burst)];
}
