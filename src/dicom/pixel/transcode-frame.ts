/** Takes one frame from one transfer syntax to another: decoded, put into the target's form, encoded. */
import type { TransferSyntaxUID } from '../uid.js';
import { decodeFrame } from './decode-frame.js';
import { encodeFrame, type EncodedFrame } from './encode-frame.js';
import type { ImagePixels } from './image-pixels.js';
import type { PixelLimits } from './pixel-limits.js';

/**
 * Transcodes one frame. Grey, palette and inverted grey stay what they are; colour is RGB or YBR_FULL
 * before it is compressed, and afterwards what its codestream holds, which the result's `pixels` say.
 * A native target takes the decoded frame as it is. A frame already in the target syntax is handed
 * on untouched.
 *
 * @param payload the bytes of the frame as stored; fragments concatenated.
 * @param stored the Image Pixel module of the stored instance.
 * @throws ServiceError `pixel-data-unsupported` where `canTranscode` says no, and what `decodeFrame`
 *   throws.
 */
export async function transcodeFrame(
  payload: Uint8Array,
  stored: ImagePixels,
  from: TransferSyntaxUID,
  to: TransferSyntaxUID,
  limits: PixelLimits,
): Promise<EncodedFrame> {
  if (from === to) return { bytes: payload, pixels: stored };
  const frame = await decodeFrame(payload, stored, from, limits);
  return await encodeFrame(frame, to);
}
