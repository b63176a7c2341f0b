/** Requests to the service: with the token of the session, and with failures that say what to do. */
import { accessToken, endSession } from '../session/session.js';
import { serviceUrl } from '../settings.js';
import { text } from '../text.js';

/** Why a request brought nothing, in a sentence for the one who looks at the page. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  /** The HTTP status; 0 when the service was not reached. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a status means where the service says nothing better. */
const meanings: Readonly<Record<number, string>> = {
  401: text.failure.signedOut,
  403: text.failure.forbidden,
  404: text.failure.gone,
  503: text.failure.busy,
};

/** A URL of the service, or of the service as it names itself in links, made one of this page. */
export function urlOf(path: string): URL {
  const url = new URL(path, serviceUrl);
  if (url.origin === serviceUrl.origin) return url;
  // Links carry the public name of the service; the page may have been opened under another.
  const at = url.pathname.indexOf('/studies');
  return at < 0 ? url : new URL(`.${url.pathname.slice(at)}${url.search}`, serviceUrl);
}

async function detailOf(response: Response): Promise<string | undefined> {
  const type = response.headers.get('content-type') ?? '';
  if (!type.includes('json')) return undefined;
  const { detail } = (await response.json().catch(() => ({}))) as { detail?: unknown };
  return typeof detail === 'string' ? detail : undefined;
}

/** The error that a response tells of. */
export async function errorOf(response: Response): Promise<RequestError> {
  const { status } = response;
  if (status === 401) endSession();
  const message = meanings[status] ?? (await detailOf(response)) ?? text.failure.status(status);
  return new RequestError(status, message);
}

/**
 * Sends a request to the service.
 *
 * @param path relative to the service.
 * @param expected statuses that are an answer too, besides those of success.
 * @throws RequestError unless the answer is a success; DOMException `AbortError` when aborted.
 */
export async function request(
  path: string,
  init: RequestInit = {},
  expected: readonly number[] = [],
): Promise<Response> {
  const token = await accessToken();
  const headers = new Headers(init.headers);
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`);
  let response: Response;
  try {
    response = await fetch(urlOf(path), { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new RequestError(0, text.failure.away);
  }
  if (!response.ok && !expected.includes(response.status)) throw await errorOf(response);
  return response;
}

/** Whether a failure is only that nobody waits any more. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}

/** A failure in words. */
export function messageOf(error: unknown): string {
  return error instanceof RequestError ? error.message : text.failure.unexpected(String(error));
}
