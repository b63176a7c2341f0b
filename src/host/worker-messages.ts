/** What the pixel workers and the service tell each other. */
import type { EncodedFrame } from '../dicom/pixel/encode-frame.js';
import type { PixelLimits } from '../dicom/pixel/pixel-limits.js';
import type { RenderJob } from '../dicom/pixel/render/render-job.js';
import type { TranscodeJob } from '../dicomweb/pixel-work.js';
import { ServiceError, type ErrorCode, type ErrorFacts } from '../errors.js';

/** What a worker is started with. */
export interface PixelWorkerData {
  readonly limits: PixelLimits;
}

/** One piece of work; a worker has one at a time. */
export type PixelJob =
  | { readonly kind: 'transcode'; readonly job: TranscodeJob }
  | { readonly kind: 'render'; readonly job: RenderJob };

export type PixelResult = EncodedFrame | Uint8Array;

/** An error on its way between threads, which keep only plain values. */
export type PixelFault =
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
export type PixelReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly result: PixelResult }
  | { readonly kind: 'failed'; readonly fault: PixelFault };

/** Spells an error for the other thread. */
export function faultOf(error: unknown): PixelFault {
  if (error instanceof ServiceError) {
    const { code, message, facts, cause } = error;
    return { kind: 'service', code, message, facts, cause: causeOf(cause) };
  }
  return error instanceof Error
    ? { kind: 'other', message: error.message, stack: error.stack }
    : { kind: 'other', message: String(error), stack: undefined };
}

/** The error that `faultOf` has spelt. */
export function errorOf(fault: PixelFault): Error {
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
