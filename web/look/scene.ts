/** Draws what the viewer shows: the image in its place, and the line that is being measured. */
import { text } from '../text.js';
import { lengthOf, rectangleOf, toImage, type Placement, type Point } from './geometry.js';
import type { StackImage } from './image.js';

/** A line between two points of the screen, drawn while the image was placed so. */
export interface Line {
  readonly from: Point;
  readonly to: Point;
  readonly placement: Placement;
}

interface Scene {
  readonly source: CanvasImageSource | undefined;
  readonly line: Line | undefined;
  /** Whether the source still has to be inverted: one that was windowed here is already. */
  readonly isInverted: boolean;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function labelOf({ from, to, placement }: Line, image: StackImage, size: Size): string {
  const rectangle = rectangleOf(image, placement, size.width, size.height);
  const length = lengthOf(toImage(from, rectangle), toImage(to, rectangle), image.spacing);
  if (image.spacing === undefined) return text.viewer.lengthInPixels(length);
  return image.spacing.atDetector
    ? text.viewer.lengthAtDetector(length)
    : text.viewer.length(length);
}

function drawLine(context: CanvasRenderingContext2D, line: Line, label: string): void {
  const { from, to } = line;
  context.filter = 'none';
  context.strokeStyle = '#ffd54a';
  context.fillStyle = '#ffd54a';
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
  for (const { x, y } of [from, to]) context.fillRect(x - 2.5, y - 2.5, 5, 5);
  context.font = '13px system-ui, sans-serif';
  context.shadowColor = '#000';
  context.shadowBlur = 3;
  context.fillText(label, to.x + 8, to.y - 8);
  context.shadowBlur = 0;
}

/** Draws a frame into a canvas of the given size in CSS pixels. */
export function drawScene(
  canvas: HTMLCanvasElement,
  size: Size,
  image: StackImage,
  placement: Placement,
  { source, line, isInverted }: Scene,
): void {
  const { width, height } = size;
  const ratio = devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  if (context === null) return;
  context.scale(ratio, ratio);
  const { x, y, perColumn, perRow } = rectangleOf(image, placement, width, height);
  // Enlarged far, pixels are shown as what they are.
  context.imageSmoothingEnabled = perColumn < 3;
  context.imageSmoothingQuality = 'high';
  context.filter = isInverted ? 'invert(1)' : 'none';
  if (source !== undefined) {
    context.drawImage(source, x, y, image.columns * perColumn, image.rows * perRow);
  }
  if (line !== undefined) drawLine(context, line, labelOf(line, image, size));
}
