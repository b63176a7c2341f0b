/** What the service and its worker threads tell each other, whatever the work. */
import { ServiceError, type ErrorCode, type ErrorFacts } from '../../errors.js';

/** An error on its way between threads, which keep only plain values. */
export type WorkerFault =
  | {
      readonly kind: 'service';
      readonly code: ErrorCode;
      readonly message: string;
      readonly facts: ErrorFacts;
      /** What was behind it, for the log. */
      readonly cause: string | undefined;
    }
  | { readonly kind: 'other'; readonly message: string; readonly stack: string | undefined };

/** What a worker says: once that it runs, then one outcome for each job. */
export type WorkerReply<Result> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: Result }
  | { readonly kind: 'failed'; readonly fault: WorkerFault };

/** Spells an error for the other thread. */
export function faultOf(error: unknown): WorkerFault {
  if (error instanceof ServiceError) {
    const { code, message, facts, cause } = error;
    return { kind: 'service', code, message, facts, cause: causeOf(cause) };
  }
  return error instanceof Error
    ? { kind: 'other', message: error.message, stack: error.stack }
    : { kind: 'other', message: String(error), stack: undefined };
}

/** Makes an error again of what `faultOf` made of it: errors lose their class between threads. */
export function errorOf(fault: WorkerFault): Error {
  if (fault.kind === 'service') {
    const { code, message, facts, cause } = fault;
    return new ServiceError(code, message, facts, cause);
  }
  const error = new Error(fault.message);
  if (fault.stack !== undefined) error.stack = fault.stack;
  return error;
}

function causeOf(cause: unknown): string | undefined {
  if (cause === undefined) return undefined;
  // Codecs throw numbers.
  return cause instanceof Error ? cause.message : JSON.stringify(cause);
}

/**
 * The same bytes in memory of their own, which can be moved to another thread. Bytes that fill their
 * memory are not copied; a part of a larger one is, for the rest belongs to others.
 */
export function movable(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = bytes;
  return buffer instanceof ArrayBuffer && byteLength === buffer.byteLength
    ? new Uint8Array(buffer)
    : Uint8Array.from(bytes);
}
