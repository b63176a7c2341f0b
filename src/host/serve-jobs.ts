/** The side of a worker thread: takes one job at a time from the service and answers it. */
import { parentPort } from 'node:worker_threads';
import { faultOf, type WorkerReply } from './worker-messages.js';

/**
 * Answers every job that the service sends to this thread.
 *
 * @param work - does one job.
 * @param bytesOf - those bytes of a result that have their memory to themselves; it moves to the service.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what is sent is known to the caller alone
export function serveJobs<Job, Result>(
  work: (job: Job) => Promise<Result>,
  bytesOf: (result: Result) => readonly Uint8Array<ArrayBuffer>[],
): void {
  const say = (reply: WorkerReply<Result>) => {
    const moved = reply.kind === 'done' ? bytesOf(reply.result) : [];
    parentPort?.postMessage(
      reply,
      moved.map(({ buffer }) => buffer),
    );
  };
  parentPort?.on('message', (job: Job) => {
    work(job).then(
      (result) => say({ kind: 'done', result }),
      (error: unknown) => say({ kind: 'failed', fault: faultOf(error) }),
    );
  });
  say({ kind: 'ready' });
}
