/**
 * Multipart bodies for tests, written and taken apart by code of their own, so that the service's
 * reader and writer are checked by something that does not share their mistakes.
 */

/** One part of a body that is sent. */
export interface SentPart {
  /** Header lines as they stand, without line ends. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
}

/** One part of a body that was received. */
export interface ReceivedPart {
  /** By name as written: viewers look headers up by exact text. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Parts as a multipart body, CRLF throughout. */
export function writeParts(parts: readonly SentPart[], boundary: string): Buffer {
  return Buffer.concat([
    ...parts.flatMap(({ headers, body }) => [
      Buffer.from(`--${boundary}\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`),
      body,
      Buffer.from('\r\n'),
    ]),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

/**
 * Takes a multipart body apart as strictly as the pickiest viewer: the boundary at the very start,
 * CRLF everywhere, the closing boundary at the end.
 *
 * @throws Error that says what is not as it should be.
 */
export function readParts(contentType: string, body: Buffer): readonly ReceivedPart[] {
  const boundary = /^multipart\/related;.*boundary="?([^";]+)"?/.exec(contentType)?.[1];
  if (boundary === undefined) throw new Error(`No boundary in ${contentType}`);
  const opening = Buffer.from(`--${boundary}\r\n`);
  const next = Buffer.from(`\r\n--${boundary}`);
  const closing = Buffer.from(`\r\n--${boundary}--\r\n`);
  if (!body.subarray(-closing.length).equals(closing)) throw new Error('No closing boundary');
  if (!body.subarray(0, opening.length).equals(opening)) throw new Error('No opening boundary');
  const parts: ReceivedPart[] = [];
  for (let start = opening.length; start < body.length;) {
    const headersEnd = body.indexOf('\r\n\r\n', start);
    const end = body.indexOf(next, headersEnd + 2);
    if (headersEnd < 0 || end < 0) throw new Error(`Part ${parts.length + 1} does not end`);
    parts.push({
      headers: Object.fromEntries(
        body.toString('latin1', start, headersEnd).split('\r\n').map(headerOf),
      ),
      body: body.subarray(headersEnd + 4, end),
    });
    start = end + next.length + 2;
    if (body.toString('latin1', start - 2, start) === '--') return parts;
  }
  throw new Error('The last part has no end');
}

function headerOf(line: string): readonly [string, string] {
  const colon = line.indexOf(': ');
  if (colon < 1) throw new Error(`Not a header line: ${line}`);
  return [line.slice(0, colon), line.slice(colon + 2)];
}
