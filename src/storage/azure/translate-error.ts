/** Errors of the storage SDKs in the words of the ports. */
import { ServiceError } from '../../errors.js';
import { clientAborted } from '../body.js';

/** What the SDKs' `RestError` carries; told by its name, since each SDK has a class of its own. */
interface RestError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly response?: {
    readonly bodyAsText?: string | null;
    readonly headers?: { get(name: string): string | undefined };
  };
}

function isRestError(error: unknown): error is RestError {
  return error instanceof Error && error.name === 'RestError';
}

/** Status of the answer that an SDK made into an error; `undefined` when there was no answer. */
export function statusOf(error: unknown): number | undefined {
  return isRestError(error) ? error.statusCode : undefined;
}

/** Error code of the service, such as `EntityAlreadyExists`; empty when it did not say. */
export function codeOf(error: unknown): string {
  if (!isRestError(error)) return '';
  // For single operations on tables the SDK leaves the code where it came: in the JSON.
  const inBody = /"code"\s*:\s*"(\w+)"/.exec(error.response?.bodyAsText ?? error.message);
  return error.code ?? inBody?.[1] ?? '';
}

/** Seconds of a `Retry-After` header in an answer; `undefined` without one. */
export function retryAfterSeconds(
  headers: { get(name: string): string | undefined } | undefined,
): number | undefined {
  const seconds = Number(headers?.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? Math.ceil(seconds) : undefined;
}

/** Whether the status says that the service is busy or failing, as opposed to refusing. */
export function isTransient(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

function unavailable(what: string, error: Error, retryAfter: number | undefined): ServiceError {
  return new ServiceError(
    'storage-unavailable',
    `${what} did not answer`,
    retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter },
    error,
  );
}

/**
 * What to throw in place of an error of an SDK: `client-aborted` when our signal fired;
 * `storage-unavailable` when the service is busy, failing, out of reach or silent; what is ours
 * already as it is; anything else, such as missing rights, wrapped in a plain error that is a fault
 * of configuration or of ours.
 *
 * @param what the table or container, for the message.
 */
export function translateError(error: unknown, what: string, signal?: AbortSignal): Error {
  if (error instanceof ServiceError || error instanceof RangeError) return error;
  if (signal?.aborted === true) return clientAborted(error);
  if (isRestError(error)) {
    const status = error.statusCode;
    // Below 300: the answer began well, and broke off.
    if (status === undefined || status < 300 || isTransient(status)) {
      return unavailable(what, error, retryAfterSeconds(error.response?.headers));
    }
    return new Error(`${what} answered ${status} ${codeOf(error)}`, { cause: error });
  }
  // A time-out of the SDK or of ours.
  if (error instanceof Error && error.name === 'AbortError') {
    return unavailable(what, error, undefined);
  }
  return new Error(`A call to ${what} failed`, { cause: error });
}
