/** Sends one file (STOW-RS, PS3.18 §10.5) and tells what became of it. */
import { failureReasons } from '../../src/dicomweb/store/reason-codes.js';
import { urlOf } from '../api/client.js';
import type { DataSet } from '../dicom/data-set.js';
import { accessToken } from '../session/session.js';
import { text } from '../text.js';

export type SendResult =
  | { readonly outcome: 'stored' | 'duplicate' }
  /** `refused` will be refused again; `failed` may succeed when sent again. */
  | { readonly outcome: 'refused' | 'failed'; readonly why: string };

const passing = [0, 408, 429, 500, 502, 503, 504];

const reasonTag = '00081197';
const commentTag = '00741048';

function reasonOf(failed: DataSet): SendResult {
  const code = Number(failed[reasonTag]?.Value?.[0]);
  if (code === failureReasons['already-exists'].standard) return { outcome: 'duplicate' };
  const known = Object.values(failureReasons).find(({ standard }) => standard === code);
  const comment = failed['00000902']?.Value?.[0] ?? failed[commentTag]?.Value?.[0];
  const why = typeof comment === 'string' ? comment : (known?.meaning ?? text.failure.status(code));
  const isPassing = code === failureReasons['processing-failure'].standard;
  return { outcome: isPassing ? 'failed' : 'refused', why };
}

/** What a store's answer says of its one file. */
export function resultOf(status: number, body: unknown): SendResult {
  const dataSet = (typeof body === 'object' && body !== null ? body : {}) as DataSet;
  const [failed] = (dataSet['00081198']?.Value ?? []) as readonly DataSet[];
  if (failed !== undefined) return reasonOf(failed);
  if (status >= 200 && status < 300) return { outcome: 'stored' };
  const { detail } = body as { detail?: unknown };
  const why = typeof detail === 'string' ? detail : text.failure.status(status);
  return { outcome: passing.includes(status) ? 'failed' : 'refused', why };
}

/** JSON, or an empty object for what is none. */
export function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

/**
 * Sends a file. `XMLHttpRequest`, since `fetch` does not tell how much has been sent.
 *
 * @param onProgress bytes sent so far.
 * @returns what became of it; never rejects but with `AbortError`.
 */
export async function sendFile(
  file: Blob,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<SendResult> {
  const token = await accessToken();
  return await new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open('POST', urlOf('studies'));
    request.setRequestHeader('Content-Type', 'application/dicom');
    request.setRequestHeader('Accept', 'application/dicom+json');
    if (token !== undefined) request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onload = () => resolve(resultOf(request.status, parse(request.responseText)));
    request.onerror = () => resolve({ outcome: 'failed', why: text.failure.away });
    request.onabort = () => reject(new DOMException('cancelled', 'AbortError'));
    signal.addEventListener('abort', () => request.abort(), { once: true });
    request.send(file);
  });
}
