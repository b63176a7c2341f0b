/**
 * Keys of blobs and rows, spelled and read in this one module. No key holds what Table Storage
 * forbids (`/ \ # ?`, control characters) and none is longer than 1 KiB.
 */
import { ServiceError } from '../../errors.js';

declare const brand: unique symbol;

/** Name of a data partition, within which UIDs are unique. */
export type Partition = string & { readonly [brand]: 'Partition' };

/** The partition of requests that name none. */
export const defaultPartition = 'Microsoft.Default' as Partition;

/**
 * Reads a partition name: 1 to 64 letters, digits, `.`, `_` or `-`.
 *
 * @throws ServiceError `invalid-partition`.
 */
export function parsePartition(name: string): Partition {
  if (/^[A-Za-z0-9_.-]{1,64}$/.test(name)) return name as Partition;
  throw new ServiceError(
    'invalid-partition',
    'The partition name must be 1 to 64 letters, digits, periods, underscores or hyphens.',
    { parameter: 'partition' },
  );
}
