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
export function writeMultipart(
  parts: AsyncIterable<OutgoingPart>,
  boundary: string,
): AsyncIterableIterator<Uint8Array, undefined> {
  return new Writer(parts[Symbol.asyncIterator](), boundary);
}

const end = { done: true, value: undefined } as const;

/** Chunks of the body as they are asked for, those of a part's stream with one step for each. */
class Writer implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #parts: AsyncIterator<OutgoingPart>;
  readonly #boundary: string;
  #lead = '';
  /** The part that is being written. */
  #part: OutgoingPart | undefined;
  /** What of its body is still to come: chunks, or bytes that have not been written. */
  #stream: AsyncIterator<Uint8Array> | undefined;
  #bytes: Uint8Array | undefined;
  #written = 0;
  #ended = false;

  constructor(parts: AsyncIterator<OutgoingPart>, boundary: string) {
    this.#parts = parts;
    this.#boundary = boundary;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    return this.#stream === undefined
      ? this.#between()
      : this.#stream.next().then(this.#streamed, this.#failed);
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return end;
    this.#ended = true;
    const stream = this.#stream;
    this.#stream = undefined;
    await stream?.return?.();
    await this.#parts.return?.();
    return end;
  }

  readonly #streamed = (
    step: IteratorResult<Uint8Array, unknown>,
  ): IteratorResult<Uint8Array, undefined> | Promise<IteratorResult<Uint8Array, undefined>> => {
    if (step.done === true) {
      this.#stream = undefined;
      return this.#between();
    }
    this.#written += step.value.byteLength;
    return step;
  };

  readonly #failed = async (error: unknown): Promise<never> => {
    await this.return();
    throw error;
  };

  /** What comes next besides the chunks of a stream. */
  async #between(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return end;
    try {
      const bytes = this.#bytes;
      if (bytes !== undefined && bytes.byteLength > 0) {
        this.#bytes = undefined;
        this.#written = bytes.byteLength;
        return { done: false, value: bytes };
      }
      this.#checkLength();
      return { done: false, value: await this.#line() };
    } catch (error) {
      return await this.#failed(error);
    }
  }

  /** @throws ServiceError 'storage-corrupt'. */
  #checkLength(): void {
    const length = this.#part?.length;
    if (length === undefined || length === this.#written) return;
    throw new ServiceError(
      'storage-corrupt',
      `A part was announced with ${length} bytes and had ${this.#written}.`,
    );
  }

  /** The boundary line and the headers of the next part, or the closing boundary. */
  async #line(): Promise<Uint8Array> {
    const step = await this.#parts.next();
    const start = `${this.#lead}--${this.#boundary}`;
    if (step.done === true) {
      this.#ended = true;
      return Buffer.from(`${start}--\r\n`, 'latin1');
    }
    const { body } = step.value;
    this.#part = step.value;
    const isAtHand = body instanceof Uint8Array;
    this.#bytes = isAtHand ? body : undefined;
    this.#stream = isAtHand ? undefined : body[Symbol.asyncIterator]();
    this.#written = 0;
    this.#lead = '\r\n';
    return Buffer.from(`${start}\r\n${headerBlock(step.value.headers)}\r\n`, 'latin1');
  }
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
