/**
 * From error to HTTP: the one map from code to status, and the error response in the two forms that
 * clients know, problem details (RFC 9457) and the Microsoft server's plain text.
 */
import { ServiceError, type ErrorCode, type ErrorFacts } from '../errors.js';
import type { Reply } from './reply.js';

/** What a code becomes. */
export interface Problem {
  readonly status: number;
  readonly title: string;
}

/** Every code with its status and title. */
export const problems: Readonly<Record<ErrorCode, Problem>> = {
  'invalid-uid': { status: 400, title: 'Not a valid UID' },
  'invalid-query': { status: 400, title: 'Not a valid query' },
  'invalid-frame-list': { status: 400, title: 'Not a valid frame list' },
  'invalid-bulk-data-path': { status: 400, title: 'Not a valid bulk data path' },
  'invalid-partition': { status: 400, title: 'Not a valid partition' },
  'invalid-body': { status: 400, title: 'Not a valid body' },
  'invalid-query-tag': { status: 400, title: 'Not a valid query tag' },
  'too-many-query-tags': { status: 503, title: 'Too many query tags' },
  'destination-refused': { status: 400, title: 'Destination cannot be used' },
  'invalid-version': { status: 404, title: 'No such API version' },
  'invalid-multipart': { status: 400, title: 'Malformed multipart body' },
  'invalid-header': { status: 400, title: 'Malformed header' },
  'headers-too-large': { status: 431, title: 'Request headers too large' },
  'expectation-failed': { status: 417, title: 'Expectation failed' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'not-acceptable': { status: 406, title: 'No acceptable representation' },
  'range-not-satisfiable': { status: 416, title: 'Range not satisfiable' },
  'payload-too-large': { status: 413, title: 'Payload too large' },
  'too-many-parts': { status: 413, title: 'Too many parts' },
  'client-aborted': { status: 400, title: 'Request ended early' },
  'request-timeout': { status: 408, title: 'Request took too long' },
  'route-not-found': { status: 404, title: 'No such resource' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'study-not-found': { status: 404, title: 'Study not found' },
  'series-not-found': { status: 404, title: 'Series not found' },
  'instance-not-found': { status: 404, title: 'Instance not found' },
  'frame-not-found': { status: 404, title: 'Frame not found' },
  'bulk-data-not-found': { status: 404, title: 'Bulk data not found' },
  'upload-not-found': { status: 404, title: 'Upload not found' },
  'upload-not-finished': { status: 409, title: 'Upload not finished' },
  'operation-not-found': { status: 404, title: 'Operation not found' },
  'share-not-found': { status: 404, title: 'Link not found' },
  'operation-running': { status: 409, title: 'Operation under way' },
  'query-tag-not-found': { status: 404, title: 'Query tag not found' },
  'query-tag-exists': { status: 409, title: 'Query tag exists' },
  unauthenticated: { status: 401, title: 'Authentication required' },
  forbidden: { status: 403, title: 'Permission missing' },
  'foreign-host': { status: 403, title: 'Not a name of this machine' },
  'foreign-origin': { status: 403, title: 'Web page not allowed' },
  'not-dicom': { status: 400, title: 'Not a DICOM file' },
  'dicom-malformed': { status: 400, title: 'Malformed DICOM file' },
  'dicom-truncated': { status: 400, title: 'Truncated DICOM file' },
  'dicom-limit-exceeded': { status: 413, title: 'DICOM file exceeds a limit' },
  'pixel-data-corrupt': { status: 406, title: 'Pixel data is damaged' },
  'pixel-data-unsupported': { status: 406, title: 'Pixel data cannot be converted' },
  'pixel-data-too-large': { status: 406, title: 'Frame too large to convert' },
  overloaded: { status: 503, title: 'Busy' },
  'keys-unavailable': { status: 503, title: 'Token issuer unavailable' },
  'layout-unsupported': { status: 500, title: 'Archive of another layout' },
  'storage-unavailable': { status: 503, title: 'Storage unavailable' },
  'storage-corrupt': { status: 500, title: 'Stored data is damaged' },
  'uploads-unavailable': { status: 501, title: 'No direct uploads' },
  'shares-unavailable': { status: 501, title: 'No links' },
};

/** The answer to an error, whose body is at hand. */
export type ProblemReply = Reply & { readonly body: Buffer };

/** How the response is written. */
export interface ProblemOptions {
  readonly requestId: string;
  /** `text` is the message alone: clients of the Microsoft contract show the body to the user. */
  readonly format: 'problem+json' | 'text';
}

const internalError = { status: 500, title: 'Internal error', code: 'internal-error' };
/** Seconds to wait when the service is busy and nothing better is known. */
const defaultRetryAfter = 5;

/**
 * The response to an error. A ServiceError tells its message and facts; anything else is an opaque
 * 500 that names the request, so that its log entry can be found.
 */
export function problemResponse(error: unknown, options: ProblemOptions): ProblemReply {
  const { requestId } = options;
  if (!(error instanceof ServiceError)) {
    const detail = `The service failed. The failure is logged under request ${requestId}.`;
    return respond(internalError, detail, {}, options);
  }
  const problem = { ...problems[error.code], code: error.code };
  return respond(problem, error.message, error.facts, options);
}

/** The WWW-Authenticate value of a 401 or 403 (RFC 6750 §3); descriptions are texts of ours. */
function challengeOf(description: string, { error, scope }: ErrorFacts): string {
  const parameters = {
    realm: 'DICOMweb',
    ...(error !== undefined && { error, error_description: description }),
    ...(scope !== undefined && { scope }),
  };
  const list = Object.entries(parameters).map(([name, value]) => `${name}="${value}"`);
  return `Bearer ${list.join(', ')}`;
}

function respond(
  { status, title, code }: Problem & { readonly code: string },
  detail: string,
  facts: ErrorFacts,
  { requestId, format }: ProblemOptions,
): ProblemReply {
  const headers: Record<string, string> = { 'Cache-Control': 'no-store' };
  const retryAfter = facts.retryAfterSeconds ?? (status === 503 ? defaultRetryAfter : undefined);
  if (retryAfter !== undefined) headers['Retry-After'] = String(Math.ceil(retryAfter));
  if (facts.location !== undefined) headers['Location'] = facts.location;
  if (facts.allowed !== undefined) headers['Allow'] = facts.allowed.join(', ');
  if (facts.completeLength !== undefined) {
    headers['Content-Range'] = `bytes */${facts.completeLength}`;
  }
  if (status === 401 || status === 403) {
    headers['WWW-Authenticate'] = challengeOf(detail, facts);
  }
  if (format === 'text') {
    headers['Content-Type'] = 'text/plain; charset=utf-8';
    return { status, headers, body: Buffer.from(detail) };
  }
  headers['Content-Type'] = 'application/problem+json';
  const type = `urn:dicomweb-functions:problem:${code}`;
  const body = { ...facts, type, title, status, detail, code, requestId };
  return { status, headers, body: Buffer.from(JSON.stringify(body)) };
}
