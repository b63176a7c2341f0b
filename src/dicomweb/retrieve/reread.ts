/** Reading again what was replaced between the read of its row and that of its file. */
import { ServiceError } from '../../errors.js';
import type { Handler } from '../route.js';

/** The file of a version is gone: the instance was deleted, or replaced long ago by the clock of storage. */
class FileGone extends ServiceError {
  constructor() {
    super('instance-not-found', 'The instance has just been deleted.');
  }
}

/** The error of a file that is not there although its row was. */
export function fileGone(): ServiceError {
  return new FileGone();
}

/**
 * Handles a request once more when a file was gone before anything was answered: an instance that was replaced
 * has another one by now, and one that was deleted no row.
 */
export function rereading(handler: Handler): Handler {
  return async (context) => {
    try {
      return await handler(context);
    } catch (error) {
      if (error instanceof FileGone) return await handler(context);
      throw error;
    }
  };
}
