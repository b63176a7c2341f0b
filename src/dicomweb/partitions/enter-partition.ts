/** Which partition a request is about, whether it may be, and that it comes into being with the first store. */
import { ServiceError } from '../../errors.js';
import { defaultPartition, parsePartition, type Partition } from '../../storage/archive/keys.js';
import type { RouteDefinition } from '../route.js';
import type { Services } from '../services.js';
import type { PartitionPolicy } from './partition-policy.js';

/**
 * The partition that a URL names, or the default one.
 *
 * @param isEnabled - whether partitions may be addressed on this service.
 * @throws ServiceError `invalid-partition`.
 */
export function partitionOf(
  name: string | undefined,
  isEnabled: boolean,
  policy: PartitionPolicy,
): Partition {
  if (name === undefined) return defaultPartition;
  if (!isEnabled) {
    throw new ServiceError('invalid-partition', 'Data partitions feature is disabled.', {
      parameter: 'partition',
    });
  }
  try {
    return parsePartition(name);
  } catch (error) {
    if (!(error instanceof ServiceError) || policy.invalidName === undefined) throw error;
    throw new ServiceError(error.code, policy.invalidName, error.facts, error);
  }
}

/**
 * Lists the partition of a request that stores; refuses others that are about one that is not there,
 * where the profile does. Costs nothing for the default one, and for those that this process knows.
 *
 * @throws ServiceError `invalid-partition`.
 */
export async function enterPartition(
  partition: Partition,
  { createsPartition }: Pick<RouteDefinition, 'createsPartition'>,
  policy: PartitionPolicy,
  { partitionRegistry }: Pick<Services, 'partitionRegistry'>,
): Promise<void> {
  if (partition === defaultPartition) return;
  if (createsPartition === true) {
    await partitionRegistry.ensure(partition);
    return;
  }
  if (policy.unknown === 'empty' || (await partitionRegistry.has(partition))) return;
  throw new ServiceError('invalid-partition', 'Specified PartitionName does not exist.', {
    parameter: 'partition',
  });
}
