/**
 * What the samples of a frame are: the Image Pixel module (PS3.3 §C.7.6.3) of one frame, read from a
 * data set, and a frame of samples in memory.
 */
import type { DataSet, Value } from '../data-set.js';
import { tagFrom } from '../tag.js';

/** The Image Pixel module of ONE frame (PS3.3 §C.7.6.3). */
export interface ImagePixels {
  readonly rows: number;
  readonly columns: number;
  readonly samplesPerPixel: number;
  readonly photometricInterpretation: string;
  /** 0: samples of a pixel follow each other. 1: planes follow each other. */
  readonly planarConfiguration: 0 | 1;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly highBit: number;
  /** 0: unsigned. 1: two's complement. */
  readonly pixelRepresentation: 0 | 1;
  /** VR of stored Pixel Data: tells how eight-bit samples lie in big endian (PS3.5 §A.3). */
  readonly pixelDataVR?: 'OB' | 'OW';
}

/** One frame of native samples: little endian, from a byte boundary, without padding at the end. */
export interface Frame {
  /** What the bytes are, which need not be what the data set said of the compressed frame. */
  readonly pixels: ImagePixels;
  readonly bytes: Uint8Array;
}

const tags = {
  samplesPerPixel: tagFrom(0x0028, 0x0002),
  photometricInterpretation: tagFrom(0x0028, 0x0004),
  planarConfiguration: tagFrom(0x0028, 0x0006),
  rows: tagFrom(0x0028, 0x0010),
  columns: tagFrom(0x0028, 0x0011),
  bitsAllocated: tagFrom(0x0028, 0x0100),
  bitsStored: tagFrom(0x0028, 0x0101),
  highBit: tagFrom(0x0028, 0x0102),
  pixelRepresentation: tagFrom(0x0028, 0x0103),
  floatPixelData: tagFrom(0x7fe0, 0x0008),
  doubleFloatPixelData: tagFrom(0x7fe0, 0x0009),
  pixelData: tagFrom(0x7fe0, 0x0010),
};

/**
 * Reads the Image Pixel module of a data set in the DICOM JSON model. What is missing but implied by
 * the rest is filled in.
 *
 * @returns `undefined` when the data set describes no pixels, or floating point pixels (PS3.3
 *   §C.7.6.24), which no codec takes.
 */
export function imagePixelsOf(dataSet: DataSet): ImagePixels | undefined {
  if (tags.floatPixelData in dataSet || tags.doubleFloatPixelData in dataSet) return undefined;
  const first = (tag: keyof typeof tags): Value | undefined => dataSet[tags[tag]]?.Value?.[0];
  const count = (tag: keyof typeof tags): number | undefined => {
    const value = first(tag);
    return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
  };
  const rows = count('rows') ?? 0;
  const columns = count('columns') ?? 0;
  const bitsAllocated = count('bitsAllocated') ?? 0;
  const samplesPerPixel = count('samplesPerPixel') ?? 1;
  if (rows === 0 || columns === 0 || bitsAllocated === 0 || samplesPerPixel === 0) return undefined;
  const named = first('photometricInterpretation');
  const vr = dataSet[tags.pixelData]?.vr;
  const bitsStored = count('bitsStored') ?? bitsAllocated;
  return {
    rows,
    columns,
    samplesPerPixel,
    photometricInterpretation:
      typeof named === 'string' && named !== ''
        ? named.trim()
        : samplesPerPixel === 1
          ? 'MONOCHROME2'
          : 'RGB',
    planarConfiguration: count('planarConfiguration') === 1 ? 1 : 0,
    bitsAllocated,
    bitsStored,
    highBit: count('highBit') ?? bitsStored - 1,
    pixelRepresentation: count('pixelRepresentation') === 1 ? 1 : 0,
    ...((vr === 'OB' || vr === 'OW') && { pixelDataVR: vr }),
  };
}

/** Bytes of one native frame with every sample, as `decodeFrame` returns it. */
export function frameBytes(
  pixels: Pick<ImagePixels, 'rows' | 'columns' | 'samplesPerPixel' | 'bitsAllocated'>,
): number {
  const { rows, columns, samplesPerPixel, bitsAllocated } = pixels;
  return Math.ceil((rows * columns * samplesPerPixel * bitsAllocated) / 8);
}
