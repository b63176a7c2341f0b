/** The viewport of PS3.18 §8.3.5.1.3: which part of a picture is shown, how large, and mirrored. */

/** As asked for. */
export interface Viewport {
  /** Pixels of the picture that is sent, at most; its aspect ratio is kept. */
  readonly width: number;
  readonly height: number;
  /** The part of the source picture, in its pixels; all of it when left out. */
  readonly source?: SourceRegion;
}

/** Absolute values count; a negative width or height mirrors the picture. */
export interface SourceRegion {
  readonly x: number;
  readonly y: number;
  /** To the right or lower edge when left out. */
  readonly width?: number;
  readonly height?: number;
}

/** What is done to the picture. */
export interface Placement {
  /** In pixels of the source, within it. */
  readonly region: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  };
  /** Size of the result in pixels. */
  readonly width: number;
  readonly height: number;
  readonly mirrorX: boolean;
  readonly mirrorY: boolean;
}

/**
 * Fits a picture into a viewport: the region is cut out and scaled until its width or its height is
 * that of the viewport, pixels made square. Without a viewport every value of the image is one pixel
 * of the picture, whatever its shape (PS3.18 §8.3.5.1.3; the same in WADO-URI).
 *
 * @param pixelAspect height of a source pixel divided by its width.
 * @returns `undefined` when the region is not within the picture.
 */
export function place(
  source: { readonly width: number; readonly height: number },
  pixelAspect: number,
  viewport?: Viewport,
): Placement | undefined {
  const { x = 0, y = 0, width, height } = viewport?.source ?? {};
  const left = Math.abs(x);
  const top = Math.abs(y);
  const region = {
    x: left,
    y: top,
    width: width === undefined ? source.width - left : Math.abs(width),
    height: height === undefined ? source.height - top : Math.abs(height),
  };
  const within =
    region.width > 0 &&
    region.height > 0 &&
    left + region.width <= source.width &&
    top + region.height <= source.height;
  if (!within) return undefined;
  // The denser direction keeps its pixels, so that stretching never loses any.
  const squareWidth = region.width * Math.max(1, 1 / pixelAspect);
  const squareHeight = region.height * Math.max(1, pixelAspect);
  const mirrors = { mirrorX: (width ?? 0) < 0, mirrorY: (height ?? 0) < 0 };
  if (viewport === undefined) {
    return { region, width: region.width, height: region.height, ...mirrors };
  }
  const scale = Math.min(viewport.width / squareWidth, viewport.height / squareHeight);
  return {
    region,
    width: Math.max(1, Math.round(squareWidth * scale)),
    height: Math.max(1, Math.round(squareHeight * scale)),
    ...mirrors,
  };
}
