/** What an image is, out of the metadata of its instance: how to read its samples, and how to show them. */
import {
  itemsOf,
  numberOf,
  numbersOf,
  textOf,
  type DataSet,
  type Keyword,
} from '../dicom/data-set.js';

/** A window: the stored values, after rescaling, that become black to white (PS3.3 §C.11.2.1.2). */
export interface Window {
  readonly center: number;
  readonly width: number;
}

/** Millimetres between the centres of pixels, down and across. */
export interface Spacing {
  readonly row: number;
  readonly column: number;
  /** Measured at the detector, so not in the patient (PS3.3 §10.7.1.3). */
  readonly atDetector: boolean;
}

/** One image of a stack: a frame of an instance. */
export interface StackImage {
  readonly instance: string;
  readonly sopClass: string;
  /** From 1. */
  readonly frame: number;
  readonly frames: number;
  readonly rows: number;
  readonly columns: number;
  readonly isGray: boolean;
  readonly isInverted: boolean;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly isSigned: boolean;
  readonly slope: number;
  readonly intercept: number;
  readonly window: Window | undefined;
  readonly spacing: Spacing | undefined;
  /** Height of a pixel over its width. */
  readonly aspect: number;
  /** Direction cosines of rows and columns (PS3.3 §C.7.6.2.1.1). */
  readonly orientation: readonly number[];
  readonly framesPerSecond: number | undefined;
  readonly dataSet: DataSet;
}

/** The functional groups of a frame, its own before the shared ones (PS3.3 §C.7.6.16). */
function groupsOf(dataSet: DataSet, frame: number): readonly DataSet[] {
  const own = itemsOf(dataSet, 'PerFrameFunctionalGroupsSequence')[frame - 1];
  const [shared] = itemsOf(dataSet, 'SharedFunctionalGroupsSequence');
  return [own, shared].filter((groups) => groups !== undefined);
}

/** The data set that holds an attribute for a frame: an item of a macro, or the data set itself. */
function holderOf(dataSet: DataSet, frame: number, macro: Keyword): DataSet {
  for (const groups of groupsOf(dataSet, frame)) {
    const [item] = itemsOf(groups, macro);
    if (item !== undefined) return item;
  }
  return dataSet;
}

function spacingOf(dataSet: DataSet, frame: number): Spacing | undefined {
  const measures = holderOf(dataSet, frame, 'PixelMeasuresSequence');
  for (const keyword of ['PixelSpacing', 'ImagerPixelSpacing'] as const) {
    const [row, column] = numbersOf(measures, keyword);
    if (row !== undefined && column !== undefined && row > 0 && column > 0) {
      return { row, column, atDetector: keyword === 'ImagerPixelSpacing' };
    }
  }
  return undefined;
}

function aspectOf(dataSet: DataSet, spacing: Spacing | undefined): number {
  if (spacing !== undefined) return spacing.row / spacing.column;
  const [vertical, horizontal] = numbersOf(dataSet, 'PixelAspectRatio');
  return vertical !== undefined && horizontal !== undefined && vertical > 0 && horizontal > 0
    ? vertical / horizontal
    : 1;
}

function windowOf(dataSet: DataSet, frame: number): Window | undefined {
  const voi = holderOf(dataSet, frame, 'FrameVOILUTSequence');
  const center = numberOf(voi, 'WindowCenter');
  const width = numberOf(voi, 'WindowWidth');
  return center !== undefined && width !== undefined && width >= 1 ? { center, width } : undefined;
}

function speedOf(dataSet: DataSet): number | undefined {
  const rate = numberOf(dataSet, 'RecommendedDisplayFrameRate');
  const time = numberOf(dataSet, 'FrameTime');
  return rate ?? (time !== undefined && time > 0 ? 1000 / time : undefined);
}

function imageOf(dataSet: DataSet, frame: number, frames: number): StackImage {
  const transformation = holderOf(dataSet, frame, 'PixelValueTransformationSequence');
  const plane = holderOf(dataSet, frame, 'PlaneOrientationSequence');
  const photometric = textOf(dataSet, 'PhotometricInterpretation');
  const spacing = spacingOf(dataSet, frame);
  const bitsAllocated = numberOf(dataSet, 'BitsAllocated') ?? 8;
  return {
    instance: textOf(dataSet, 'SOPInstanceUID'),
    sopClass: textOf(dataSet, 'SOPClassUID'),
    frame,
    frames,
    rows: numberOf(dataSet, 'Rows') ?? 0,
    columns: numberOf(dataSet, 'Columns') ?? 0,
    isGray: photometric.startsWith('MONOCHROME'),
    isInverted: photometric === 'MONOCHROME1',
    bitsAllocated,
    bitsStored: numberOf(dataSet, 'BitsStored') ?? bitsAllocated,
    isSigned: numberOf(dataSet, 'PixelRepresentation') === 1,
    slope: numberOf(transformation, 'RescaleSlope') ?? 1,
    intercept: numberOf(transformation, 'RescaleIntercept') ?? 0,
    window: windowOf(dataSet, frame),
    spacing,
    aspect: aspectOf(dataSet, spacing),
    orientation: numbersOf(plane, 'ImageOrientationPatient'),
    framesPerSecond: speedOf(dataSet),
    dataSet,
  };
}

/** The images of a series in order: instances by number, frames within each. */
export function stackOf(instances: readonly DataSet[]): readonly StackImage[] {
  const number = (one: DataSet) => numberOf(one, 'InstanceNumber') ?? Infinity;
  return [...instances]
    .sort((a, b) => number(a) - number(b))
    .flatMap((dataSet) => {
      const frames = Math.max(1, numberOf(dataSet, 'NumberOfFrames') ?? 1);
      return Array.from({ length: frames }, (_, at) => imageOf(dataSet, at + 1, frames));
    });
}
