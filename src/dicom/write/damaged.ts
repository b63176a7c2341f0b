/** The error of a stored file that cannot be read any more, although it could when it was stored. */
import { ServiceError } from '../../errors.js';

/** @param what goes on after "The stored file". */
export function damaged(what: string, offset: number): ServiceError {
  return new ServiceError('storage-corrupt', `The stored file ${what}.`, { offset });
}
