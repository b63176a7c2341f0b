/** The side of a worker thread: takes one job at a time from the service and answers it. */
import { parentPort } from 'node:worker_threads';
import { faultOf, type WorkerReply } from './worker-messages.js';

/**
 * Answers every job that the service sends to this thread.
 *
 * @param work - does one job.
 * @param memoryOf - memory that a result has to itself; it moves to the service.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- what is sent is known to the caller alone
export function serveJobs<Job, Result>(
  work: (job: Job) => Promise<Result>,
  memoryOf: (result: Result) => readonly ArrayBuffer[],
): void {
  const say = (reply: WorkerReply<Result>) => {
    parentPort?.postMessage(reply, reply.kind === 'done' ? memoryOf(reply.result) : []);
  };
  parentPort?.on('message', (job: Job) => {
    work(job).then(
      (result) => say({ kind: 'done', result }),
      (error: unknown) => say({ kind: 'failed', fault: faultOf(error) }),
    );
  });
  say({ kind: 'ready' });
}
