/**
 * Writes parts as one multipart body (RFC 2046 §5.1), as strictly as the reader is lenient: viewers
 * look headers up by exact text and expect CRLF. Bytes are pulled part by part, never gathered.
 */
import { randomUUID } from 'node:crypto';
import { ServiceError } from '../errors.js';

/** One part to be written. */
export interface OutgoingPart {
  /** Written exactly as given and in this order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: AsyncIterable<Uint8Array> | Uint8Array;
  /** Bytes in the body, where known; a body of another length aborts the response. */
  readonly length?: number;
}

/**
 * dicomweb-client looks for the end of a part's headers in its first 1 000 bytes only; this leaves
 * room for the boundary line.
 */
const maxHeaderBlockBytes = 900;

/** A boundary that no file contains, in characters that never need quoting. */
export function newBoundary(): string {
  return randomUUID();
}

/**
 * Writes each part as it is asked for, then the closing boundary; no part gives the closing boundary
 * alone. When the consumer stops early, the body being written and `parts` are returned.
 *
 * @throws ServiceError 'storage-corrupt' when a body is shorter or longer than its stated length;
 *   RangeError for a header block that clients could not read; and whatever `parts` throws.
 */
export async function* writeMultipart(
  parts: AsyncIterable<OutgoingPart>,
  boundary: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let lead = '';
  for await (const part of parts) {
    yield Buffer.from(`${lead}--${boundary}\r\n${headerBlock(part.headers)}\r\n`, 'latin1');
    lead = '\r\n';
    let written = 0;
    if (part.body instanceof Uint8Array) {
      written = part.body.byteLength;
      if (written > 0) yield part.body;
    } else {
      for await (const chunk of part.body) {
        written += chunk.byteLength;
        yield chunk;
      }
    }
    if (part.length !== undefined && part.length !== written) {
      throw new ServiceError(
        'storage-corrupt',
        `A part was announced with ${part.length} bytes and had ${written}.`,
      );
    }
  }
  yield Buffer.from(`${lead}--${boundary}--\r\n`, 'latin1');
}

/** The bytes that `writeMultipart` will write for parts of these lengths: the Content-Length. */
export function multipartLength(
  parts: readonly (Pick<OutgoingPart, 'headers'> & { readonly length: number })[],
  boundary: string,
): number {
  const line = boundary.length + 4;
  const content = parts.reduce(
    (sum, { headers, length }) => sum + line + headerBlock(headers).length + 2 + length,
    0,
  );
  const leads = parts.length * 2;
  return content + leads + line + 2;
}

function headerBlock(headers: OutgoingPart['headers']): string {
  const block = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const unsafe = headers.some(([name, value]) => /[^\x20-\x7e]/.test(name + value));
  if (unsafe || block.length >= maxHeaderBlockBytes) {
    throw new RangeError(
      `Part headers must be printable ASCII and shorter than ${maxHeaderBlockBytes} bytes.`,
    );
  }
  return block;
}
