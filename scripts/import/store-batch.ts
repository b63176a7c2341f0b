/** Stores a few files in one request, streamed from disk, and reads the answer file by file. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { alreadyStored } from '../support/dicomweb-client.js';
import { sendWithRetries, retryAfterOf } from '../support/with-retries.js';
import type { LocalFile } from './local-files.js';
import type { Result } from './tally.js';

/** Where files go. */
export interface Target {
  readonly url: string;
  readonly token?: string;
  /** Milliseconds before each further attempt while the service is busy or away. */
  readonly pauses: readonly number[];
}

/** `PUT` replaces what is there. */
export type StoreMethod = 'POST' | 'PUT';

/** The service does not let us store at all; further files would fare no better. */
export class StoreDenied extends Error {
  override readonly name = 'StoreDenied';
}

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Seconds. */
  readonly retryAfter: number;
}

/** By SOP Instance UID; `undefined` for what is stored. */
type Answered = ReadonlyMap<string, { readonly reason: number; readonly why: string } | undefined>;

const dicom = 'application/dicom';
const denied: Readonly<Record<number, string>> = {
  401: 'the service wants a token (401): set DICOMWEB_TOKEN.',
  403: 'the token may not store (403).',
  404: 'nothing there takes studies (404): is the URL right?',
};

async function* multipart(
  files: readonly LocalFile[],
  boundary: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const { path } of files) {
    yield Buffer.from(`--${boundary}\r\nContent-Type: ${dicom}\r\n\r\n`);
    yield* createReadStream(path) as AsyncIterable<Uint8Array>;
    yield Buffer.from('\r\n');
  }
  yield Buffer.from(`--${boundary}--\r\n`);
}

async function post(
  { url, token }: Target,
  files: readonly LocalFile[],
  method: StoreMethod,
): Promise<Answer> {
  const boundary = randomUUID();
  const response = await fetch(`${url}/studies`, {
    method,
    headers: {
      Accept: 'application/dicom+json',
      'Content-Type': `multipart/related; type="${dicom}"; boundary=${boundary}`,
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    },
    body: ReadableStream.from(multipart(files, boundary)),
    duplex: 'half',
  });
  const retryAfter = retryAfterOf(response);
  return { status: response.status, body: await response.text(), retryAfter };
}

/** @throws ServiceUnreachable when the service stays away or busy, StoreDenied. */
async function postWithRetries(
  target: Target,
  files: readonly LocalFile[],
  method: StoreMethod,
): Promise<Answer> {
  const send = async () => await post(target, files, method);
  const answer = await sendWithRetries(target.url, target.pauses, send);
  const denial = denied[answer.status];
  if (denial !== undefined) throw new StoreDenied(denial);
  return answer;
}

type Json = Readonly<Record<string, unknown>>;

/** The values of an element in DICOM JSON, whatever the service sent. */
function valuesOf(dataSet: unknown, tag: string): readonly unknown[] {
  const element = (dataSet as Json | null | undefined)?.[tag] as { Value?: unknown } | undefined;
  return Array.isArray(element?.Value) ? element.Value : [];
}

function textOf(dataSet: unknown, tag: string): string {
  const [value] = valuesOf(dataSet, tag);
  return typeof value === 'string' ? value : '';
}

/** The answer to a store by instance (PS3.18 §I.1); `undefined` when it is none. */
function readAnswer(body: string): Answered | undefined {
  let dataSet: unknown;
  try {
    dataSet = JSON.parse(body);
  } catch {
    return undefined;
  }
  const failed = valuesOf(dataSet, '00081198');
  const stored = valuesOf(dataSet, '00081199');
  if (failed.length + stored.length === 0) return undefined;
  const uidOf = (item: unknown) => textOf(item, '00081155');
  return new Map([
    ...stored.map((item) => [uidOf(item), undefined] as const),
    ...failed.map((item) => {
      const reason = Number(valuesOf(item, '00081197')[0] ?? 0);
      const comments = valuesOf(item, '00741048').map((comment) => textOf(comment, '00000902'));
      return [uidOf(item), { reason, why: `reason ${reason} ${comments.join('; ')}` }] as const;
    }),
  ]);
}

/** Failure Reason of what the service could not do just now (PS3.18 §I.2.2: processing failure). */
const processingFailure = 272;

function resultOf({ path: file }: LocalFile, failure: { reason: number; why: string } | undefined) {
  if (failure === undefined) return { file, outcome: 'stored' } as const;
  if (failure.reason === alreadyStored) return { file, outcome: 'there' } as const;
  const { reason } = failure;
  const why = failure.why.trim();
  if (reason === processingFailure) {
    return { file, outcome: 'failed', reason, why, passing: true } as const;
  }
  return { file, outcome: 'refused', reason, why } as const;
}

/**
 * Stores the files of one batch; where the service does not take the request as a whole, each by itself.
 *
 * @returns a result for each file, in order.
 * @throws ServiceUnreachable when the service stays away or busy; StoreDenied when it lets nobody in.
 */
export async function storeBatch(
  target: Target,
  files: readonly LocalFile[],
  method: StoreMethod = 'POST',
): Promise<readonly Result[]> {
  const { status, body } = await postWithRetries(target, files, method);
  const answered = readAnswer(body);
  const [only, ...others] = files;
  if (only !== undefined && others.length === 0) {
    if (answered !== undefined) return [resultOf(only, [...answered.values()][0])];
    const hint = status === 413 ? ' Upload it to the container instead: see docs/import.md.' : '';
    const why = `the service answered ${status}.${hint}`;
    const passing = status >= 500;
    return [{ file: only.path, outcome: passing ? 'failed' : 'refused', why, passing }];
  }
  const isTold = ({ instance = '' }: LocalFile) => answered?.has(instance) === true;
  const results: Result[] = [];
  for (const file of files) {
    if (isTold(file)) results.push(resultOf(file, answered?.get(file.instance ?? '')));
    else results.push(...(await storeBatch(target, [file], method)));
  }
  return results;
}
