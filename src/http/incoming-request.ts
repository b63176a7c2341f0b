/** A request as the pipeline and handlers see it, whichever host it came to. */
import { parseQuery, type QueryParameter } from './query-string.js';

/** Header fields; several of one name are one value, joined by commas. */
export interface RequestHeaders extends Iterable<[name: string, value: string]> {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** A request as a host hands it over; a web Request is one. */
export interface IncomingRequest {
  readonly method: string;
  /** Absolute; taken apart already where the host had to look at it. */
  readonly url: string | URL;
  readonly headers: RequestHeaders;
  /** Read at most once, as it is asked for; leaving it early ends it. */
  readonly body: AsyncIterable<Uint8Array> | null;
}

/** All of a request but its body, its URL taken apart once for all who ask. */
export interface RequestHead {
  readonly method: string;
  readonly url: URL;
  /** Asking throws ServiceError `invalid-query` when it is malformed. */
  readonly query: readonly QueryParameter[];
  readonly headers: RequestHeaders;
}

class ParsedHead implements RequestHead {
  readonly method: string;
  readonly url: URL;
  readonly headers: RequestHeaders;
  #query: readonly QueryParameter[] | undefined;

  constructor({ method, url, headers }: Omit<IncomingRequest, 'body'>) {
    this.method = method;
    this.url = typeof url === 'string' ? new URL(url) : url;
    this.headers = headers;
  }

  get query(): readonly QueryParameter[] {
    this.#query ??= parseQuery(this.url);
    return this.#query;
  }
}

/** What may be known of a request before its body is read. */
export function headOf(request: Omit<IncomingRequest, 'body'>): RequestHead {
  return new ParsedHead(request);
}
