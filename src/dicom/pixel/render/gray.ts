/**
 * From stored values to greys: modality transform, VOI transform, presentation LUT shape and padding
 * (PS3.4 §N.2), folded into one table where there are more pixels than different values.
 */
import type {
  LookupTable,
  ModalityTransform,
  Presentation,
  VoiTransform,
  Window,
  WindowShape,
} from './presentation.js';
import type { Samples } from './samples.js';

type Curve = (value: number) => number;

/** Each function of PS3.3 §C.11.2.1.2 and §C.11.2.1.3 as a curve to 0…1. */
const windowCurves: Readonly<Record<WindowShape, (window: Window) => Curve>> = {
  LINEAR: ({ center, width }) => {
    const middle = center - 0.5;
    const half = (width - 1) / 2;
    return (value) => {
      if (value <= middle - half) return 0;
      if (value > middle + half) return 1;
      return (value - middle) / (width - 1) + 0.5;
    };
  },
  LINEAR_EXACT: ({ center, width }) => {
    return (value) => Math.min(Math.max((value - center) / width + 0.5, 0), 1);
  },
  SIGMOID: ({ center, width }) => {
    return (value) => 1 / (1 + Math.exp((-4 * (value - center)) / width));
  },
};

/** The windowing function as a curve from values to 0…1. */
export function windowCurve(window: Window): Curve {
  return windowCurves[window.shape](window);
}

/** What a table has for a value; values beyond its ends get its first and last entry. */
export function lookUp({ first, entries }: LookupTable, value: number): number {
  const at = Math.min(Math.max(Math.round(value) - first, 0), entries.length - 1);
  return entries[at] ?? 0;
}

/** From stored values to those of the modality, Hounsfield units say (PS3.3 §C.11.1). */
export function modalityCurve(transform: ModalityTransform): Curve {
  if (transform.kind === 'lut') return (value) => lookUp(transform.table, value);
  const { slope, intercept } = transform;
  return (value) => value * slope + intercept;
}

function voiCurve(transform: VoiTransform): Curve {
  if (transform.kind === 'window') return windowCurve(transform.window);
  const { table } = transform;
  const greatest = 2 ** table.bits - 1;
  return (value) => Math.min(lookUp(table, value) / greatest, 1);
}

/** Whether a stored value is a pixel of the image. */
function pictured(padding: Presentation['padding']): (value: number) => boolean {
  if (padding === undefined) return (value) => !Number.isNaN(value);
  const { from, to } = padding;
  return (value) => !(value >= from && value <= to) && !Number.isNaN(value);
}

/** Least and greatest finite sample that is no padding; `undefined` when there is none. */
function extent(
  samples: Samples,
  isPictured: (value: number) => boolean,
): { readonly least: number; readonly greatest: number } | undefined {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (const value of samples) {
    if (value >= least && value <= greatest) continue;
    if (!Number.isFinite(value) || !isPictured(value)) continue;
    if (value < least) least = value;
    if (value > greatest) greatest = value;
  }
  return least > greatest ? undefined : { least, greatest };
}

/** Spreads what the modality transform makes of the frame's values over all greys. */
function spread(least: number, greatest: number): VoiTransform {
  const width = greatest - least;
  const center = least + width / 2;
  // A frame of one value has no width; what it shows is nothing, as if outside of the window.
  const window = { center, width: width === 0 ? 1 : width, shape: 'LINEAR_EXACT' } as const;
  return { kind: 'window', window: width === 0 ? { ...window, center: center + 0.5 } : window };
}

/** The range of modality values between two stored ones; a table need not be monotonic. */
function modalityExtent(transform: ModalityTransform, least: number, greatest: number) {
  const curve = modalityCurve(transform);
  if (transform.kind === 'rescale') {
    const ends = [curve(least), curve(greatest)];
    return { least: Math.min(...ends), greatest: Math.max(...ends) };
  }
  const { first, entries } = transform.table;
  const from = Math.max(0, Math.min(Math.round(least) - first, entries.length - 1));
  const to = Math.max(from, Math.min(Math.round(greatest) - first, entries.length - 1));
  return entries.subarray(from, to + 1).reduce(
    (seen, entry) => ({
      least: Math.min(seen.least, entry),
      greatest: Math.max(seen.greatest, entry),
    }),
    { least: Number.POSITIVE_INFINITY, greatest: Number.NEGATIVE_INFINITY },
  );
}

/**
 * The greys of one frame's samples, 0 black to 255 white. Without a VOI transform the values that
 * are there, padding left out, fill the whole range. Padding and what is no number are black.
 *
 * @param samples stored values.
 * @param window instead of the VOI transform of the presentation.
 */
export function grays(samples: Samples, presentation: Presentation, window?: Window): Uint8Array {
  const gray = new Uint8Array(samples.length);
  const isPictured = pictured(presentation.padding);
  const seen = extent(samples, isPictured);
  if (seen === undefined) return gray;
  const { modality, inverse } = presentation;
  const meaning = modalityCurve(modality);
  const bounds = modalityExtent(modality, seen.least, seen.greatest);
  const voi: VoiTransform =
    window === undefined
      ? (presentation.voi ?? spread(bounds.least, bounds.greatest))
      : { kind: 'window', window };
  const shown = voiCurve(voi);
  const grayOf = (value: number): number => {
    if (!isPictured(value)) return 0;
    const share = shown(meaning(value));
    return Math.round(255 * (inverse ? 1 - share : share));
  };
  const whole = !(samples instanceof Float32Array || samples instanceof Float64Array);
  // A table pays where it has fewer entries than there are pixels.
  if (whole && seen.greatest - seen.least < samples.length) {
    const { least } = seen;
    const table = new Uint8Array(seen.greatest - least + 1);
    // Whatever lies outside of the table is padding, hence black.
    for (let at = 0; at < table.length; at++) table[at] = grayOf(least + at);
    for (let at = 0; at < gray.length; at++) gray[at] = table[(samples[at] ?? 0) - least] ?? 0;
  } else {
    for (let at = 0; at < gray.length; at++) gray[at] = grayOf(samples[at] ?? 0);
  }
  return gray;
}
