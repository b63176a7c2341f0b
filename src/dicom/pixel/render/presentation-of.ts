/**
 * What a data set says of how one of its frames is to be shown. Functional groups of enhanced
 * multi-frame images come before the attributes that classic images have (PS3.3 §C.7.6.16).
 */
import { attribute } from '../../attribute.js';
import type { DataSet } from '../../data-set.js';
import type { Tag } from '../../tag.js';
import { itemsOf, numberOf, stringOf, stringsOf } from '../../value.js';
import type { ImagePixels } from '../image-pixels.js';
import { lookupTableOf, paletteOf, type BulkSource } from './lookup-data.js';
import { isModalityTransformShown } from './modality-rules.js';
import type {
  ModalityTransform,
  Presentation,
  VoiTransform,
  Window,
  WindowShape,
} from './presentation.js';

const tags = {
  sopClass: attribute('SOPClassUID'),
  shared: attribute('SharedFunctionalGroupsSequence'),
  perFrame: attribute('PerFrameFunctionalGroupsSequence'),
  pixelValueTransformation: attribute('PixelValueTransformationSequence'),
  frameVoiLut: attribute('FrameVOILUTSequence'),
  pixelMeasures: attribute('PixelMeasuresSequence'),
  slope: attribute('RescaleSlope'),
  intercept: attribute('RescaleIntercept'),
  modalityLut: attribute('ModalityLUTSequence'),
  voiLut: attribute('VOILUTSequence'),
  windowCenter: attribute('WindowCenter'),
  windowWidth: attribute('WindowWidth'),
  windowFunction: attribute('VOILUTFunction'),
  shape: attribute('PresentationLUTShape'),
  padding: attribute('PixelPaddingValue'),
  paddingLimit: attribute('PixelPaddingRangeLimit'),
  aspect: attribute('PixelAspectRatio'),
  floatPixels: attribute('FloatPixelData'),
  doublePixels: attribute('DoubleFloatPixelData'),
  floatPadding: attribute('FloatPixelPaddingValue'),
  floatPaddingLimit: attribute('FloatPixelPaddingRangeLimit'),
  doublePadding: attribute('DoubleFloatPixelPaddingValue'),
  doublePaddingLimit: attribute('DoubleFloatPixelPaddingRangeLimit'),
} as const;

/** Row spacing and column spacing, the first that is there counts. */
const spacings: readonly Tag[] = [
  attribute('PixelSpacing'),
  attribute('ImagerPixelSpacing'),
  attribute('NominalScannedPixelSpacing'),
];

/** Pixels farther from square than this are a slip of the writer. */
const mostStretch = 20;
/** Less than this is rounding in the spacing. */
const leastStretch = 0.002;

/** The item of a functional group that holds for a frame, its own before the shared one. */
function groupOf(dataSet: DataSet, frame: number, group: Tag): DataSet | undefined {
  const [own] = itemsOf(itemsOf(dataSet, tags.perFrame)[frame - 1] ?? {}, group);
  const [shared] = itemsOf(itemsOf(dataSet, tags.shared)[0] ?? {}, group);
  return own ?? shared;
}

function isShape(text: string): text is WindowShape {
  return text === 'LINEAR' || text === 'LINEAR_EXACT' || text === 'SIGMOID';
}

/** Whether a window means anything (PS3.3 §C.11.2.1.2). */
export function isWindow({ width, shape }: Window): boolean {
  return shape === 'LINEAR' ? width >= 1 : width > 0;
}

/** The first window that means anything. */
function windowOf(holder: DataSet): Window | undefined {
  const widths = stringsOf(holder, tags.windowWidth);
  const named = stringOf(holder, tags.windowFunction)?.trim() ?? 'LINEAR';
  const shape = isShape(named) ? named : 'LINEAR';
  return stringsOf(holder, tags.windowCenter)
    .map((center, at) => ({ center: Number(center), width: Number(widths[at] ?? ''), shape }))
    .find((window) => Number.isFinite(window.center + window.width) && isWindow(window));
}

const storedValues: ModalityTransform = { kind: 'rescale', slope: 1, intercept: 0 };

async function modalityOf(
  dataSet: DataSet,
  frame: number,
  signed: boolean,
  bulk: BulkSource,
): Promise<ModalityTransform> {
  if (!isModalityTransformShown(stringOf(dataSet, tags.sopClass)?.trim())) return storedValues;
  const holder = groupOf(dataSet, frame, tags.pixelValueTransformation) ?? dataSet;
  const [item] = itemsOf(holder, tags.modalityLut);
  const table = item && (await lookupTableOf(item, signed, bulk));
  if (table !== undefined) return { kind: 'lut', table };
  const slope = numberOf(holder, tags.slope) ?? 1;
  // A slope of 0 would leave no picture; it stands in files whose writer had nothing to say.
  return slope === 0
    ? storedValues
    : { kind: 'rescale', slope, intercept: numberOf(holder, tags.intercept) ?? 0 };
}

async function voiOf(
  holder: DataSet,
  signed: boolean,
  bulk: BulkSource,
): Promise<VoiTransform | undefined> {
  const window = windowOf(holder);
  if (window !== undefined) return { kind: 'window', window };
  for (const item of itemsOf(holder, tags.voiLut)) {
    const table = await lookupTableOf(item, signed, bulk);
    if (table !== undefined) return { kind: 'lut', table };
  }
  return undefined;
}

/** A stored value as the pixels have it: writers disagree on whether padding is signed. */
function asStored(value: number, { pixelRepresentation, bitsAllocated }: ImagePixels): number {
  const span = 2 ** bitsAllocated;
  if (pixelRepresentation === 1) return value >= span / 2 ? value - span : value;
  return value < 0 ? value + span : value;
}

function paddingOf(
  dataSet: DataSet,
  samples: Presentation['samples'],
  pixels: ImagePixels,
): Presentation['padding'] {
  const [valueTag, limitTag] = {
    integer: [tags.padding, tags.paddingLimit],
    float: [tags.floatPadding, tags.floatPaddingLimit],
    double: [tags.doublePadding, tags.doublePaddingLimit],
  }[samples] as [Tag, Tag];
  const value = numberOf(dataSet, valueTag);
  if (value === undefined) return undefined;
  const ends = [value, numberOf(dataSet, limitTag) ?? value].map((end) =>
    samples === 'integer' ? asStored(end, pixels) : end,
  );
  return { from: Math.min(...ends), to: Math.max(...ends) };
}

/** Height of a pixel divided by its width; 1 where nothing sensible is said. */
function aspectOf(dataSet: DataSet, measures: DataSet | undefined): number {
  const pairs = [
    ...spacings.map((tag) => stringsOf(measures ?? {}, tag)),
    ...spacings.map((tag) => stringsOf(dataSet, tag)),
    stringsOf(dataSet, tags.aspect),
  ];
  for (const [vertical, horizontal] of pairs) {
    const aspect = Number(vertical) / Number(horizontal);
    if (!(aspect > 0) || !Number.isFinite(aspect)) continue;
    const stretch = Math.max(aspect, 1 / aspect);
    return stretch > mostStretch || stretch < 1 + leastStretch ? 1 : aspect;
  }
  return 1;
}

function sampleKind(dataSet: DataSet): Presentation['samples'] {
  if (dataSet[tags.floatPixels] !== undefined) return 'float';
  return dataSet[tags.doublePixels] === undefined ? 'integer' : 'double';
}

/**
 * How a frame is to be shown by default: the first window or VOI LUT that the data set has.
 *
 * @param frame counted from 1.
 * @param bulk for tables that are too long to stand in the data set itself.
 */
export async function presentationOf(
  dataSet: DataSet,
  frame: number,
  pixels: ImagePixels,
  bulk: BulkSource,
): Promise<Presentation> {
  const samples = sampleKind(dataSet);
  const signed = pixels.pixelRepresentation === 1;
  const modality = await modalityOf(dataSet, frame, signed, bulk);
  const negative = signed || (modality.kind === 'rescale' && modality.intercept < 0);
  const voi = await voiOf(groupOf(dataSet, frame, tags.frameVoiLut) ?? dataSet, negative, bulk);
  const padding = paddingOf(dataSet, samples, pixels);
  const palette =
    pixels.photometricInterpretation === 'PALETTE COLOR'
      ? await paletteOf(dataSet, signed, bulk)
      : undefined;
  return {
    samples,
    modality,
    inverse:
      pixels.photometricInterpretation === 'MONOCHROME1' ||
      stringOf(dataSet, tags.shape)?.trim() === 'INVERSE',
    pixelAspect: aspectOf(dataSet, groupOf(dataSet, frame, tags.pixelMeasures)),
    ...(voi !== undefined && { voi }),
    ...(padding !== undefined && { padding }),
    ...(palette !== undefined && { palette }),
  };
}
