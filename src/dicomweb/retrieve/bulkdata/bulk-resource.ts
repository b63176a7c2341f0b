/** What a bulk value of a stored instance is sent as: its bytes in little-endian order, or frames. */
import { frameRuns, type ByteRun, type FrameIndex } from '../../../dicom/frames.js';
import type { BulkValue } from '../../../dicom/part10/part10.js';
import { pixelDataTags } from '../../../dicom/tag.js';
import type { TransferSyntax } from '../../../dicom/transfer-syntax.js';
import { traitsOf } from '../../../dicom/vr.js';
import type { InstanceIndex } from '../../../storage/archive/records.js';

/** Bytes of the file, one run after the other, of which the words are turned round. */
export interface BulkBytes {
  readonly kind: 'bytes';
  readonly path: string;
  readonly runs: readonly ByteRun[];
  readonly length: number;
  /** Bytes of a word whose order is to be reversed; 1 where it is right. */
  readonly wordBytes: 1 | 2 | 4 | 8;
}

/** Fragments that make up one value, in a file where no frame index tells of them. */
export interface BulkFragments {
  readonly kind: 'fragments';
  readonly path: string;
  /** The items around the fragments included. */
  readonly run: ByteRun;
}

/** Pixel data that is sent frame by frame. */
export interface BulkFrames {
  readonly kind: 'frames';
  readonly path: string;
  readonly frames: FrameIndex;
}

export type BulkResource = BulkBytes | BulkFragments | BulkFrames;

/** Whether a bulk value is the pixel data of its instance, not that of an icon. */
export function isPixelData({ path }: BulkValue): boolean {
  return pixelDataTags.has(path);
}

/** Whether what stands at a path is pixel data of which frames are known. */
export function hasFrames(resource: BulkResource, { frames }: InstanceIndex): boolean {
  return pixelDataTags.has(resource.path) && frames !== undefined && frames.frames > 0;
}

function bytesOf(
  path: string,
  runs: readonly ByteRun[],
  wordBytes: BulkBytes['wordBytes'],
): BulkBytes {
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  return { kind: 'bytes', path, runs, length, wordBytes };
}

/** A value as what stands at its path: frames when it is compressed pixel data of several. */
export function bulkResource(
  value: BulkValue,
  { frames }: InstanceIndex,
  syntax: TransferSyntax,
): BulkResource {
  const { path, vr, offset, length } = value;
  if (isPixelData(value) && frames?.kind === 'encapsulated' && frames.frames > 0) {
    return frames.frames === 1
      ? bytesOf(path, frameRuns(frames, 1), 1)
      : { kind: 'frames', path, frames };
  }
  if (value.encapsulated === true) return { kind: 'fragments', path, run: { offset, length } };
  const wordBytes = syntax.bigEndian ? traitsOf(vr).wordBytes : 1;
  return bytesOf(path, [{ offset, length }], wordBytes);
}

/** The pixel data of an instance as its frames, or as it is when nothing tells them apart. */
export function pixelDataResource(
  index: InstanceIndex,
  syntax: TransferSyntax,
): BulkResource | undefined {
  const value = index.bulk.find(isPixelData);
  if (value === undefined) return undefined;
  return index.frames !== undefined && index.frames.frames > 0
    ? { kind: 'frames', path: value.path, frames: index.frames }
    : bulkResource(value, index, syntax);
}

/** The part of runs from `start` on, `length` bytes of it. */
export function sliceRuns(
  runs: readonly ByteRun[],
  start: number,
  length: number,
): readonly ByteRun[] {
  const slices: ByteRun[] = [];
  let position = 0;
  for (const run of runs) {
    const from = Math.max(start - position, 0);
    const to = Math.min(start + length - position, run.length);
    if (from < to) slices.push({ offset: run.offset + from, length: to - from });
    position += run.length;
  }
  return slices;
}
