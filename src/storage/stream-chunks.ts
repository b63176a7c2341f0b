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

function nobodyWaits(): void {
  // What the stream tells then is seen by whoever asks next.
}

/**
 * Takes chunks from a stream of bytes as they are asked for: 32 KiB or more each, but for the last, unless
 * fewer are asked for.
 */
export class StreamChunks {
  readonly #stream: Readable;
  readonly #least: number;
  /** Called when the stream has something to tell. */
  #look: () => void = nobodyWaits;

  /** @param least bytes that a chunk is to have; 1 for a stream whose every piece counts, as it comes. */
  constructor(stream: Readable, least = leastChunkBytes) {
    this.#stream = stream;
    this.#least = least;
    const look = () => this.#look();
    stream.on('readable', look).once('end', look).once('error', look).once('close', look);
  }

  /**
   * The next chunk; `undefined` after the last. To be asked for when the one before is there.
   *
   * @throws what the stream failed with; Error when it was closed before its end. What came before is
   *   handed out first.
   */
  next(): Promise<Uint8Array | undefined> {
    const stream = this.#stream;
    const pieces: Uint8Array[] = [];
    let length = 0;
    // One promise for a chunk, however often the stream is looked at.
    return new Promise((resolve, reject) => {
      this.#look = () => {
        while (length < this.#least) {
          const piece = stream.read() as Uint8Array | null;
          if (piece === null) break;
          pieces.push(piece);
          length += piece.length;
        }
        const isOver = stream.readableEnded || stream.destroyed;
        if (length < this.#least && !isOver) return;
        this.#look = nobodyWaits;
        const [first, second] = pieces;
        if (first !== undefined) resolve(second === undefined ? first : Buffer.concat(pieces));
        else if (stream.readableEnded) resolve(undefined);
        else reject(stream.errored ?? closedEarly());
      };
      this.#look();
    });
  }
}
