/** Colour as luminance and chrominance, and as red, green and blue (ITU-T T.871 §7), for any precision. */

type Triple = readonly [number, number, number];

/** Converts each pixel in place; chrominance is counted from the middle of its range. */
function convert(
  samples: Uint16Array,
  precision: number,
  change: (a: number, b: number, c: number, middle: number) => Triple,
): void {
  const most = 2 ** precision - 1;
  const middle = 2 ** (precision - 1);
  const clamp = (value: number) => Math.min(most, Math.max(0, Math.round(value)));
  for (let at = 0; at + 2 < samples.length; at += 3) {
    const [a, b, c] = change(samples[at] ?? 0, samples[at + 1] ?? 0, samples[at + 2] ?? 0, middle);
    samples[at] = clamp(a);
    samples[at + 1] = clamp(b);
    samples[at + 2] = clamp(c);
  }
}

/**
 * Turns Y, Cb, Cr into R, G, B in place.
 *
 * @param samples interleaved by pixel.
 */
export function yccToRgb(samples: Uint16Array, precision: number): void {
  convert(samples, precision, (y, blue, red, middle) => {
    const cb = blue - middle;
    const cr = red - middle;
    return [y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb];
  });
}

/**
 * Turns R, G, B into Y, Cb, Cr in place.
 *
 * @param samples interleaved by pixel.
 */
export function rgbToYcc(samples: Uint16Array, precision: number): void {
  convert(samples, precision, (r, g, b, middle) => [
    0.299 * r + 0.587 * g + 0.114 * b,
    -0.168736 * r - 0.331264 * g + 0.5 * b + middle,
    0.5 * r - 0.418688 * g - 0.081312 * b + middle,
  ]);
}
