/** The inverse discrete cosine transform of a block of 8 × 8 (ITU-T T.81 §A.3.3), as it is defined. */

/** C(u)/2 · cos((2x + 1)uπ/16) at x × 8 + u. */
const basis = Float64Array.from({ length: 64 }, (_, index) => {
  const x = index >> 3;
  const u = index & 7;
  return (u === 0 ? Math.SQRT1_2 / 2 : 0.5) * Math.cos(((2 * x + 1) * u * Math.PI) / 16);
});

const rows = new Float64Array(64);

/**
 * Transforms one block, rows first.
 *
 * @param coefficients sixty-four, row by row.
 * @param put is given every sample by its place, row by row.
 */
export function inverseDct(
  coefficients: Float64Array,
  put: (index: number, value: number) => void,
): void {
  for (let v = 0; v < 8; v++) {
    for (let x = 0; x < 8; x++) {
      let sum = 0;
      for (let u = 0; u < 8; u++) sum += (coefficients[v * 8 + u] ?? 0) * (basis[x * 8 + u] ?? 0);
      rows[v * 8 + x] = sum;
    }
  }
  for (let x = 0; x < 8; x++) {
    for (let y = 0; y < 8; y++) {
      let sum = 0;
      for (let v = 0; v < 8; v++) sum += (rows[v * 8 + x] ?? 0) * (basis[y * 8 + v] ?? 0);
      put(y * 8 + x, sum);
    }
  }
}
