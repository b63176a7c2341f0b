/** The errors that a file can be refused with while it is read. */
import { ServiceError, type ErrorFacts } from '../../errors.js';

/** The file breaks PS3.5 or PS3.10 in a way that cannot be read past. */
export function malformed(message: string, facts: ErrorFacts, cause?: unknown): ServiceError {
  return new ServiceError('dicom-malformed', message, facts, cause);
}

/** The error of a file that ends before its data does: an upload that broke off, most of the time. */
export function truncated(message: string, facts: ErrorFacts, cause?: unknown): ServiceError {
  return new ServiceError('dicom-truncated', message, facts, cause);
}
