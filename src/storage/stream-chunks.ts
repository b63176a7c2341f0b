/** Chunks of a Node stream, put together until each is worth the steps that it will go through. */
import type { Readable } from 'node:stream';

/**
 * Sockets give pieces of up to 64 KiB, and smaller ones where a head or a frame ended. Half of that is worth its
 * steps: the first piece of a file, which is short by a head, is not copied for the sake of it.
 */
const leastChunkBytes = 32 * 1024;

/** With the code that Node has for it. */
function closedEarly(): Error {
  const code = 'ERR_STREAM_PREMATURE_CLOSE';
  return Object.assign(new Error('A stream was closed before its end'), { code });
}

/**
 * Takes chunks from a stream of bytes as they are asked for: 32 KiB or more each, but for the last, unless
 * fewer are asked for.
 */
export class StreamChunks {
  readonly #stream: Readable;
  readonly #least: number;
  #wake: () => void = () => undefined;

  /** @param least bytes that a chunk is to have; 1 for a stream whose every piece counts, as it comes. */
  constructor(stream: Readable, least = leastChunkBytes) {
    this.#stream = stream;
    this.#least = least;
    const wake = () => this.#wake();
    stream.on('readable', wake).once('end', wake).once('error', wake).once('close', wake);
  }

  /**
   * The next chunk; `undefined` after the last.
   *
   * @throws what the stream failed with; Error when it was closed before its end. What came before is
   *   handed out first.
   */
  async next(): Promise<Uint8Array | undefined> {
    const pieces: Uint8Array[] = [];
    for (let length = 0; length < this.#least;) {
      const piece = this.#stream.read() as Uint8Array | null;
      if (piece !== null) {
        pieces.push(piece);
        length += piece.length;
      } else if (this.#stream.readableEnded || this.#stream.destroyed) {
        if (length > 0) break;
        if (this.#stream.readableEnded) return undefined;
        throw this.#stream.errored ?? closedEarly();
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
    const [first, second] = pieces;
    return first !== undefined && second === undefined ? first : Buffer.concat(pieces);
  }
}
