/** The part of gifenc that is used; the package has no types of its own. */
declare module 'gifenc' {
  /** Red, green, blue. */
  export type Color = readonly number[];

  export interface GifFrameOptions {
    readonly palette?: readonly Color[];
    /** Milliseconds. */
    readonly delay?: number;
    /** -1 plays once, 0 for ever. */
    readonly repeat?: number;
  }

  export interface GifStream {
    writeFrame(index: Uint8Array, width: number, height: number, options: GifFrameOptions): void;
    finish(): void;
    bytes(): Uint8Array;
  }

  export function GIFEncoder(): GifStream;
  export function quantize(rgba: Uint8Array, maxColors: number): Color[];
  export function applyPalette(rgba: Uint8Array, palette: readonly Color[]): Uint8Array;
}
