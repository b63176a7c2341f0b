/** Inflates a deflated data set (PS3.5 §A.5) as it streams in, and never beyond its limit. */
import { finished } from 'node:stream/promises';
import { createInflateRaw, type InflateRaw } from 'node:zlib';
import { malformed, truncated } from './part10-errors.js';
import { limitExceeded, type Part10Limits } from './part10-limits.js';

export class Inflater {
  private readonly stream: InflateRaw = createInflateRaw();
  private inflated = 0;
  private failure: Error | undefined;
  private ended = false;

  /** @param sink takes inflated bytes; what it throws fails the current or next `push`. */
  constructor(limits: Part10Limits, sink: (bytes: Buffer) => void) {
    this.stream.on('data', (bytes: Buffer) => {
      this.inflated += bytes.length;
      if (this.inflated > limits.inflatedBytes) {
        this.fail(limitExceeded('inflatedBytes', limits));
        return;
      }
      try {
        sink(bytes);
      } catch (error) {
        this.fail(error);
      }
    });
    this.stream.on('error', (error) => {
      this.fail(error);
    });
    this.stream.on('end', () => {
      this.ended = true;
    });
  }

  /** Inflates the next bytes; settles when they may be overwritten. Bytes after the end are ignored. */
  async push(bytes: Buffer): Promise<void> {
    if (!this.ended && this.failure === undefined) {
      await new Promise<void>((resolve) => this.stream.write(bytes, () => resolve()));
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends the stream once all of it has reached the sink. */
  async finish(): Promise<void> {
    this.stream.end();
    try {
      await finished(this.stream);
    } catch (error) {
      this.fail(error);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  private fail(error: unknown): void {
    this.failure ??= translate(error);
    this.stream.destroy();
  }
}

function translate(error: unknown): Error {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'Z_BUF_ERROR') return truncated('The deflated data set ends early.', {}, error);
  if (code === 'Z_DATA_ERROR') return malformed('The data set cannot be inflated.', {}, error);
  return error instanceof Error ? error : new Error('Inflation failed.', { cause: error });
}
