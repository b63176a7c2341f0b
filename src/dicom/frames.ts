/**
 * The frame index: where each frame of an instance lies in its file, so that a frame is one ranged
 * read. Made while the file streams in, kept in the instance row, read by retrieve.
 */

export type FrameIndex =
  /** Uncompressed pixel data: frames follow each other. */
  | {
      readonly kind: 'native';
      /** Where the pixel data value starts, bytes from the start of the (inflated) file. */
      readonly offset: number;
      /** Length of the pixel data value in bytes. */
      readonly length: number;
      readonly frames: number;
      /** Bits of one frame: Rows × Columns × SamplesPerPixel × BitsAllocated (422: two of three samples). */
      readonly frameBits: number;
    }
  /** Encapsulated pixel data (PS3.5 §A.4): fragments, grouped into frames. */
  | {
      readonly kind: 'encapsulated';
      /** Where the item header of the first fragment after the offset table starts, in the file. */
      readonly offset: number;
      /** Length of each fragment value; each is preceded by an 8-byte item header. */
      readonly fragments: readonly number[];
      /** Fragments per frame: one number for all frames, or one per frame. */
      readonly perFrame: number | readonly number[];
      readonly frames: number;
    };

/** A run of bytes in the file. */
export interface ByteRun {
  readonly offset: number;
  readonly length: number;
}
