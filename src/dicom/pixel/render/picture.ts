/** A picture as it is shown: what the steps of rendering hand to each other and encoders write. */

/** Eight bits a sample, interleaved, rows from the top, without padding. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** 1 is grey, 3 is red, green, blue. */
  readonly channels: 1 | 3;
  /** `width × height × channels` bytes. */
  readonly data: Uint8Array;
}
