/** How each profile pages through the change feed. */

export interface ChangeFeedPolicy {
  /** `offset` is the last sequence seen, or a number of changes to skip in a window of time. */
  readonly paging: 'sequence' | 'window';
  readonly defaultLimit: number;
  readonly mostChanges: number;
}

export const sequencedChangeFeed: ChangeFeedPolicy = {
  paging: 'sequence',
  defaultLimit: 10,
  mostChanges: 100,
};

export const windowedChangeFeed: ChangeFeedPolicy = {
  paging: 'window',
  defaultLimit: 100,
  mostChanges: 200,
};
