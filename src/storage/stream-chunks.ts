/** Chunks of a Node stream, put together until each is worth the steps that it will go through. */
import type { Readable } from 'node:stream';

/** Sockets give pieces of up to 64 KiB, and smaller ones where a head or a frame ended. */
const leastChunkBytes = 64 * 1024;

/**
 * Takes chunks from a stream of bytes as they are asked for: 64 KiB or more each, but for the last, as
 * long as the stream buffers no more than that by itself.
 */
export class StreamChunks {
  readonly #stream: Readable;
  #wake: () => void = () => undefined;

  constructor(stream: Readable) {
    this.#stream = stream;
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
    for (let length = 0; length < leastChunkBytes;) {
      const piece = this.#stream.read() as Uint8Array | null;
      if (piece !== null) {
        pieces.push(piece);
        length += piece.length;
      } else if (this.#stream.readableEnded || this.#stream.destroyed) {
        if (length > 0) break;
        if (this.#stream.readableEnded) return undefined;
        throw this.#stream.errored ?? new Error('A stream was closed before its end');
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
