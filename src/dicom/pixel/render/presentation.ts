/**
 * How the pixels of one frame are to be shown, read out of a data set and ready to be applied: plain
 * values that can be sent to a worker.
 */

/** The functions of PS3.3 §C.11.2.1.2 and §C.11.2.1.3. */
export type WindowShape = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';

/** A window in units of the modality transform's output. */
export interface Window {
  readonly center: number;
  /** At least 1 for `LINEAR`, above 0 for the others. */
  readonly width: number;
  readonly shape: WindowShape;
}

/** A look-up table (PS3.3 §C.11.1.1): inputs beyond its ends give its first and last entry. */
export interface LookupTable {
  /** Input that gives the first entry. */
  readonly first: number;
  /** Bits of an entry: the output range is 0 to 2^bits − 1. */
  readonly bits: number;
  readonly entries: Uint16Array;
}

/** Stored values to meaningful ones (PS3.3 §C.11.1). */
export type ModalityTransform =
  | { readonly kind: 'rescale'; readonly slope: number; readonly intercept: number }
  | { readonly kind: 'lut'; readonly table: LookupTable };

/** Meaningful values to those to be shown (PS3.3 §C.11.2). */
export type VoiTransform =
  | { readonly kind: 'window'; readonly window: Window }
  | { readonly kind: 'lut'; readonly table: LookupTable };

/** Colours of a PALETTE COLOR image (PS3.3 §C.7.9), reduced to eight bits. */
export interface Palette {
  /** Stored value that has the first colour; values beyond the ends have the first and last. */
  readonly first: number;
  readonly red: Uint8Array;
  readonly green: Uint8Array;
  readonly blue: Uint8Array;
}

export interface Presentation {
  /** What a sample of the pixel data element is (PS3.3 §C.7.6.3, §C.7.6.24, §C.7.6.25). */
  readonly samples: 'integer' | 'float' | 'double';
  readonly modality: ModalityTransform;
  /** Absent: what the frame holds from its least to its greatest value is spread over all greys. */
  readonly voi?: VoiTransform;
  /** The least value is to be white (PS3.3 §C.11.6.1.2, §C.7.6.3.1.2). */
  readonly inverse: boolean;
  /** Stored values, both inclusive, that are no image and are shown black (PS3.3 §C.7.5.1.1.2). */
  readonly padding?: { readonly from: number; readonly to: number };
  readonly palette?: Palette;
  /** Height of a pixel divided by its width. */
  readonly pixelAspect: number;
}
