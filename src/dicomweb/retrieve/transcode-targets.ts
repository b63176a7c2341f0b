/**
 * Which transfer syntaxes a stored instance, or its frames, can be had in besides the stored one: first
 * by the syntaxes alone, which costs nothing, then by what is known of the pixels.
 */
import { decodableSyntaxes, encodableSyntaxes } from '../../dicom/pixel/codecs.js';
import { frameBytes } from '../../dicom/pixel/image-pixels.js';
import type { PixelLimits } from '../../dicom/pixel/pixel-limits.js';
import { canTranscode, canTranscodeAlone } from '../../dicom/pixel/transcodable.js';
import { everyFrame } from '../../dicom/frames.js';
import { pixelDataTags } from '../../dicom/tag.js';
import { transferSyntaxes, type TransferSyntax } from '../../dicom/transfer-syntax.js';
import type { RetrievePolicy } from './retrieve-policy.js';
import { isInWords, type StoredImage } from './stored-image.js';

export const explicitLittleEndian = '1.2.840.10008.1.2.1';

/** More than a native value can have (PS3.5 §7.1.1): its length has 32 bits. */
const longestNativeBytes = 0xfffffffe;

/** Lossless ones first: they are what a media type means by default (PS3.18 table 8.7.3-5). */
const targets: readonly TransferSyntax[] = [false, true].flatMap((lossy) =>
  transferSyntaxes.filter((one) => one.lossy === lossy && encodableSyntaxes.includes(one.uid)),
);

/** Uncompressed little-endian frames are the same bytes in each of these. */
const plainSyntaxes: ReadonlySet<string> = new Set([
  explicitLittleEndian,
  '1.2.840.10008.1.2',
  '1.2.840.10008.1.2.1.99',
]);

/** Whether frames are the same bytes in two syntaxes: nothing is transcoded then, but the file around them. */
export function haveSameFrames(one: TransferSyntax, other: TransferSyntax): boolean {
  return one.uid === other.uid || (plainSyntaxes.has(one.uid) && plainSyntaxes.has(other.uid));
}

/** What could be had of an instance that is stored in `from`, if its pixels permit. */
export function conceivableTargets(from: TransferSyntax): readonly TransferSyntax[] {
  if (!decodableSyntaxes.includes(from.uid)) return [];
  return targets.filter(({ uid }) => uid !== from.uid);
}

/** What of an instance may be sent: as it is stored, and in other syntaxes, where the policy allows them. */
export function sendable(
  stored: TransferSyntax,
  targets: readonly TransferSyntax[],
  { syntaxes }: Pick<RetrievePolicy, 'syntaxes'>,
): readonly TransferSyntax[] {
  const all = [stored, ...targets];
  return syntaxes === 'any' ? all : all.filter((one) => one.explicitVR && !one.bigEndian);
}

/** Whether pixels have to be decoded or encoded between two syntaxes. */
export function touchesPixels(from: TransferSyntax, to: TransferSyntax): boolean {
  return from.encapsulated || to.encapsulated;
}

/** Whether an instance has pixel data, as integers or as floating point numbers. */
export function hasPixelData({ index }: StoredImage): boolean {
  return index.bulk.some(({ path }) => pixelDataTags.has(path));
}

/** Whether frames can be cut out, one by one, and each taken to another syntax. */
function canTakeFrames(
  { syntax, index, pixels }: StoredImage,
  to: TransferSyntax,
  limits: PixelLimits,
  canTake: typeof canTranscode,
): boolean {
  const { frames } = index;
  if (frames === undefined || frames.frames === 0 || pixels === undefined) return false;
  const native = frames.kind === 'native';
  // Frames that share bytes have no payload of their own (PS3.5 §8.1.1).
  const unit = isInWords(syntax, pixels) ? 16 : 8;
  if (native && frames.frames > 1 && frames.frameBits % unit !== 0) return false;
  return (
    native === !syntax.encapsulated &&
    frameBytes(pixels) <= limits.frameBytes &&
    canTake(syntax, to, pixels)
  );
}

/** The syntaxes that frames of an instance can be had in besides the stored one. */
export function frameTargets(image: StoredImage, limits: PixelLimits): readonly TransferSyntax[] {
  const possible = conceivableTargets(image.syntax);
  return possible.filter(
    (to) => haveSameFrames(image.syntax, to) || canTakeFrames(image, to, limits, canTranscodeAlone),
  );
}

/**
 * The syntaxes that a whole instance can be had in besides the stored one. Without pixel data that is
 * every target: there is nothing to compress. Native pixel data in other native syntaxes is a matter
 * of its byte order.
 */
export function fileTargets(image: StoredImage, limits: PixelLimits): readonly TransferSyntax[] {
  const possible = conceivableTargets(image.syntax);
  if (!hasPixelData(image)) return possible;
  return possible.filter((to) => {
    if (!touchesPixels(image.syntax, to)) return true;
    const { index, pixels, frames } = image;
    if (!canTakeFrames(image, to, limits, canTranscode) || pixels === undefined) return false;
    // Frames that are missing or too large must not show only after the first byte is sent.
    if (index.frames?.frames !== frames) return false;
    for (const runs of everyFrame(index.frames)) {
      if (runs.reduce((sum, { length }) => sum + length, 0) > limits.frameBytes) return false;
    }
    if (to.encapsulated) return true;
    return frameBytes(pixels) * frames <= longestNativeBytes;
  });
}
