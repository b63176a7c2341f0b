/** How each profile tells of long work. */

export interface OperationPolicy {
  /** The status of work that has come to its end. */
  readonly succeeded: 'succeeded' | 'completed';
  /** What an export may be of. */
  readonly exportSources: readonly ('identifiers' | 'everything')[];
  /** Whether there are bulk updates. */
  readonly bulkUpdate: boolean;
  /** How a bulk update is refused, for its attributes as DICOM JSON; else it is also told where to look, and why an instance failed. */
  readonly refusals: 'problem' | 'dicom-json';
}

export const operationPolicy: OperationPolicy = {
  succeeded: 'succeeded',
  exportSources: ['identifiers', 'everything'],
  bulkUpdate: true,
  refusals: 'problem',
};
export const microsoftV1OperationPolicy: OperationPolicy = {
  succeeded: 'completed',
  exportSources: ['identifiers'],
  bulkUpdate: false,
  refusals: 'dicom-json',
};
export const microsoftV2OperationPolicy: OperationPolicy = {
  succeeded: 'succeeded',
  exportSources: ['identifiers'],
  bulkUpdate: true,
  refusals: 'dicom-json',
};
