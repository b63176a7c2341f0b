/**
 * Makes the frame index of an instance from where its pixel data lies and what its attributes say
 * (PS3.3 §C.7.6.3, PS3.5 §A.4): which fragments make up which frame.
 */
import type { FrameIndex } from './frames.js';
import type { FragmentLayout, PixelLayout } from './part10/scan.js';
import type { RawDataSet } from './raw-data-set.js';
import type { TransferSyntax } from './transfer-syntax.js';

interface PixelDescription {
  readonly frames: number;
  /** Samples of one frame, before chroma subsampling. */
  readonly samples: number;
  readonly bitsAllocated: number;
  readonly photometricInterpretation: string;
}

type Grouping = Pick<FrameIndex & { kind: 'encapsulated' }, 'frames' | 'perFrame'>;

const soi = [0xff, 0xd8];
const socSiz = [0xff, 0x4f, 0xff, 0x51];
const jp2Box = [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20];
const jxlBox = [0, 0, 0, 12, 0x4a, 0x58, 0x4c, 0x20];

/** With what bytes a frame of a media type starts. */
const startMarkers: Readonly<Record<string, readonly (readonly number[])[]>> = {
  'image/jpeg': [soi],
  'image/jls': [soi],
  'image/jp2': [socSiz, jp2Box],
  'image/jpx': [socSiz, jp2Box],
  'image/jphc': [socSiz, jp2Box],
  'image/jxl': [[0xff, 0x0a], jxlBox],
};

/** Photometric interpretations whose uncompressed frames leave out samples (PS3.3 §C.7.6.3.1.2). */
const subsampling: Readonly<Record<string, number>> = {
  YBR_FULL_422: 2 / 3,
  YBR_PARTIAL_422: 2 / 3,
  YBR_PARTIAL_420: 1 / 2,
};

/** A test for the first bytes of a fragment: whether a frame of this media type starts with them. */
export function codestreamStart(frameMediaType: string): (head: Uint8Array) => boolean {
  const markers = startMarkers[frameMediaType] ?? [];
  return (head) =>
    markers.some((marker) => marker.every((byte, position) => head[position] === byte));
}

/**
 * Indexes the frames of an instance.
 *
 * @param extendedOffsetTable value of (7FE0,0001), empty when absent.
 * @returns `undefined` when attributes that describe several native frames are missing.
 */
export function indexFrames(
  pixels: PixelLayout,
  extendedOffsetTable: Uint8Array,
  dataSet: RawDataSet,
  syntax: TransferSyntax,
): FrameIndex | undefined {
  const description = describe(dataSet);
  if (pixels.kind === 'encapsulated') {
    const { offset, fragments } = pixels;
    const grouping = group(pixels, extendedOffsetTable, description.frames, syntax);
    return { kind: 'encapsulated', offset, fragments, ...grouping };
  }
  const { offset, length } = pixels;
  const bits = length * 8;
  // Bytes of a codec that were not put into fragments are one frame if they are anything.
  const frameBits = syntax.encapsulated ? 0 : bitsOfFrame(description, bits);
  const complete = frameBits === 0 ? 0 : Math.floor(bits / frameBits);
  if (complete >= 1 && (complete >= description.frames || description.frames > 1)) {
    const frames = Math.min(complete, description.frames);
    return { kind: 'native', offset, length, frames, frameBits };
  }
  if (description.frames > 1) return undefined;
  return { kind: 'native', offset, length, frames: 1, frameBits: bits };
}

function bitsOfFrame(description: PixelDescription, bits: number): number {
  const full = description.samples * description.bitsAllocated;
  const share = subsampling[description.photometricInterpretation];
  // Some writers name a subsampled interpretation and store every sample: then the length tells.
  if (share === undefined || bits >= full * description.frames) return full;
  return Math.round(full * share);
}

function group(
  layout: FragmentLayout,
  extendedOffsetTable: Uint8Array,
  frames: number,
  syntax: TransferSyntax,
): Grouping {
  const count = layout.fragments.length;
  if (count === 0) return { frames: 0, perFrame: 0 };
  // A video is one stream, whose frames no offset tells.
  if (frames === 1 || syntax.frameMediaType.startsWith('video/')) {
    return { frames: 1, perFrame: count };
  }
  // A fragment never holds parts of two frames, and an RLE frame is one fragment (PS3.5 §A.4.2).
  if (count <= frames || syntax.frameMediaType === 'image/dicom-rle') {
    return { frames: Math.min(count, frames), perFrame: 1 };
  }
  const starts =
    startsByOffset(layout, offsetsOf(extendedOffsetTable, 8), frames) ??
    startsByOffset(layout, offsetsOf(layout.basicOffsetTable, 4), frames) ??
    (layout.starts[0] === 0 && layout.starts.length <= frames ? layout.starts : undefined);
  if (starts === undefined) return { frames: 0, perFrame: 0 };
  const perFrame = starts.map((start, at) => (starts[at + 1] ?? count) - start);
  const [one = 0] = perFrame;
  return {
    frames: starts.length,
    perFrame: perFrame.every((other) => other === one) ? one : perFrame,
  };
}

function offsetsOf(table: Uint8Array, width: 4 | 8): readonly number[] {
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  return Array.from({ length: Math.floor(table.length / width) }, (_, at) =>
    width === 4 ? view.getUint32(at * 4, true) : Number(view.getBigUint64(at * 8, true)),
  );
}

/** The fragments at which frames start; `undefined` unless every offset is that of a fragment. */
function startsByOffset(
  layout: FragmentLayout,
  offsets: readonly number[],
  frames: number,
): readonly number[] | undefined {
  if (offsets[0] !== 0 || offsets.length > frames) return undefined;
  const starts: number[] = [];
  let offset = 0;
  layout.fragments.forEach((length, fragment) => {
    if (offset === offsets[starts.length]) starts.push(fragment);
    offset += 8 + length;
  });
  return starts.length === offsets.length ? starts : undefined;
}

function describe(dataSet: RawDataSet): PixelDescription {
  const bytesOf = new Map<string, Uint8Array | undefined>(
    dataSet.elements.map((element) => [element.tag, element.bytes]),
  );
  const uint16 = (tag: string, otherwise: number): number => {
    const bytes = bytesOf.get(tag);
    if (bytes === undefined || bytes.length < 2) return otherwise;
    const view = new DataView(bytes.buffer, bytes.byteOffset, 2);
    return view.getUint16(0, !dataSet.bigEndian);
  };
  const text = (tag: string): string =>
    Buffer.from(bytesOf.get(tag) ?? [])
      .toString('latin1')
      .replace(/[ \0]+$/, '');
  return {
    frames: Math.max(1, Number.parseInt(text('00280008'), 10) || 1),
    samples: uint16('00280010', 0) * uint16('00280011', 0) * uint16('00280002', 1),
    bitsAllocated: uint16('00280100', 0),
    photometricInterpretation: text('00280004'),
  };
}
