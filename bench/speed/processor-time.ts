/** Processor time of a process, seen from outside. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Milliseconds of processor time, user and system, that all threads of a process have taken so far;
 * threads that have ended are not counted. Linux only.
 */
export function processorMilliseconds(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  const nanoseconds = readdirSync(tasks).map((task) =>
    Number(readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ')[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e6;
}
