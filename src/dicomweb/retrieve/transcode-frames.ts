/** Reads frames of stored instances and takes them to another transfer syntax, a few ahead of their turn. */
import type { EncodedFrame } from '../../dicom/pixel/encode-frame.js';
import type { DescribedBy } from '../../dicom/pixel/transcode-frame.js';
import { frameBytes } from '../../dicom/pixel/image-pixels.js';
import type { PixelLimits } from '../../dicom/pixel/pixel-limits.js';
import type { ByteRun } from '../../dicom/frames.js';
import type { TransferSyntax } from '../../dicom/transfer-syntax.js';
import { ServiceError } from '../../errors.js';
import type { RequestContext } from '../route.js';
import { openRuns, readAll } from './open-runs.js';
import type { StoredImage } from './stored-image.js';

/** Part of the entity tags of what is encoded here: another one when encoders write other bytes. */
export const encodingEdition = '2';

/** Frames of one request that are under way, and the bytes of decoded frames that this may take. */
const mostAhead = 4;
const bytesAhead = 64 * 1024 ** 2;

/** How many frames of an instance to work on ahead of their turn. */
export function framesAheadOf({ pixels }: StoredImage): number {
  const bytes = pixels === undefined ? bytesAhead : frameBytes(pixels);
  return Math.max(1, Math.min(mostAhead, Math.floor(bytesAhead / bytes)));
}

/**
 * Takes the payload of one frame to another syntax. Its memory is given away.
 *
 * @throws ServiceError `pixel-data-corrupt` | `pixel-data-unsupported` | `pixel-data-too-large` |
 *   `overloaded`
 */
export async function transcodePayload(
  { services, signal }: RequestContext,
  { syntax, pixels }: StoredImage,
  to: TransferSyntax,
  describedBy: DescribedBy,
  payload: Uint8Array,
): Promise<EncodedFrame> {
  if (pixels === undefined) {
    throw new ServiceError('pixel-data-unsupported', 'The instance does not describe its pixels.');
  }
  const job = { payload, stored: pixels, from: syntax.uid, to: to.uid, describedBy };
  try {
    return await services.pixels.transcode(job, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServiceError) throw error;
    throw new ServiceError('pixel-data-corrupt', 'A frame cannot be transcoded.', {}, error);
  }
}

/** @throws ServiceError `pixel-data-too-large` for a payload of more bytes than one frame may take. */
export function requireFrameFits(length: number, { frameBytes: most }: PixelLimits): void {
  if (length <= most) return;
  throw new ServiceError('pixel-data-too-large', `One frame takes ${length} bytes.`, {
    limit: 'maxFrameBytes',
    limitValue: most,
  });
}

/** Bits of a native frame; single bits need not fill its last byte. */
export function frameBitsOf({ pixels, bytes }: EncodedFrame): number {
  const { rows, columns, samplesPerPixel, bitsAllocated } = pixels;
  return bitsAllocated === 1 ? rows * columns * samplesPerPixel : bytes.length * 8;
}

/** Reads one frame, by ranges of the file, and transcodes it; throws as `transcodePayload` does. */
export async function transcodeStoredFrame(
  context: RequestContext,
  image: StoredImage,
  to: TransferSyntax,
  describedBy: DescribedBy,
  runs: readonly ByteRun[],
): Promise<EncodedFrame> {
  const length = runs.reduce((sum, run) => sum + run.length, 0);
  requireFrameFits(length, context.services.limits.pixels);
  const payload = await readAll(await openRuns(context, image.record, runs));
  return await transcodePayload(context, image, to, describedBy, payload);
}
