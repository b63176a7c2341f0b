/** Work of a message that has to end before the host ends its worker. */
import { ServiceError } from '../../errors.js';

/**
 * Does work that is told when its time is over. What it comes to by then, or within the time that it is
 * given to notice, is what the message comes to: work that has ended is never taken for late.
 *
 * @param milliseconds - after which the signal is aborted.
 * @param lateMilliseconds - after which work that does not notice is left to itself.
 * @throws ServiceError `request-timeout`; what the work throws.
 */
export async function withDeadline(
  work: (signal: AbortSignal) => Promise<void>,
  milliseconds: number,
  lateMilliseconds: number,
): Promise<void> {
  const time = new AbortController();
  const late = new ServiceError('request-timeout', 'It takes too long, and is tried again.');
  let timer: NodeJS.Timeout | undefined;
  const leftAlone = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      time.abort(late);
      timer = setTimeout(() => {
        reject(late);
      }, lateMilliseconds).unref();
    }, milliseconds).unref();
  });
  try {
    await Promise.race([work(time.signal), leftAlone]);
  } finally {
    clearTimeout(timer);
  }
}
