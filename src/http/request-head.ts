/**
 * The head of a request, judged alike on both hosts: what a server's parser would refuse with an answer
 * of its own, or, behind the Functions host, with none.
 */
import { ServiceError } from '../errors.js';
import type { RequestHeaders } from './incoming-request.js';

/** Bytes of all header fields together: what Node's own servers take. */
export const maxHeadBytes = 16 * 1024;
/** Fields that the platform adds, which no client can help. */
const addedByPlatform = /^x-(?:ms|arr|appservice|forwarded)-/;
/** RFC 9110 §5.5: field values hold no controls but tabs. */
// eslint-disable-next-line no-control-regex -- to refuse them
const control = /[\0-\x08\x0a-\x1f\x7f]/;

/**
 * Refuses what cannot be served rightly.
 *
 * @throws ServiceError `headers-too-large`, `invalid-header` or `expectation-failed`.
 */
export function checkHead(headers: RequestHeaders): void {
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!addedByPlatform.test(name)) bytes += name.length + value.length + ': \r\n'.length;
    if (control.test(value)) {
      throw new ServiceError('invalid-header', 'A header has a control character in its value.');
    }
  }
  if (bytes > maxHeadBytes) {
    throw new ServiceError(
      'headers-too-large',
      `The headers are larger than ${maxHeadBytes} bytes.`,
      {
        limit: 'maxHeadBytes',
        limitValue: maxHeadBytes,
      },
    );
  }
  const coding = headers.get('transfer-encoding');
  if (coding !== null && coding.trim().toLowerCase() !== 'chunked') {
    throw new ServiceError('invalid-header', 'The only transfer coding is chunked.', {
      parameter: 'Transfer-Encoding',
    });
  }
  if (coding !== null && headers.has('content-length')) {
    throw new ServiceError('invalid-header', 'A body has a length or is chunked, not both.', {
      parameter: 'Content-Length',
    });
  }
  const expectation = headers.get('expect');
  if (expectation !== null && expectation.trim().toLowerCase() !== '100-continue') {
    throw new ServiceError('expectation-failed', 'The only expectation is 100-continue.', {
      parameter: 'Expect',
    });
  }
}
