/**
 * Tells how long the event loop is held: the processor time that its thread takes from one turn to the
 * next. Time that other processes take does not count, which on a shared machine is most of it.
 */
import { readFileSync } from 'node:fs';

const turnMilliseconds = 10;

/** Processor time of the thread of the event loop, ms; without the files of Linux, time that passes. */
function processorTime(): number {
  try {
    const [nanoseconds = ''] = readFileSync(
      `/proc/self/task/${process.pid}/schedstat`,
      'utf8',
    ).split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    return performance.now();
  }
}

export interface LoopWatchdog {
  /** The longest so far, ms. */
  readonly longest: () => number;
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Watches from now on; `onHold` hears of each time that is longer than `most`, ms. */
export function watchLoop(most: number, onHold: (milliseconds: number) => void): LoopWatchdog {
  let longest = 0;
  let timer: NodeJS.Timeout | undefined;
  const pause = () => {
    clearInterval(timer);
  };
  const resume = () => {
    let before = processorTime();
    timer = setInterval(() => {
      const now = processorTime();
      const held = now - before;
      before = now;
      longest = Math.max(longest, held);
      if (held > most) onHold(held);
    }, turnMilliseconds);
  };
  resume();
  return { longest: () => longest, pause, resume };
}
