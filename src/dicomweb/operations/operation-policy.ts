/** How each profile tells of long work. */

export interface OperationPolicy {
  /** The status of work that has come to its end. */
  readonly succeeded: 'succeeded' | 'completed';
  /** What an export may be of. */
  readonly exportSources: readonly ('identifiers' | 'everything')[];
}

export const operationPolicy: OperationPolicy = {
  succeeded: 'succeeded',
  exportSources: ['identifiers', 'everything'],
};
export const microsoftV1OperationPolicy: OperationPolicy = {
  succeeded: 'completed',
  exportSources: ['identifiers'],
};
export const microsoftV2OperationPolicy: OperationPolicy = {
  succeeded: 'succeeded',
  exportSources: ['identifiers'],
};
