/** A request as the pipeline and handlers see it, whichever host it came to; a web Request is one. */

/** Header fields; several of one name are one value, joined by commas. */
export interface RequestHeaders extends Iterable<[name: string, value: string]> {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** All of a request but its body. */
export interface RequestHead {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: RequestHeaders;
}

export interface IncomingRequest extends RequestHead {
  /** Read at most once, as it is asked for; leaving it early ends it. */
  readonly body: AsyncIterable<Uint8Array> | null;
}
