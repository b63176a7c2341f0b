/**
 * Sends a file that is too large for one request: in blocks to a URL of storage that is good for a while, past the
 * service, which then imports it (docs/import.md, "Direct uploads"). What was sent before a line broke, or the page was
 * loaded anew, is not sent again.
 */
import { request } from '../api/client.js';
import { text } from '../text.js';
import { parse, resultOf, type SendResult } from './send-file.js';

const blockBytes = 4 * 1024 ** 2;
/** Of one block, before the file counts as failed; it goes on there when it is sent again. */
const mostAttempts = 3;

interface Grant {
  readonly id: string;
  readonly uploadUrl: string;
  readonly expires: string;
}

/** A grant and how much was sent by it; kept in this tab, as a grant is as secret as a token. */
interface Progress extends Grant {
  readonly blocks: number;
}

const keyOf = (fingerprint: string) => `upload ${fingerprint}`;

function remembered(fingerprint: string): Progress | undefined {
  const stored = sessionStorage.getItem(keyOf(fingerprint));
  if (stored === null) return undefined;
  const progress = JSON.parse(stored) as Progress;
  return Date.now() < Date.parse(progress.expires) ? progress : undefined;
}

async function newGrant(signal: AbortSignal): Promise<Progress> {
  const response = await request('uploads', { method: 'POST', signal });
  const { id, uploadUrl, expires } = (await response.json()) as Grant;
  return { id, uploadUrl, expires, blocks: 0 };
}

/** All ids of a blob's blocks are equally long. */
function blockId(index: number): string {
  return btoa(String(index).padStart(6, '0'));
}

/** A PUT to storage: its status; 0 when storage was not reached. */
async function put(
  url: string,
  body: Blob | string,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<number> {
  return await new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open('PUT', url);
    sending.upload.onprogress = ({ loaded }) => onProgress(loaded);
    sending.onload = () => resolve(sending.status);
    sending.onerror = () => resolve(0);
    sending.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => sending.abort(), { once: true });
    sending.send(body);
  });
}

async function putWithRetries(...asked: Parameters<typeof put>): Promise<number> {
  let status = 0;
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    status = await put(...asked);
    // What storage refuses it will refuse again.
    if (status !== 0 && status !== 408 && status < 500) break;
  }
  return status;
}

/**
 * Sends a file in blocks and has it imported.
 *
 * @param fingerprint of the file, under which what was sent is remembered.
 * @param onProgress bytes sent so far, those of earlier attempts among them.
 * @returns what became of it; `undefined` when this browser does not reach storage at all, from within another network or for
 *   want of a CORS rule. Rejects with `AbortError`, or with a RequestError when the service refuses or is away.
 */
export async function sendLargeFile(
  file: Blob,
  fingerprint: string,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<SendResult | undefined> {
  const key = keyOf(fingerprint);
  const grant = remembered(fingerprint) ?? (await newGrant(signal));
  const { id, uploadUrl } = grant;
  const count = Math.ceil(file.size / blockBytes);
  const failed = (status: number): SendResult => {
    // A grant that storage does not take any more is of no use to the next attempt.
    if (status >= 400 && status < 500) sessionStorage.removeItem(key);
    return { outcome: 'failed', why: text.upload.storageFailed(status) };
  };
  for (let index = grant.blocks; index < count; index += 1) {
    const start = index * blockBytes;
    const url = `${uploadUrl}&comp=block&blockid=${encodeURIComponent(blockId(index))}`;
    const block = file.slice(start, start + blockBytes);
    const status = await putWithRetries(url, block, (bytes) => onProgress(start + bytes), signal);
    if (status === 0 && index === 0) return undefined;
    if (status !== 201) return failed(status);
    sessionStorage.setItem(key, JSON.stringify({ ...grant, blocks: index + 1 }));
  }
  const ids = Array.from({ length: count }, (_, index) => `<Latest>${blockId(index)}</Latest>`);
  const list = `<?xml version="1.0" encoding="utf-8"?><BlockList>${ids.join('')}</BlockList>`;
  const committed = await putWithRetries(
    `${uploadUrl}&comp=blocklist`,
    list,
    () => undefined,
    signal,
  );
  if (committed !== 201) return failed(committed);
  const init = { method: 'POST', headers: { Accept: 'application/dicom+json' }, signal };
  const answer = await request(`uploads/${id}`, init, [409]);
  sessionStorage.removeItem(key);
  return resultOf(answer.status, parse(await answer.text()));
}
