/** What is to become of a file when it is written in another transfer syntax. */
import type { ByteRun } from '../frames.js';
import type { Tag } from '../tag.js';
import type { TransferSyntax } from '../transfer-syntax.js';
import type { VR } from '../vr.js';

/** The new value of an attribute, little endian; padded when it is written. */
export interface NewValue {
  readonly vr: VR;
  readonly value: Uint8Array;
}

/** Pixel data that is decoded or encoded on the way. */
export interface PixelDataRewrite {
  /** Where the payload of each frame lies in the (inflated) file, ascending; at least one frame. */
  readonly frames: Iterable<readonly ByteRun[]>;
  /** Of the native value that is written; `OB` for fragments. */
  readonly vr: 'OB' | 'OW';
  /** Bytes of the native value; `undefined` for fragments, one for each frame. */
  readonly nativeLength: number | undefined;
  /** Bits of a native frame where they do not fill whole bytes: frames share them (PS3.5 §8.1.1). */
  readonly frameBits?: number;
  /** Makes each frame what it is to be, in order. */
  readonly transcode: (payloads: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

export interface Rewrite {
  readonly target: TransferSyntax;
  /**
   * Attributes of the instance itself, not of items, to set or, by `undefined`, to leave out. Not
   * for sequences and pixel data.
   */
  readonly changes?: ReadonlyMap<Tag, NewValue | undefined>;
  /** Whether PixelRepresentation is 1: it decides on `US or SS` before it has been read. */
  readonly signedPixels?: boolean;
  /**
   * Bytes of a sample. In big endian, samples of more than 16 bits are turned round whole, as writers
   * do and readers expect, although OW has words of 16 (PS3.5 §7.3).
   */
  readonly sampleBytes?: number;
  /** Left out when pixel data stays as it is, apart from its byte order. */
  readonly pixelData?: PixelDataRewrite;
}
