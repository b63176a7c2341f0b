/** Deletes studies whose time has come, as a client would: the change feed tells of it. */
import type { Services } from '../services.js';

/** Studies that are looked for at once. */
const pageStudies = 100;

/**
 * Deletes what is due, those that have been for longest first. What dies on the way is done again.
 *
 * @param until - milliseconds since 1970, by the clock of this machine, after which no study is begun.
 * @returns the number of studies that were deleted.
 * @throws ServiceError `storage-unavailable`.
 */
export async function expireStudies(
  { archive, expiry }: Pick<Services, 'archive' | 'expiry'>,
  until: number,
): Promise<number> {
  let deleted = 0;
  for (;;) {
    const due = await expiry.due(archive.tables.now(), pageStudies);
    let ended = 0;
    for (const target of due) {
      if (Date.now() >= until) return deleted;
      const { partition, study } = target;
      const isEnded = await expiry.end(target, async (created) => {
        await archive.delete(partition, study, { created });
      });
      if (isEnded) ended += 1;
    }
    deleted += ended;
    // What was put off meanwhile is due no more: its row is another.
    if (ended === 0 || due.length < pageStudies) return deleted;
  }
}
