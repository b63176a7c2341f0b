/** Reads one frame of a file, and how it is to be shown, without a service around it. */
import { alignFrame } from '../../src/dicom/pixel/align-frame.js';
import type { DataSet } from '../../src/dicom/data-set.js';
import { frameRuns } from '../../src/dicom/frames.js';
import { toDataSet } from '../../src/dicom/json.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import { decodeFrame } from '../../src/dicom/pixel/decode-frame.js';
import { imagePixelsOf, type Frame } from '../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import type { Presentation } from '../../src/dicom/pixel/render/presentation.js';
import { presentationOf } from '../../src/dicom/pixel/render/presentation-of.js';

export interface ReadFrame {
  readonly transferSyntax: string;
  readonly dataSet: DataSet;
  readonly frames: number;
  readonly frame: Frame;
  readonly presentation: Presentation;
}

/** @returns `undefined` for a file without pixels of whole numbers. */
export async function readFrame(file: Uint8Array, number: number): Promise<ReadFrame | undefined> {
  const { dataSet: raw, meta, bulk, frames } = await parsePart10(file);
  const dataSet = toDataSet(raw);
  const stored = imagePixelsOf(dataSet);
  const { transferSyntax } = meta;
  if (stored === undefined || frames === undefined || frames.frames < 1) return undefined;
  if (transferSyntax.deflated) return undefined;
  const payload = Buffer.concat(
    frameRuns(frames, number).map(({ offset, length }) => file.subarray(offset, offset + length)),
  );
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
    frame: await decodeFrame(
      alignFrame(payload, frames, number),
      stored,
      transferSyntax.uid,
      defaultPixelLimits,
    ),
  };
}
