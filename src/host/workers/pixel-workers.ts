/** Work on pixels in threads of their own. */
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { PixelLimits } from '../../dicom/pixel/pixel-limits.js';
import type { PixelWork } from '../../dicomweb/pixel-work.js';
import { ServiceError } from '../../errors.js';
import { packageFolder } from '../../package-folder.js';
import type { PixelJob, PixelResult, PixelWorkerData } from './pixel-jobs.js';
import { movable } from './worker-messages.js';
import { idleMilliseconds, WorkerPool, type WorkerPoolOptions } from './worker-pool.js';

export type PixelWorkersOptions = Pick<
  WorkerPoolOptions<PixelJob>,
  | 'startWorker'
  | 'workers'
  | 'timeoutMilliseconds'
  | 'mostWaiting'
  | 'mostWaitingBytes'
  | 'idleMilliseconds'
>;

/** What does for every installation. */
export const defaultQueue = {
  mostWaiting: 256,
  mostWaitingBytes: 256 * 1024 ** 2,
  idleMilliseconds,
} satisfies Partial<PixelWorkersOptions>;

/** JavaScript heap of a worker; samples and codecs lie outside of it. */
const heapMegabytes = 256;
const retryAfterSeconds = 2;
const mostWorkersUnasked = 2;
/** Longer than any client waits. */
const longestWaitMilliseconds = 300_000;

/** One less than there are cores, so that requests are answered meanwhile; at least 1, at most 2. */
export function suggestedWorkers(): number {
  return Math.min(mostWorkersUnasked, Math.max(1, availableParallelism() - 1));
}

/** Starts a worker from its compiled module. */
export function startPixelWorker(limits: PixelLimits): Worker {
  const workerData: PixelWorkerData = { limits };
  return new Worker(path.join(packageFolder, 'dist/src/host/workers/pixel-worker.js'), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
}

/** Makes the pool; it starts nothing before the first job. */
export function createPixelWorkers(options: PixelWorkersOptions): PixelWork {
  const pool = new WorkerPool<PixelJob, PixelResult>({
    ...options,
    subject: 'pixels',
    longestWaitMilliseconds,
    memoryOf,
    wearsOut,
    tooSlow,
    crashed,
    overloaded: () =>
      new ServiceError(
        'overloaded',
        'The service is busy with the conversion of other frames. Try again.',
        { limit: 'mostWaitingFrames', limitValue: options.mostWaiting, retryAfterSeconds },
      ),
  });
  return {
    async transcode(job, signal) {
      const payload = movable(job.payload);
      const transcode = { kind: 'transcode', job: { ...job, payload } } as const;
      const result = await pool.run(transcode, payload.length, signal);
      if (result instanceof Uint8Array) throw new TypeError('A worker answered another question.');
      return result;
    },
    async render(job, signal) {
      const frames = job.frames.map((frame) => ({ ...frame, payload: movable(frame.payload) }));
      const bytes = frames.reduce((sum, { payload }) => sum + payload.length, 0);
      const render = { kind: 'render', job: { ...job, frames } } as const;
      const result = await pool.run(render, bytes, signal);
      if (result instanceof Uint8Array) return result;
      throw new TypeError('A worker answered another question.');
    },
    async close() {
      await pool.close();
    },
  };
}

/** Samples of a frame beyond which the memory of the codecs, which never shrinks, is worth giving back. */
const mostSamplesKept = 16 * 1024 ** 2;

function wearsOut({ job }: PixelJob): boolean {
  const { rows, columns, samplesPerPixel } = job.stored;
  return rows * columns * samplesPerPixel > mostSamplesKept;
}

function memoryOf({ kind, job }: PixelJob): ArrayBuffer[] {
  const payloads = kind === 'render' ? job.frames.map(({ payload }) => payload) : [job.payload];
  const buffers = payloads.map(({ buffer }) => buffer);
  // Frames that are shown twice may share their memory.
  return [...new Set(buffers)].filter((buffer) => buffer instanceof ArrayBuffer);
}

function tooSlow(milliseconds: number): ServiceError {
  const seconds = milliseconds / 1000;
  return new ServiceError(
    'pixel-data-too-large',
    `The conversion of the frame took longer than ${seconds} seconds and was given up.`,
    { limit: 'pixelTimeoutSeconds', limitValue: seconds },
  );
}

function crashed(cause: unknown): ServiceError {
  return new ServiceError('pixel-data-corrupt', 'The codec failed on the frame.', {}, cause);
}
