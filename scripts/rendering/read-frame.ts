/** Reads one frame of a file, and how it is to be shown, without a service around it. */
import { alignFrame } from '../../src/dicom/pixel/align-frame.js';
import type { DataSet } from '../../src/dicom/data-set.js';
import { frameRuns, type FrameIndex } from '../../src/dicom/frames.js';
import { toDataSet } from '../../src/dicom/json.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import { decodeFrame } from '../../src/dicom/pixel/decode-frame.js';
import { imagePixelsOf, type Frame, type ImagePixels } from '../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import type { TransferSyntax } from '../../src/dicom/transfer-syntax.js';
import type { Presentation } from '../../src/dicom/pixel/render/presentation.js';
import { presentationOf } from '../../src/dicom/pixel/render/presentation-of.js';

export interface ReadFrame {
  readonly transferSyntax: string;
  readonly dataSet: DataSet;
  readonly frames: number;
  readonly frame: Frame;
  readonly presentation: Presentation;
}

/** Where the frames of a file lie, and what they are. */
export interface FramesOf {
  readonly frames: FrameIndex;
  readonly stored: ImagePixels;
  readonly transferSyntax: TransferSyntax;
}

/** Decodes one frame, counted from 1. @throws ServiceError for pixels that cannot be decoded. */
export async function frameIn(
  file: Uint8Array,
  { frames, stored, transferSyntax }: FramesOf,
  number: number,
): Promise<Frame> {
  const payload = Buffer.concat(
    frameRuns(frames, number).map(({ offset, length }) => file.subarray(offset, offset + length)),
  );
  const aligned = alignFrame(payload, frames, number);
  return await decodeFrame(aligned, stored, transferSyntax.uid, defaultPixelLimits);
}

/** @returns `undefined` for a file without pixels of whole numbers. */
export async function readFrame(file: Uint8Array, number: number): Promise<ReadFrame | undefined> {
  const { dataSet: raw, meta, bulk, frames } = await parsePart10(file);
  const dataSet = toDataSet(raw);
  const stored = imagePixelsOf(dataSet);
  const { transferSyntax } = meta;
  if (stored === undefined || frames === undefined || frames.frames < 1) return undefined;
  if (transferSyntax.deflated) return undefined;
  const presentation = await presentationOf(dataSet, number, stored, async (path) => {
    const value = bulk.find((one) => one.path === path);
    const { offset = 0, length = 0 } = value ?? {};
    const bytes = Buffer.from(file.subarray(offset, offset + length));
    return await Promise.resolve(transferSyntax.bigEndian ? bytes.swap16() : bytes);
  });
  return {
    transferSyntax: transferSyntax.uid,
    dataSet,
    frames: frames.frames,
    presentation,
    frame: await frameIn(file, { frames, stored, transferSyntax }, number),
  };
}
