/** Work on large headers in a thread of its own, one at a time; small ones are over before it would begin. */
import path from 'node:path';
import { Worker, type ResourceLimits } from 'node:worker_threads';
import type { Part10Limits } from '../../dicom/part10/limits.js';
import { headerWorkInThread, type HeaderWork } from '../../dicomweb/store/header-work.js';
import type { HeaderJob, JudgedHeader } from '../../dicomweb/store/judge-header.js';
import { ServiceError } from '../../errors.js';
import { packageFolder } from '../../package-folder.js';
import { idleMilliseconds, WorkerPool } from './worker-pool.js';

export interface HeaderWorkersOptions {
  readonly startWorker: (resourceLimits: ResourceLimits) => Worker;
  /** JavaScript heap that the worker may have. */
  readonly heapMegabytes: number;
  readonly longestWaitMilliseconds?: number;
  readonly timeoutMilliseconds?: number;
}

/** Headers that hold less are judged within some milliseconds. */
const largeBytes = 64 * 1024;
/** What waits longer is answered 503, while its client still waits. */
const defaultWaitMilliseconds = 20_000;
/** Ten times what the largest header takes on a slow core. */
const defaultTimeoutMilliseconds = 20_000;
const retryAfterSeconds = 5;

/** What the worker takes by itself, and what an element, a value and a byte of text come to. */
const heapBytes = { worker: 16 * 1024 ** 2, element: 320, value: 16, text: 3 };

/** Of what is new; most of a header stays until it is judged. */
const maxYoungGenerationSizeMb = 16;

/** JavaScript heap that does for the largest header within the limits. */
export function headerHeapMegabytes({ elements, values, headerBytes }: Part10Limits): number {
  const many = elements * heapBytes.element + values * heapBytes.value;
  const long = headerBytes * heapBytes.text;
  return Math.ceil((heapBytes.worker + Math.max(many, long)) / 1024 ** 2);
}

/** Starts a worker from its compiled module. */
export function startHeaderWorker(resourceLimits: ResourceLimits): Worker {
  return new Worker(path.join(packageFolder, 'dist/src/host/workers/header-worker.js'), {
    resourceLimits,
  });
}

/** Makes the work; it starts nothing before the first large header. */
export function createHeaderWorkers({
  startWorker,
  heapMegabytes,
  longestWaitMilliseconds = defaultWaitMilliseconds,
  timeoutMilliseconds = defaultTimeoutMilliseconds,
}: HeaderWorkersOptions): HeaderWork {
  const inThread = headerWorkInThread();
  const pool = new WorkerPool<HeaderJob, JudgedHeader>({
    startWorker: () =>
      startWorker({ maxOldGenerationSizeMb: heapMegabytes, maxYoungGenerationSizeMb }),
    subject: 'headers',
    workers: 1,
    // What may wait is bounded where headers are held.
    mostWaiting: Infinity,
    mostWaitingBytes: Infinity,
    longestWaitMilliseconds,
    timeoutMilliseconds,
    idleMilliseconds,
    memoryOf,
    tooSlow: overloaded,
    crashed: (cause) => tooMuch(heapMegabytes, cause),
    overloaded,
  });
  return {
    async judge(job, signal) {
      const bytes = memoryOf(job).reduce((sum, { byteLength }) => sum + byteLength, 0);
      return bytes <= largeBytes
        ? await inThread.judge(job, signal)
        : await pool.run(job, bytes, signal);
    },
    async close() {
      await pool.close();
    },
  };
}

function memoryOf({ scanned: { condensed, notes } }: HeaderJob): readonly ArrayBuffer[] {
  const { positions, offsets, lengths, traits } = notes;
  return [condensed, positions, offsets, lengths, traits].map(({ buffer }) => buffer);
}

function overloaded(): ServiceError {
  return new ServiceError('overloaded', 'The service is busy with large headers. Try again.', {
    retryAfterSeconds,
  });
}

function tooMuch(limitValue: number, cause: unknown): ServiceError {
  return new ServiceError(
    'dicom-limit-exceeded',
    `The header of the instance takes more than ${limitValue} MiB of memory to interpret.`,
    { limit: 'headerHeapMegabytes', limitValue },
    cause,
  );
}
