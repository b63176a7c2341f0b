/** Inflates a deflated data set (PS3.5 §A.5) as it streams in, and never beyond its limit. */
import { finished } from 'node:stream/promises';
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import type { ServiceError } from '../../errors.js';
import { takeTurns } from '../../take-turns.js';
import { malformed, truncated } from './errors.js';
import { limitExceeded, type Part10Limits } from './limits.js';

/**
 * Every chunk costs turns of two threads, and what inflates a thousandfold has many. Of a buffer that is
 * not filled only the pages that were written take memory.
 */
const inflatedChunkBytes = 4 * 1024 ** 2;
/** What is read of a chunk before others have their turn. */
const sliceBytes = 64 * 1024;

/** Hands what it inflates to its sink, in chunks that are not kept. */
export class Inflater {
  private readonly stream: InflateRaw = createInflateRaw({ chunkSize: inflatedChunkBytes });
  private readonly sink: (bytes: Buffer) => void;
  private inflated = 0;
  private failure: Error | undefined;
  private ended = false;
  /** Settles when the sink has had the latest chunk; does not reject. */
  private reading: Promise<void> = Promise.resolve();

  /** @param sink takes inflated bytes; what it throws fails the current or next `push`. */
  constructor(limits: Part10Limits, sink: (bytes: Buffer) => void) {
    this.sink = sink;
    this.stream.on('data', (bytes: Buffer) => {
      this.inflated += bytes.length;
      if (this.inflated > limits.inflatedBytes) {
        this.fail(limitExceeded('inflatedBytes', limits));
        return;
      }
      this.stream.pause();
      this.reading = this.read(bytes);
    });
    this.stream.on('error', (error) => {
      this.fail(translate(error));
    });
    this.stream.on('end', () => {
      this.ended = true;
    });
  }

  /** Inflates the next bytes; settles when they may be overwritten. Bytes after the end are ignored. */
  async push(bytes: Buffer): Promise<void> {
    if (!this.ended && this.failure === undefined) {
      await new Promise<void>((resolve) => {
        // A write during which zlib fails is never called back; the stream closes instead.
        const settle = (): void => {
          this.stream.off('close', settle);
          resolve();
        };
        this.stream.once('close', settle);
        this.stream.write(bytes, settle);
      });
      await this.reading;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends the stream once all of it has reached the sink. */
  async finish(): Promise<void> {
    if (!this.ended && this.failure === undefined) {
      this.stream.end();
      // Failures arrive by the error event as well; that one knows more.
      await finished(this.stream).catch((error: unknown) => {
        this.fail(translate(error));
      });
      await this.reading;
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private async read(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length && this.failure === undefined; at += sliceBytes) {
        this.sink(bytes.subarray(at, at + sliceBytes));
        await takeTurns();
      }
      this.stream.resume();
    } catch (error) {
      this.fail(error instanceof Error ? error : translate(error));
    }
  }

  private fail(failure: Error): void {
    this.failure ??= failure;
    this.stream.destroy();
  }
}

function translate(error: unknown): ServiceError {
  const code = typeof error === 'object' && error !== null && 'code' in error && error.code;
  return code === 'Z_BUF_ERROR'
    ? truncated('The deflated data set ends early.', {}, error)
    : malformed('The data set cannot be inflated.', {}, error);
}
