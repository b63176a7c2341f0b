/** The data partitions of the service, as in the Microsoft server. */
import { reaches } from '../../auth/roles.js';
import { ServiceError } from '../../errors.js';
import { jsonReply } from '../../http/reply.js';
import { answering } from '../route.js';
import { jsonOffers } from '../negotiation.js';

/**
 * `GET partitions`: every partition that the caller may read, with its number, as a JSON array.
 *
 * @throws ServiceError `invalid-partition` where partitions are switched off.
 */
export const listPartitions = answering({ answers: jsonOffers }, async ({ services, reach }) => {
  if (!services.partitions) {
    throw new ServiceError('invalid-partition', 'Data partitions feature is disabled.');
  }
  const partitions = await services.partitionRegistry.list();
  const theirs = partitions.filter(({ name }) => reaches(reach, name));
  const answer = theirs.map(({ key, name, created }) => ({
    partitionKey: key,
    partitionName: name,
    createdDate: created.toISOString().replace('Z', '+00:00'),
  }));
  return jsonReply(answer, { headers: { 'Cache-Control': 'no-store' } });
});
