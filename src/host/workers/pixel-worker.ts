/** The thread that works on pixels. */
import { workerData } from 'node:worker_threads';
import { pixelWorkInThread } from '../../dicomweb/pixel-work.js';
import type { PixelJob, PixelResult, PixelWorkerData } from './pixel-jobs.js';
import { serveJobs } from './serve-jobs.js';
import { movable } from './worker-messages.js';

const { limits } = workerData as PixelWorkerData;
const work = pixelWorkInThread(limits);
// A job that is cancelled ends with its thread.
const { signal } = new AbortController();

async function resultOf({ kind, job }: PixelJob): Promise<PixelResult> {
  if (kind === 'render') return movable(await work.render(job, signal));
  const encoded = await work.transcode(job, signal);
  return { ...encoded, bytes: movable(encoded.bytes) };
}

serveJobs(resultOf, (result) => {
  const bytes = result instanceof Uint8Array ? result : result.bytes;
  return [movable(bytes).buffer];
});
