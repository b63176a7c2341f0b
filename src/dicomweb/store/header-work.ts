/**
 * The port for work on headers: what it takes to judge a large one would hold up all other requests, and
 * its memory is best bounded by itself.
 */
import { judgeHeader, type HeaderJob, type JudgedHeader } from './judge-header.js';

/**
 * Judges headers. The bytes of a job are the worker's from the call on: its memory may be moved away,
 * and the caller must not look at it again.
 */
export interface HeaderWork {
  /**
   * Rejects with what `judgeHeader` throws; with ServiceError `dicom-limit-exceeded` when a header takes
   * more memory than there is for one, `overloaded` when its turn does not come in time or it takes
   * too long; and with the signal's reason once it is aborted.
   */
  judge(job: HeaderJob, signal: AbortSignal): Promise<JudgedHeader>;
  /** Ends what is under way; further work is refused. */
  close(): Promise<void>;
}

/** Does the work in the caller's own thread: for tools and tests, and for small headers. */
export function headerWorkInThread(): HeaderWork {
  return {
    async judge(job, signal) {
      signal.throwIfAborted();
      return await judgeHeader(job);
    },
    async close() {
      await Promise.resolve();
    },
  };
}
