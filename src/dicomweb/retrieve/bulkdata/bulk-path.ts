/** The attribute path that ends the URL of a bulk value (PS3.18 §10.4.1.1.5). */
import { ServiceError } from '../../../errors.js';

const longestPath = 2048;

/**
 * Reads the path of an attribute: `7FE00010`, or through items of sequences, counted from 0,
 * `54000100/0/54001010`. Hex digits may be in any case.
 *
 * @throws ServiceError `invalid-bulk-data-path`.
 */
export function parseBulkPath(text: string): string {
  const path = text.replace(/\/$/, '');
  if (path.length <= longestPath && /^[\dA-F]{8}(?:\/\d{1,9}\/[\dA-F]{8})*$/i.test(path)) {
    return path.toUpperCase();
  }
  throw new ServiceError(
    'invalid-bulk-data-path',
    'The path must be a tag of eight hex digits, or tags with the numbers of items between them, ' +
      'counted from 0, such as 54000100/0/54001010.',
    { parameter: 'path' },
  );
}
