/** Answers what Node's parser could not make a request of: the same problems as from the pipeline. */
import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { ServiceError } from '../../errors.js';
import { problemResponse } from '../../http/problem.js';

function problemOf(code: string | undefined): ServiceError {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ServiceError('headers-too-large', 'The headers are too large.');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ServiceError('request-timeout', 'The head of the request took too long.');
    default:
      return new ServiceError('invalid-header', 'The request is not HTTP as RFC 9112 has it.');
  }
}

function answerOf(error: ServiceError): string {
  const requestId = randomUUID();
  const problem = problemResponse(error, { requestId, format: 'problem+json' });
  const { status, body } = problem;
  const headers = [
    ...Object.entries(problem.headers),
    ['X-Request-Id', requestId],
    ['X-Content-Type-Options', 'nosniff'],
    ['Content-Length', String(body.byteLength)],
    ['Connection', 'close'],
  ].map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${headers.join('')}\r\n${body.toString()}`;
}

/**
 * Answers and closes a connection whose input is unreadable.
 *
 * @param response of the request before it on the connection, if that is not answered yet.
 */
export function refuseUnreadable(
  error: Error & { readonly code?: string },
  socket: Duplex,
  response: ServerResponse | undefined,
): void {
  // An answer of ours in the middle of another would be taken for a part of it.
  if (!socket.writable || error.code === 'ECONNRESET' || response?.headersSent === true) {
    socket.destroy(error);
    return;
  }
  socket.end(answerOf(problemOf(error.code)), () => socket.destroy());
}
