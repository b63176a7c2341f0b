/**
 * The one error class of the service. A request that is abandoned throws it; its `code` is a stable
 * contract, its message is for people, its facts are for machines. `http/problem.ts` alone knows
 * which status a code becomes.
 */

/** Every reason for which a request, or the reading of one instance, is given up. */
export type ErrorCode =
  // what the client asked
  | 'invalid-uid'
  | 'invalid-query'
  | 'invalid-frame-list'
  | 'invalid-bulk-data-path'
  | 'invalid-partition'
  | 'invalid-body'
  | 'invalid-query-tag'
  | 'too-many-query-tags'
  | 'destination-refused'
  | 'invalid-version'
  | 'invalid-multipart'
  | 'invalid-header'
  | 'headers-too-large'
  | 'expectation-failed'
  | 'unsupported-media-type'
  | 'not-acceptable'
  | 'range-not-satisfiable'
  | 'payload-too-large'
  | 'too-many-parts'
  | 'client-aborted'
  | 'request-timeout'
  // what is or is not there
  | 'route-not-found'
  | 'method-not-allowed'
  | 'study-not-found'
  | 'series-not-found'
  | 'instance-not-found'
  | 'frame-not-found'
  | 'bulk-data-not-found'
  | 'upload-not-found'
  | 'upload-not-finished'
  | 'operation-not-found'
  | 'share-not-found'
  | 'operation-running'
  | 'query-tag-not-found'
  | 'query-tag-exists'
  // who asks
  | 'unauthenticated'
  | 'forbidden'
  | 'foreign-host'
  | 'foreign-origin'
  // what a file is
  | 'not-dicom'
  | 'dicom-malformed'
  | 'dicom-truncated'
  | 'dicom-limit-exceeded'
  // what its pixels are
  | 'pixel-data-corrupt'
  | 'pixel-data-unsupported'
  | 'pixel-data-too-large'
  // what stands behind us
  | 'overloaded'
  | 'keys-unavailable'
  | 'layout-unsupported'
  | 'storage-unavailable'
  | 'storage-corrupt'
  | 'uploads-unavailable'
  | 'shares-unavailable';

/** Machine-readable particulars of an error; never patient data. */
export interface ErrorFacts {
  /** Name of the query parameter, header or path segment at fault. */
  readonly parameter?: string;
  /** Byte offset into the body or file where the fault was found. */
  readonly offset?: number;
  /** DICOM tag at fault, eight hex digits. */
  readonly tag?: string;
  /** The limit that was exceeded, and its value. */
  readonly limit?: string;
  readonly limitValue?: number;
  /** Bytes of the representation of which a range was asked for. */
  readonly completeLength?: number;
  /** Media types that would have been acceptable. */
  readonly offered?: readonly string[];
  /** Methods that the resource has. */
  readonly allowed?: readonly string[];
  /** What is wrong with a token, in the words of RFC 6750 §3.1, and the role that would do. */
  readonly error?: 'invalid_token' | 'insufficient_scope';
  readonly scope?: string;
  /** URL of what stands in the way. */
  readonly location?: string;
  /** Seconds after which a retry makes sense. */
  readonly retryAfterSeconds?: number;
}

/** Abandons the request, or the one instance being read. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.facts = facts;
  }
}
