/** What a partition holds: counts, and the bytes of its files. */
import { jsonReply } from '../../http/reply.js';
import { jsonOffers } from '../negotiation.js';
import { answering } from '../route.js';

/**
 * `GET statistics`: studies, series, instances and the bytes of their files in the partition, from the totals of the
 * log; a member is left out where the log does not tell. A call for each shard of the log, whatever is stored.
 *
 * @throws ServiceError `storage-unavailable`.
 */
export const readStatistics = answering(
  { answers: jsonOffers },
  async ({ services, partition }) => {
    const totals = (await services.archive.totals(partition)) ?? {};
    return jsonReply(totals, { headers: { 'Cache-Control': 'no-store' } });
  },
);
