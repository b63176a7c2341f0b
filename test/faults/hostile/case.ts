/** What a hostile case is made of, and what comes back. */

/** What came back for one request. */
export interface Answer {
  /** One for each answer on the connection; none when it ended without. */
  readonly statuses: readonly number[];
  readonly milliseconds: number;
  readonly text: string;
  /** Whether a header came back that the request had tried to inject. */
  readonly injected: boolean;
}

/** Says what is wrong with an answer beyond what is wrong with any. */
export type Judge = (answer: Answer) => string | undefined;

/** A request that Node's client can send. */
export interface PlainRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Buffer;
  readonly judge?: Judge;
}

/** Bytes as they go over a socket of their own. */
export interface RawRequest {
  readonly raw: Buffer;
  /** Answers that there may be at most: more mean that a request was smuggled in. */
  readonly mostAnswers: number;
  readonly judge?: Judge;
}

/** A message of the import queue; `{blob}` in it stands for the name of an archived file. */
export interface ImportRequest {
  readonly message: string;
}

export type HostileRequest = PlainRequest | RawRequest | ImportRequest;

/** What became of a message: it is refused, or leads to nothing; all else is harm, in words. */
export type DeliverImport = (message: string) => Promise<'refused' | 'nothing' | { harm: string }>;
