/** Takes one frame from one transfer syntax to another: decoded, put into the target's form, encoded. */
import type { TransferSyntaxUID } from '../uid.js';
import { decodeFrame } from './decode-frame.js';
import { encodeFrame, type EncodedFrame } from './encode-frame.js';
import type { Frame, ImagePixels } from './image-pixels.js';
import { refuseLargeJob } from './job-memory.js';
import type { PixelLimits } from './pixel-limits.js';
import { inStoredColours, inStoredPlanes } from './stored-form.js';
import { isNativeTarget, takesComponentsAsRgb } from './transcodable.js';

/**
 * What tells a reader what the samples are: a header that is written for them, or, for a frame by
 * itself, the attributes of the instance as they are stored.
 */
export type DescribedBy = 'new-header' | 'stored-attributes';

/** One frame to be taken from one transfer syntax to another. */
export interface TranscodeJob {
  /** The frame as stored: native bytes, or the fragments of an encapsulated frame joined. */
  readonly payload: Uint8Array;
  /** What the data set says of the pixels. */
  readonly stored: ImagePixels;
  readonly from: TransferSyntaxUID;
  readonly to: TransferSyntaxUID;
  readonly describedBy: DescribedBy;
}

/**
 * Transcodes one frame. Grey, palette and inverted grey stay what they are; colour is RGB or YBR_FULL
 * before it is compressed, and afterwards what its codestream holds. For a new header the result's
 * `pixels` say which; a frame by itself decodes to what the stored attributes say. A frame already in
 * the target syntax is handed on untouched.
 *
 * @throws ServiceError `pixel-data-unsupported` where `canTranscode` or `canTranscodeAlone` says no,
 *   and what `decodeFrame` throws.
 */
export async function transcodeFrame(
  { payload, stored, from, to, describedBy }: TranscodeJob,
  limits: PixelLimits,
): Promise<EncodedFrame> {
  if (from === to) return { bytes: payload, pixels: stored };
  refuseLargeJob(payload.length, stored, [from, to]);
  const frame = await decodeFrame(payload, stored, from, limits);
  if (describedBy === 'new-header') return await encodeFrame(frame, to);
  return await encodeFrame(asStoredAttributesSay(frame, stored, to), to);
}

function asStoredAttributesSay(decoded: Frame, stored: ImagePixels, to: TransferSyntaxUID): Frame {
  const frame = inStoredColours(decoded, stored);
  if (isNativeTarget(to)) return inStoredPlanes(frame, stored);
  // The transform of the codec is undone by whoever decodes, whatever the components mean.
  return takesComponentsAsRgb(to) && frame.pixels.photometricInterpretation === 'YBR_FULL'
    ? { ...frame, pixels: { ...frame.pixels, photometricInterpretation: 'RGB' } }
    : frame;
}
