/**
 * Reads a multipart body as a stream of parts, each a stream of bytes (RFC 2046 §5.1, RFC 2387).
 * Memory stays flat: only what may yet turn out to be a boundary, or the header block of one part,
 * is held back; file bytes pass through as views of the chunks they came in.
 *
 * Line ends: the standard writes CRLF. A bare LF is also taken after a boundary, in headers, and
 * before the first boundary. A bare LF *before* a later boundary is not: it could be the last byte
 * of a file, and dropping or keeping it would be a guess. Such a body is refused as unfinished.
 */
import { ServiceError, type ErrorFacts } from '../errors.js';
import { takeTurns } from '../take-turns.js';
import { boundaryLine, heldBack, type BoundaryLine } from './boundary-line.js';
import { partHeaders, type PartHeaders } from './part-headers.js';

/** Finite bounds on what a body may make the reader do. */
export interface MultipartLimits {
  /** Parts in one body; default 10 000, five times a large CT series. */
  readonly maxParts?: number;
  /** Bytes of one part's header block, and of white space after a boundary; default 16 KiB. */
  readonly maxHeaderBytes?: number;
}

/** One part of a multipart body. */
export interface Part {
  /** Position in the body, from 0. */
  readonly index: number;
  readonly headers: PartHeaders;
  /** The bytes, readable once and only until the next part is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

const defaultMaxParts = 10_000;
const defaultMaxHeaderBytes = 16 * 1024;
const maxBoundaryLength = 256;
/** Chunks below this many bytes are worth to make room for more of them. */
const tinyChunk = 4096;
/** Near misses of a boundary after which others may have their turn. */
const missesPerTurn = 256;

const LF = 0x0a;

/**
 * Splits a multipart body into its parts, in order. A part that was not read is skipped when the
 * next is asked for; leaving the loop early returns the iterator of `body`, which cancels an upload.
 * Preamble and epilogue are ignored, header-less and empty parts are parts.
 *
 * @throws ServiceError 'invalid-multipart' with `facts.offset` (bytes from the start of the body),
 *   'too-many-parts'; and whatever `body` throws.
 */
export async function* readMultipart(
  body: AsyncIterable<Uint8Array>,
  boundary: string,
  limits: MultipartLimits = {},
): AsyncGenerator<Part, void, undefined> {
  const { maxParts = defaultMaxParts, maxHeaderBytes = defaultMaxHeaderBytes } = limits;
  if (boundary === '' || boundary.length > maxBoundaryLength || /[^\x20-\xff]/.test(boundary)) {
    throw new ServiceError(
      'invalid-multipart',
      `The multipart boundary must be 1 to ${maxBoundaryLength} printable characters.`,
    );
  }
  const scanner = new Scanner(body, boundary, maxHeaderBytes);
  try {
    let line = await scanner.firstBoundary();
    for (let index = 0; line === 'part'; index++) {
      if (index >= maxParts) {
        throw new ServiceError('too-many-parts', `The body has more than ${maxParts} parts.`, {
          limit: 'maxParts',
          limitValue: maxParts,
        });
      }
      const headers = await scanner.headers(index);
      const content = new Content(scanner, index);
      yield { index, headers, body: content };
      line = await content.skip();
    }
    await scanner.drain();
  } finally {
    await scanner.close();
  }
}

/** The body of one part: a cursor into the scanner that knows when the reader has moved on. */
class Content implements AsyncIterable<Uint8Array> {
  readonly #scanner: Scanner;
  readonly #index: number;
  #end: BoundaryLine | undefined;
  #passed = false;

  constructor(scanner: Scanner, index: number) {
    this.#scanner = scanner;
    this.#index = index;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return { next: () => this.#next() };
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#passed) {
      return Promise.reject(new Error('A part was read after the next had been asked for.'));
    }
    if (this.#end !== undefined) return Promise.resolve(end);
    return this.#scanner.data().then((value) => {
      if (value instanceof Uint8Array) return { done: false, value };
      this.#close(value);
      return end;
    });
  }

  /** Passes over what was not read and tells which boundary line ended the part. */
  async skip(): Promise<BoundaryLine> {
    for (;;) {
      if (this.#end !== undefined) return this.#end;
      this.#passed = true;
      const next = await this.#scanner.data();
      if (!(next instanceof Uint8Array)) this.#close(next);
    }
  }

  #close(line: BoundaryLine | undefined): void {
    if (line === undefined) throw this.#scanner.unfinished(this.#index);
    this.#end = line;
  }
}

const end = { done: true, value: undefined } as const;

/** Holds the unread bytes and finds boundaries in them. */
class Scanner {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #maxHeaderBytes: number;
  /** `--boundary`, and the same after the line end that belongs to it. */
  readonly #dashed: Buffer;
  readonly #afterLineFeed: Buffer;
  readonly #delimiter: Buffer;
  #buffer: Buffer = Buffer.alloc(0);
  /** What `#buffer` is a view of, where it may grow; its bytes behind the view are unused. */
  #room: Buffer | undefined;
  /** Where `#buffer` begins in the body. */
  #offset = 0;
  /** The buffer is known to hold no delimiter that begins before this position. */
  #searched = 0;
  /** The buffer begins right behind the line end of a header block. */
  #atLineStart = false;
  #exhausted = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(body: AsyncIterable<Uint8Array>, boundary: string, maxHeaderBytes: number) {
    this.#source = body[Symbol.asyncIterator]();
    this.#maxHeaderBytes = maxHeaderBytes;
    this.#dashed = Buffer.from(`--${boundary}`, 'latin1');
    this.#afterLineFeed = Buffer.from(`\n--${boundary}`, 'latin1');
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** Finds the first boundary line, at the very start or behind a preamble. */
  async firstBoundary(): Promise<BoundaryLine> {
    const first = await this.#takeBoundaryLine(0);
    if (first !== undefined) return first;
    for (;;) {
      const next = await this.#until(this.#afterLineFeed);
      if (next === undefined) throw this.#invalid('The body holds no boundary line');
      if (typeof next === 'string') return next;
    }
  }

  /** The next bytes of a part, or the boundary line that ends it; `undefined` when the body ends first. */
  data(): Promise<Uint8Array | BoundaryLine | undefined> {
    return this.#atLineStart ? this.#atStart() : this.#until(this.#delimiter);
  }

  async #atStart(): Promise<Uint8Array | BoundaryLine | undefined> {
    // An empty part: the empty line behind its headers is also the line end of the delimiter.
    this.#atLineStart = false;
    return (await this.#takeBoundaryLine(0)) ?? (await this.#until(this.#delimiter));
  }

  /** The refusal of a body that ends in part `index`. */
  unfinished(index: number): ServiceError {
    return this.#invalid(`The body ends inside part ${index + 1}, before a closing boundary`);
  }

  /** Reads the header block of part `index`, up to and including the empty line. */
  async headers(index: number): Promise<PartHeaders> {
    const fields: { readonly name: string; readonly lines: string[] }[] = [];
    let start = 0;
    for (;;) {
      const end = await this.#lineEnd(start, index);
      const text = this.#buffer.toString('latin1', start, end).replace(/\r$/, '');
      if (text === '') {
        this.#advance(end + 1);
        this.#atLineStart = true;
        return partHeaders(fields.map(({ name, lines }) => [name, lines.join(' ')]));
      }
      const previous = fields.at(-1);
      if (/^[ \t]/.test(text) && previous !== undefined) {
        const more = text.trim();
        if (more !== '') previous.lines.push(more);
      } else {
        const colon = text.indexOf(':');
        const name = text.slice(0, Math.max(colon, 0)).trim();
        if (name === '') {
          throw this.#invalid(
            `Part ${index + 1} has a header line without a name and colon`,
            start,
          );
        }
        const value = text.slice(colon + 1).trim();
        fields.push({ name, lines: value === '' ? [] : [value] });
      }
      start = end + 1;
    }
  }

  /** Reads the epilogue away, so that the connection is left clean. */
  async drain(): Promise<void> {
    do this.#advance(this.#buffer.length);
    while (await this.#pull());
  }

  /** Lets go of the source unless it has ended by itself. */
  async close(): Promise<void> {
    if (!this.#exhausted) await this.#source.return?.();
    this.#exhausted = true;
  }

  /**
   * The bytes before `delimiter`, piece by piece, then the boundary line it opens; undefined when
   * the body ends first. A delimiter that no proper boundary line follows is data.
   */
  async #until(delimiter: Buffer): Promise<Uint8Array | BoundaryLine | undefined> {
    const dashed = this.#dashed;
    const lead = delimiter.length - dashed.length;
    for (let misses = 0; ;) {
      const found = this.#buffer.indexOf(delimiter, this.#searched);
      if (found > 0) {
        // Near misses stay among the data around them: one by one they would be millions of chunks.
        const { length } = dashed;
        const line = boundaryLine(this.#buffer, found + lead, dashed, this.#exhausted, length);
        if (line.kind !== 'none') return this.#take(found);
        this.#searched = found + 1;
        misses += 1;
        if (misses % missesPerTurn === 0) await takeTurns();
        continue;
      }
      if (found === 0) {
        const line = await this.#takeBoundaryLine(lead, dashed.length);
        if (line !== undefined) return line;
        this.#searched = 1;
        continue;
      }
      const certain = this.#buffer.length - heldBack(this.#buffer, delimiter, this.#searched);
      if (certain > 0) return this.#take(certain);
      if (!(await this.#pull())) {
        return this.#buffer.length > 0 ? this.#take(this.#buffer.length) : undefined;
      }
    }
  }

  /** Consumes the boundary line whose dashes are at `at`, if that is what is there; `known` of its bytes fit. */
  async #takeBoundaryLine(at: number, known = 0): Promise<BoundaryLine | undefined> {
    let judged = known;
    for (;;) {
      const line = boundaryLine(this.#buffer, at, this.#dashed, this.#exhausted, judged);
      if (line.kind === 'undecided' && this.#buffer.length - at <= this.#maxPadded()) {
        judged = line.judged;
        await this.#pull();
        continue;
      }
      if (line.kind === 'undecided' || line.kind === 'none') return undefined;
      this.#advance(at + line.length);
      return line.kind;
    }
  }

  #maxPadded(): number {
    return this.#dashed.length + this.#maxHeaderBytes;
  }

  /** Position of the LF that ends the header line beginning at `start`. */
  async #lineEnd(start: number, index: number): Promise<number> {
    let from = start;
    for (;;) {
      const end = this.#buffer.indexOf(LF, from);
      if (end > this.#maxHeaderBytes || (end < 0 && this.#buffer.length > this.#maxHeaderBytes)) {
        throw this.#invalid(
          `The headers of part ${index + 1} are longer than ${this.#maxHeaderBytes} bytes`,
          0,
          { limit: 'maxHeaderBytes', limitValue: this.#maxHeaderBytes },
        );
      }
      if (end >= 0) return end;
      from = this.#buffer.length;
      if (!(await this.#pull())) {
        throw this.#invalid(`The body ends inside the headers of part ${index + 1}`, from);
      }
    }
  }

  /** Appends the next chunk that has bytes; false at the end of the body. */
  async #pull(): Promise<boolean> {
    if (this.#failure !== undefined) throw this.#failure.error;
    while (!this.#exhausted) {
      let result: IteratorResult<Uint8Array>;
      try {
        result = await this.#source.next();
      } catch (error) {
        // Kept, so that asking for the next part tells the cause and not a consequence.
        this.#failure = { error };
        this.#exhausted = true;
        throw error;
      }
      if (result.done === true) {
        this.#exhausted = true;
      } else if (result.value.byteLength > 0) {
        this.#append(result.value);
        return true;
      }
    }
    return false;
  }

  /**
   * Adds a chunk to what is held. Tiny chunks go into room that was made for several, so that a line that
   * comes byte by byte is not copied as often as it has bytes.
   */
  #append(chunk: Uint8Array): void {
    const held = this.#buffer;
    if (held.length === 0) {
      this.#buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      this.#room = undefined;
      return;
    }
    const length = held.length + chunk.length;
    const room = this.#room;
    if (room !== undefined && held.byteOffset - room.byteOffset + length <= room.length) {
      const start = held.byteOffset - room.byteOffset;
      room.set(chunk, start + held.length);
      this.#buffer = room.subarray(start, start + length);
      return;
    }
    const made = Buffer.allocUnsafeSlow(chunk.length < tinyChunk ? 2 * length + tinyChunk : length);
    made.set(held);
    made.set(chunk, held.length);
    this.#room = made;
    this.#buffer = made.subarray(0, length);
  }

  #take(length: number): Uint8Array {
    const taken = this.#buffer.subarray(0, length);
    this.#advance(length);
    return taken;
  }

  #advance(length: number): void {
    this.#buffer = this.#buffer.subarray(length);
    this.#offset += length;
    this.#searched = 0;
  }

  #invalid(what: string, at = 0, facts: ErrorFacts = {}): ServiceError {
    const offset = this.#offset + at;
    return new ServiceError('invalid-multipart', `${what} (at byte ${offset}).`, {
      ...facts,
      offset,
    });
  }
}
