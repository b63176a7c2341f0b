/** How each profile speaks of data partitions. */

export interface PartitionPolicy {
  /** Whether a partition that nothing was ever stored in is refused, or just holds nothing. */
  readonly unknown: 'refused' | 'empty';
  /** What is said of a name that is none; the rule when left out. */
  readonly invalidName?: string;
}

export const standardPartitionPolicy: PartitionPolicy = { unknown: 'empty' };

/** Clients compare these texts, the blank at the end included. */
export const microsoftPartitionPolicy: PartitionPolicy = {
  unknown: 'refused',
  invalidName: 'The specified PartitionName is invalid. ',
};
