/**
 * An answer as data: handlers make one, the pipeline adds to it, and each host turns it into its own
 * thing once.
 */

/** Names as the standards spell them (`Content-Type`, `ETag`): code looks them up by that spelling. */
export type ReplyHeaders = Readonly<Record<string, string>>;

/** Bytes at hand, or chunks as they are asked for: left early, they let go of what they come from. */
export type ReplyBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface Reply {
  readonly status: number;
  readonly headers: ReplyHeaders;
  /** Absent where there is none, not even an empty one. */
  readonly body?: ReplyBody;
}

/** What an answer is besides its body. */
export interface ReplyInit {
  /** 200 when left out. */
  readonly status?: number;
  readonly headers?: ReplyHeaders;
}

/** An answer with a body, or with none; text is sent in UTF-8. */
export function reply(
  body: string | ReplyBody | null,
  { status = 200, headers = {} }: ReplyInit = {},
): Reply {
  if (body === null) return { status, headers };
  return { status, headers, body: typeof body === 'string' ? Buffer.from(body) : body };
}

/** An answer in JSON. */
export function jsonReply(value: unknown, { status, headers = {} }: ReplyInit = {}): Reply {
  return reply(JSON.stringify(value), {
    ...(status !== undefined && { status }),
    headers: { 'Content-Type': 'application/json', ...headers },
  });
}
