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

/** The chunks of a part that has been opened and not begun. */
function streamOf(part: OutgoingPart | undefined): AsyncIterator<Uint8Array> | undefined {
  const body = part?.body;
  return body === undefined || body instanceof Uint8Array
    ? undefined
    : body[Symbol.asyncIterator]();
}

/** Chunks of the body as they are asked for: with a step for each, and none for a generator besides. */
class Writer implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly #parts: AsyncIterator<OutgoingPart>;
  readonly #boundary: string;
  #lead = '';
  /** The part that is being written, and what of its body has not been. */
  #part: OutgoingPart | undefined;
  #body: AsyncIterator<Uint8Array> | undefined;
  #written = 0;
  #ended = false;

  constructor(parts: AsyncIterator<OutgoingPart>, boundary: string) {
    this.#parts = parts;
    this.#boundary = boundary;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return end;
    try {
      while (this.#part !== undefined) {
        const value = await this.#chunkOf(this.#part);
        if (value !== undefined) return { done: false, value };
        this.#part = undefined;
      }
      return { done: false, value: await this.#line() };
    } catch (error) {
      await this.return();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#ended) return end;
    this.#ended = true;
    const body = this.#body ?? streamOf(this.#part);
    this.#body = undefined;
    await body?.return?.();
    await this.#parts.return?.();
    return end;
  }

  /** The next bytes of a part; `undefined` after the last. */
  #chunkOf(part: OutgoingPart): Promise<Uint8Array | undefined> | Uint8Array | undefined {
    const { body } = part;
    if (!(body instanceof Uint8Array)) return this.#streamed(part, body);
    if (this.#written > 0 || body.byteLength === 0) {
      this.#checkLength(part);
      return undefined;
    }
    this.#written = body.byteLength;
    return body;
  }

  async #streamed(
    part: OutgoingPart,
    body: AsyncIterable<Uint8Array>,
  ): Promise<Uint8Array | undefined> {
    this.#body ??= body[Symbol.asyncIterator]();
    const step = await this.#body.next();
    if (step.done === true) {
      this.#body = undefined;
      this.#checkLength(part);
      return undefined;
    }
    this.#written += step.value.byteLength;
    return step.value;
  }

  /** @throws ServiceError 'storage-corrupt'. */
  #checkLength({ length }: OutgoingPart): void {
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
    this.#part = step.value;
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
