/**
 * JPEG codestreams written step by step (ITU-T T.81), for what no encoder at hand makes: 12 bits,
 * subsampling, every predictor, point transforms, restarts, chosen markers.
 */

export interface JpegPlane {
  readonly id: number;
  /** Sampling factors; 1 when left out. */
  readonly horizontal?: number;
  readonly vertical?: number;
  readonly width: number;
  readonly height: number;
  /** Samples row by row. */
  readonly samples: readonly number[];
}

export interface JpegSpec {
  readonly precision: number;
  readonly rows: number;
  readonly columns: number;
  readonly planes: readonly JpegPlane[];
  /** Units between restart markers. */
  readonly restartInterval?: number;
  /** A scan for each plane instead of one for all. */
  readonly separate?: boolean;
  /** Segments after SOI. */
  readonly head?: readonly (readonly number[])[];
}

const soi = [0xff, 0xd8];
const eoi = [0xff, 0xd9];

/** A marker segment. */
export function segment(marker: number, ...parameters: readonly number[]): number[] {
  const length = parameters.length + 2;
  return [0xff, marker, length >> 8, length & 255, ...parameters];
}

export const jfif = segment(0xe0, ...Buffer.from('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0);

export function adobe(transform: number): number[] {
  return segment(0xee, ...Buffer.from('Adobe'), 0, 100, 0, 0, 0, 0, transform);
}

/** A frame header: SOFn. */
export function frameHeader(process: number, spec: Omit<JpegSpec, 'head'>): number[] {
  const { precision, rows, columns, planes } = spec;
  return segment(
    process,
    precision,
    ...[rows >> 8, rows & 255, columns >> 8, columns & 255],
    planes.length,
    ...planes.flatMap(({ id, horizontal = 1, vertical = 1 }) => [
      id,
      (horizontal << 4) | vertical,
      0,
    ]),
  );
}

/** Sizes of differences have codes of 5 bits: up to 15, and 16 in the lossless process. */
function sizeTable(most: number): number[] {
  const counts = Array.from({ length: 16 }, (_, at) => (at === 4 ? most + 1 : 0));
  return segment(0xc4, 0, ...counts, ...Array.from({ length: most + 1 }, (_, size) => size));
}

/** Every pair of a run and a size has a code: 0 to 127 of 8 bits, the others of 9. */
const runTable = segment(
  0xc4,
  16,
  ...Array.from({ length: 16 }, (_, at) => (at === 7 || at === 8 ? 128 : 0)),
  ...Array.from({ length: 256 }, (_, value) => value),
);

class BitWriter {
  readonly bytes: number[] = [];
  #bits = '';

  put(value: number, length: number): void {
    if (length > 0) this.#bits += value.toString(2).padStart(length, '0').slice(-length);
  }

  run(value: number): void {
    if (value < 128) this.put(value, 8);
    else this.put(256 + value - 128, 9);
  }

  /** A size and that many bits (T.81 §F.1.2.1), after a run of zeros where there is one. */
  difference(value: number, zeros?: number): void {
    const size = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value))) + 1;
    if (zeros === undefined) this.put(size, 5);
    else this.run(zeros * 16 + size);
    if (size < 16) this.put(value < 0 ? value + 2 ** size - 1 : value, size);
  }

  flush(): void {
    this.#bits += '1'.repeat((8 - (this.#bits.length % 8)) % 8);
    for (let at = 0; at < this.#bits.length; at += 8) {
      const byte = Number.parseInt(this.#bits.slice(at, at + 8), 2);
      this.bytes.push(byte, ...(byte === 255 ? [0] : []));
    }
    this.#bits = '';
  }

  restart(index: number): void {
    this.flush();
    this.bytes.push(0xff, 0xd0 + (index % 8));
  }
}

function scanHeader(planes: readonly JpegPlane[], parameters: readonly number[]): number[] {
  return segment(0xda, planes.length, ...planes.flatMap(({ id }) => [id, 0]), ...parameters);
}

function codestream(
  process: number,
  spec: JpegSpec,
  tables: readonly number[],
  scans: readonly number[],
): Uint8Array {
  const { head = [], restartInterval = 0 } = spec;
  const dri = segment(0xdd, restartInterval >> 8, restartInterval & 255);
  return Uint8Array.from([
    ...soi,
    ...head.flat(),
    ...tables,
    ...frameHeader(process, spec),
    ...(restartInterval > 0 ? dri : []),
    ...scans,
    ...eoi,
  ]);
}

function scansOf(spec: JpegSpec): readonly (readonly JpegPlane[])[] {
  return spec.separate === true ? spec.planes.map((plane) => [plane]) : [spec.planes];
}

/** Lossless JPEG (T.81 §H) of planes as large as the picture. */
export function losslessJpeg(
  spec: JpegSpec & { readonly predictor: number; readonly pointTransform?: number },
): Uint8Array {
  const { rows, columns, precision, predictor, pointTransform = 0, restartInterval = 0 } = spec;
  const scans = scansOf(spec).flatMap((planes) => {
    const writer = new BitWriter();
    let firstRow = 0;
    for (let row = 0; row < rows; row++) {
      if (restartInterval > 0 && row > 0 && (row * columns) % restartInterval === 0) {
        writer.restart((row * columns) / restartInterval - 1);
        firstRow = row;
      }
      for (let column = 0; column < columns; column++) {
        for (const { samples } of planes) {
          const at = (line: number, place: number) =>
            (samples[line * columns + place] ?? 0) >> pointTransform;
          const [a, b, c] = [at(row, column - 1), at(row - 1, column), at(row - 1, column - 1)];
          const known = [
            0,
            a,
            b,
            c,
            a + b - c,
            a + ((b - c) >> 1),
            b + ((a - c) >> 1),
            (a + b) >> 1,
          ];
          const edge = row === firstRow ? a : b;
          const start = 2 ** (precision - pointTransform - 1);
          const predicted =
            row === firstRow && column === 0
              ? start
              : row === firstRow || column === 0
                ? edge
                : (known[predictor] ?? 0);
          const difference = (at(row, column) - predicted) & 0xffff;
          writer.difference(difference > 32_768 ? difference - 65_536 : difference);
        }
      }
    }
    writer.flush();
    return [...scanHeader(planes, [predictor, 0, pointTransform]), ...writer.bytes];
  });
  return codestream(0xc3, spec, sizeTable(16), scans);
}

/** Sequential DCT (T.81 §F) with quantization steps of 1: losses are those of rounding. */
export function dctJpeg(spec: JpegSpec): Uint8Array {
  const { planes, rows, columns, restartInterval = 0, precision } = spec;
  const most = {
    horizontal: Math.max(...planes.map(({ horizontal = 1 }) => horizontal)),
    vertical: Math.max(...planes.map(({ vertical = 1 }) => vertical)),
  };
  const scans = scansOf(spec).flatMap((parts) => {
    const single = parts.length === 1;
    const [only] = parts;
    const across = single
      ? Math.ceil((only?.width ?? 0) / 8)
      : Math.ceil(columns / 8 / most.horizontal);
    const down = single ? Math.ceil((only?.height ?? 0) / 8) : Math.ceil(rows / 8 / most.vertical);
    const writer = new BitWriter();
    const last = parts.map(() => 0);
    for (let unit = 0; unit < across * down; unit++) {
      if (restartInterval > 0 && unit > 0 && unit % restartInterval === 0) {
        writer.restart(unit / restartInterval - 1);
        last.fill(0);
      }
      parts.forEach((plane, index) => {
        const { horizontal, vertical } = single
          ? { horizontal: 1, vertical: 1 }
          : { horizontal: plane.horizontal ?? 1, vertical: plane.vertical ?? 1 };
        for (let block = 0; block < horizontal * vertical; block++) {
          const left = ((unit % across) * horizontal + (block % horizontal)) * 8;
          const top = (Math.floor(unit / across) * vertical + Math.floor(block / horizontal)) * 8;
          const coefficients = forwardDct(plane, left, top, 2 ** (precision - 1));
          const [dc = 0] = coefficients;
          writer.difference(dc - (last[index] ?? 0));
          last[index] = dc;
          writeAc(writer, coefficients);
        }
      });
    }
    writer.flush();
    return [...scanHeader(parts, [0, 63, 0]), ...writer.bytes];
  });
  const steps = segment(0xdb, 0, ...new Array<number>(64).fill(1));
  return codestream(0xc1, spec, [...steps, ...sizeTable(15), ...runTable], scans);
}

function writeAc(writer: BitWriter, coefficients: readonly number[]): void {
  let zeros = 0;
  for (const place of zigzag.slice(1)) {
    const value = coefficients[place] ?? 0;
    if (value === 0) {
      zeros++;
      continue;
    }
    for (; zeros > 15; zeros -= 16) writer.run(0xf0);
    writer.difference(value, zeros);
    zeros = 0;
  }
  if (zeros > 0) writer.run(0);
}

/** T.81 figure A.6. */
const zigzag = [
  0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
  13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52,
  45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

const cosines = Array.from({ length: 64 }, (_, at) =>
  Math.cos(((2 * (at >> 3) + 1) * (at & 7) * Math.PI) / 16),
);

/** T.81 §A.3.3; samples beyond an edge repeat it. */
function forwardDct(plane: JpegPlane, left: number, top: number, middle: number): number[] {
  const { samples, width, height } = plane;
  const sample = (row: number, column: number) =>
    (samples[Math.min(row, height - 1) * width + Math.min(column, width - 1)] ?? 0) - middle;
  return Array.from({ length: 64 }, (_, index) => {
    const [v, u] = [index >> 3, index & 7];
    let sum = 0;
    for (let y = 0; y < 8; y++) {
      for (let x = 0; x < 8; x++) {
        sum += sample(top + y, left + x) * (cosines[x * 8 + u] ?? 0) * (cosines[y * 8 + v] ?? 0);
      }
    }
    const scale = (u === 0 ? Math.SQRT1_2 : 1) * (v === 0 ? Math.SQRT1_2 : 1);
    return Math.round((sum * scale) / 4);
  });
}
