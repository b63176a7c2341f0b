/** The thread that works on pixels: takes one job at a time from the service and answers it. */
import { parentPort, workerData } from 'node:worker_threads';
import { pixelWorkInThread } from '../dicomweb/pixel-work.js';
import {
  faultOf,
  movable,
  type PixelJob,
  type PixelReply,
  type PixelResult,
  type PixelWorkerData,
} from './pixel-messages.js';

const { limits } = workerData as PixelWorkerData;
const work = pixelWorkInThread(limits);
// A job that is no longer wanted ends with its thread.
const { signal } = new AbortController();

async function resultOf({ kind, job }: PixelJob): Promise<PixelResult> {
  if (kind === 'render') return movable(await work.render(job, signal));
  const encoded = await work.transcode(job, signal);
  return { ...encoded, bytes: movable(encoded.bytes) };
}

function say(reply: PixelReply): void {
  const result = reply.kind === 'done' ? reply.result : undefined;
  const bytes = result instanceof Uint8Array ? result : result?.bytes;
  const moved = bytes?.buffer instanceof ArrayBuffer ? [bytes.buffer] : [];
  parentPort?.postMessage(reply, moved);
}

parentPort?.on('message', (job: PixelJob) => {
  resultOf(job).then(
    (result) => say({ kind: 'done', result }),
    (error: unknown) => say({ kind: 'failed', fault: faultOf(error) }),
  );
});
say({ kind: 'ready' });
