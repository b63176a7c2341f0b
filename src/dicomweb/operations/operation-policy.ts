/** How each profile tells of long work. */

export interface OperationPolicy {
  /** The status of work that has come to its end. */
  readonly succeeded: 'succeeded' | 'completed';
}

export const operationPolicy: OperationPolicy = { succeeded: 'succeeded' };
export const microsoftV1OperationPolicy: OperationPolicy = { succeeded: 'completed' };
