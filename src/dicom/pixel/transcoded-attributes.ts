/**
 * What a data set has to say differently once its pixel data is in another transfer syntax: the Image
 * Pixel module where it changed, and the history of lossy compression (PS3.3 §C.7.6.3, §C.7.6.1.1.5).
 */
import type { DataSet } from '../data-set.js';
import { type Tag, tagFrom } from '../tag.js';
import type { TransferSyntax } from '../transfer-syntax.js';
import type { NewValue } from '../write/rewrite.js';
import type { EncodedFrame } from './encode-frame.js';
import type { ImagePixels } from './image-pixels.js';

/** What a data set says of its past. Ratio and method of one step are at the same index. */
export interface LossyHistory {
  /** Lossy Image Compression (0028,2110) is 01. */
  readonly lossy: boolean;
  readonly ratios: readonly string[];
  readonly methods: readonly string[];
}

const tags = {
  photometricInterpretation: tagFrom(0x0028, 0x0004),
  lossy: tagFrom(0x0028, 0x2110),
  ratio: tagFrom(0x0028, 0x2112),
  method: tagFrom(0x0028, 0x2114),
};

/** Image Pixel attributes of one number each that an encoding can change. */
const numbers = [
  [tagFrom(0x0028, 0x0006), 'planarConfiguration'],
  [tagFrom(0x0028, 0x0100), 'bitsAllocated'],
  [tagFrom(0x0028, 0x0101), 'bitsStored'],
  [tagFrom(0x0028, 0x0102), 'highBit'],
  [tagFrom(0x0028, 0x0103), 'pixelRepresentation'],
] as const;

/** Syntaxes that cannot but lose information: elsewhere only the data set knows. */
const alwaysLossy: ReadonlySet<string> = new Set([
  '1.2.840.10008.1.2.4.50',
  '1.2.840.10008.1.2.4.51',
]);

/** Reads the history of lossy compression from a data set. */
export function lossyHistoryOf(dataSet: DataSet): LossyHistory {
  const texts = (tag: Tag): string[] =>
    (dataSet[tag]?.Value ?? []).map((value) =>
      typeof value === 'string' || typeof value === 'number' ? String(value) : '',
    );
  return {
    lossy: texts(tags.lossy)[0] === '01',
    ratios: texts(tags.ratio),
    methods: texts(tags.method),
  };
}

/**
 * The changes that transcoding makes to the attributes of an instance, as `rewritePart10` takes them.
 * The header precedes the pixels, so one frame has to speak for all: its ratio stands for the
 * instance's.
 *
 * @param stored the Image Pixel module as stored.
 * @param from the stored transfer syntax. What comes out of a lossy one stays marked as lossy, also
 *   where the data set left that to its transfer syntax.
 * @param first the first frame as encoded.
 */
export function transcodedAttributes(
  stored: ImagePixels,
  from: TransferSyntax,
  first: EncodedFrame,
  history: LossyHistory,
): ReadonlyMap<Tag, NewValue> {
  const { pixels, lossy } = first;
  const changes = new Map<Tag, NewValue>();
  if (stored.photometricInterpretation !== pixels.photometricInterpretation) {
    changes.set(tags.photometricInterpretation, text('CS', [pixels.photometricInterpretation]));
  }
  for (const [tag, name] of numbers) {
    if (stored[name] !== pixels[name]) changes.set(tag, unsignedShort(pixels[name]));
  }
  if (!history.lossy && (lossy !== undefined || alwaysLossy.has(from.uid))) {
    changes.set(tags.lossy, text('CS', ['01']));
  }
  if (lossy !== undefined) {
    const steps = Math.max(history.ratios.length, history.methods.length);
    const past = (values: readonly string[]): string[] =>
      Array.from({ length: steps }, (_, step) => values[step] ?? '');
    // A DS has at most 16 characters (PS3.5 §6.2).
    const ratio = String(Number(lossy.ratio.toFixed(4)));
    changes.set(tags.ratio, text('DS', [...past(history.ratios), ratio]));
    changes.set(tags.method, text('CS', [...past(history.methods), lossy.method]));
  }
  return changes;
}

function text(vr: 'CS' | 'DS', values: readonly string[]): NewValue {
  return { vr, value: Buffer.from(values.join('\\'), 'latin1') };
}

function unsignedShort(value: number): NewValue {
  return { vr: 'US', value: Uint8Array.of(value & 0xff, value >> 8) };
}
