/** Colour that JPEG holds as luminance and chrominance (ITU-T T.871 §7), for any precision. */

/**
 * Turns Y, Cb, Cr into R, G, B in place.
 *
 * @param samples interleaved by pixel.
 */
export function yccToRgb(samples: Uint16Array, precision: number): void {
  const most = 2 ** precision - 1;
  const middle = 2 ** (precision - 1);
  const clamp = (value: number) => Math.min(most, Math.max(0, Math.round(value)));
  for (let at = 0; at + 2 < samples.length; at += 3) {
    const y = samples[at] ?? 0;
    const cb = (samples[at + 1] ?? 0) - middle;
    const cr = (samples[at + 2] ?? 0) - middle;
    samples[at] = clamp(y + 1.402 * cr);
    samples[at + 1] = clamp(y - 0.344136 * cb - 0.714136 * cr);
    samples[at + 2] = clamp(y + 1.772 * cb);
  }
}
