/** Opens one frame of a stored instance by itself: its fragments joined, its bits from a byte on. */
import {
  bitsBefore,
  frameRuns,
  sharesBytes,
  type ByteRun,
  type FrameIndex,
} from '../../dicom/frames.js';
import { alignBits } from '../../dicom/pixel/align-frame.js';
import type { InstanceRecord } from '../../storage/archive/records.js';
import type { RequestContext } from '../route.js';
import { sliceRuns } from './bulkdata/bulk-resource.js';
import { openRuns, type OpenedRuns } from './open-runs.js';

/** Bytes of a frame by itself. */
export function frameLength(index: FrameIndex, frame: number): number {
  if (sharesBytes(index)) return Math.ceil(index.frameBits / 8);
  return frameRuns(index, frame).reduce((sum, { length }) => sum + length, 0);
}

/**
 * Opens a frame, or a range of its bytes.
 *
 * @param frame counted from 1, one that the index has.
 * @param range within the bytes of the frame.
 * @throws ServiceError `instance-not-found` when the instance was deleted meanwhile.
 */
export async function openFrame(
  context: RequestContext,
  record: InstanceRecord,
  index: FrameIndex,
  frame: number,
  range?: ByteRun,
): Promise<OpenedRuns> {
  const runs = frameRuns(index, frame);
  if (!sharesBytes(index)) {
    return await openRuns(
      context,
      record,
      range === undefined ? runs : sliceRuns(runs, range.offset, range.length),
    );
  }
  const { offset, length } = range ?? { offset: 0, length: frameLength(index, frame) };
  const shift = bitsBefore(index, frame);
  const bits = Math.min(length * 8, index.frameBits - offset * 8);
  const bytes = Math.ceil((shift + bits) / 8);
  const opened = await openRuns(context, record, sliceRuns(runs, offset, bytes));
  return { ...opened, length, chunks: () => alignBits(opened.chunks(), shift, bits) };
}
