/** Where an image lies on the screen, where its edges lie in the patient, and how long a line is. */
import type { Spacing, StackImage } from './image.js';

/** How an image is placed: zoom over "fits", and the shift of its centre in screen pixels. */
export interface Placement {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

export const centred: Placement = { zoom: 1, x: 0, y: 0 };

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The rectangle of an image on a screen: its left upper corner, and screen pixels per column and row. */
export interface Rectangle extends Point {
  readonly perColumn: number;
  readonly perRow: number;
}

/** Screen pixels per column when the image just fits. */
export function fitScale(
  { rows, columns, aspect }: Pick<StackImage, 'rows' | 'columns' | 'aspect'>,
  width: number,
  height: number,
): number {
  return Math.min(width / Math.max(columns, 1), height / Math.max(rows * aspect, 1));
}

/** Where an image is drawn. */
export function rectangleOf(
  image: Pick<StackImage, 'rows' | 'columns' | 'aspect'>,
  { zoom, x, y }: Placement,
  width: number,
  height: number,
): Rectangle {
  const perColumn = fitScale(image, width, height) * zoom;
  const perRow = perColumn * image.aspect;
  return {
    x: width / 2 + x - (image.columns * perColumn) / 2,
    y: height / 2 + y - (image.rows * perRow) / 2,
    perColumn,
    perRow,
  };
}

/** A point of the screen in the pixels of the image. */
export function toImage(point: Point, { x, y, perColumn, perRow }: Rectangle): Point {
  return { x: (point.x - x) / perColumn, y: (point.y - y) / perRow };
}

/** A point of the image on the screen. */
export function toScreen(point: Point, { x, y, perColumn, perRow }: Rectangle): Point {
  return { x: x + point.x * perColumn, y: y + point.y * perRow };
}

/** Length between two points of an image: millimetres where the spacing is known, else pixels. */
export function lengthOf(from: Point, to: Point, spacing: Spacing | undefined): number {
  const across = (to.x - from.x) * (spacing?.column ?? 1);
  const down = (to.y - from.y) * (spacing?.row ?? 1);
  return Math.hypot(across, down);
}

/** Below this cosine an axis does not show in an edge's letters. */
const leastCosine = 0.2;

/** The letters of a direction in the patient: `L` left, `P` posterior, `H` head and so on. */
export function lettersOf([x = 0, y = 0, z = 0]: readonly number[]): string {
  const axes = [
    { cosine: x, letters: ['L', 'R'] },
    { cosine: y, letters: ['P', 'A'] },
    { cosine: z, letters: ['H', 'F'] },
  ];
  return axes
    .filter(({ cosine }) => Math.abs(cosine) >= leastCosine)
    .sort((a, b) => Math.abs(b.cosine) - Math.abs(a.cosine))
    .map(({ cosine, letters }) => letters[cosine > 0 ? 0 : 1])
    .join('');
}

/** What lies at the edges of an image; empty where the orientation is not known. */
export function edgesOf(orientation: readonly number[]): Readonly<Record<Edge, string>> {
  if (orientation.length < 6) return { left: '', right: '', top: '', bottom: '' };
  const row = orientation.slice(0, 3);
  const column = orientation.slice(3, 6);
  const opposite = (direction: readonly number[]) => direction.map((cosine) => -cosine);
  return {
    right: lettersOf(row),
    left: lettersOf(opposite(row)),
    bottom: lettersOf(column),
    top: lettersOf(opposite(column)),
  };
}

export type Edge = 'left' | 'right' | 'top' | 'bottom';
