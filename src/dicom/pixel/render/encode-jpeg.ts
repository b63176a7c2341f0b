/** Writes JPEG (ISO/IEC 10918-1 baseline, JFIF) by libjpeg-turbo. */
import { chroma, encodeJpegSamples } from '../encoders/jpeg-codec.js';
import { unsupportedPixels } from '../pixel-errors.js';
import type { Picture } from './picture.js';

/** From here on colour keeps its full resolution: stains and Doppler have edges of colour alone. */
const leastFullChromaQuality = 85;

/** Fewer pixels than this, and the codec's buffer has no room for the headers. */
const fewestPixels = 64;
const longestSide = 65_500;

/** Bytes of a profile in one APP2 segment (ICC.1 annex B.4). */
const profilePieceBytes = 65_519;

/**
 * Encodes a picture.
 *
 * @param quality 1 to 100, by the scale of the Independent JPEG Group.
 * @param iccProfile put into the file of a colour picture.
 * @throws ServiceError `pixel-data-unsupported` for a picture that JPEG cannot hold.
 */
export async function encodeJpeg(
  { width, height, channels, data }: Picture,
  quality: number,
  iccProfile?: Uint8Array,
): Promise<Uint8Array> {
  const pixels = width * height;
  if (pixels < fewestPixels || Math.max(width, height) > longestSide) {
    throw unsupportedPixels(
      `A picture of ${width} × ${height} pixels cannot be sent as image/jpeg; image/png can.`,
    );
  }
  // The codec's output buffer is as large as samples of this width; TurboJPEG's bound must fit in.
  const padded = Math.ceil(height / 16) * 16 * Math.ceil(width / 16) * 16;
  const bound = padded * (channels === 3 ? 6 : 2) + 2048;
  const bytes = await encodeJpegSamples(
    {
      width,
      height,
      bitsPerSample: 8 * Math.min(31, Math.ceil(bound / (pixels * channels))),
      componentCount: channels,
      isSigned: false,
      isUsingColorTransform: false,
    },
    data,
    quality,
    quality >= leastFullChromaQuality ? chroma.full : chroma.quarter,
  );
  return iccProfile === undefined || channels === 1 ? bytes : withProfile(bytes, iccProfile);
}

/** Inserts the profile after the JFIF header, in as many APP2 segments as it takes. */
function withProfile(jpeg: Uint8Array, profile: Uint8Array): Uint8Array {
  const view = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  const headerEnd = view.readUInt16BE(2) === 0xffe0 ? 4 + view.readUInt16BE(4) : 2;
  const count = Math.ceil(profile.length / profilePieceBytes);
  const segments = Array.from({ length: count }, (_, at) => {
    const piece = profile.subarray(at * profilePieceBytes, (at + 1) * profilePieceBytes);
    const head = Buffer.alloc(18);
    head.writeUInt16BE(0xffe2, 0);
    head.writeUInt16BE(piece.length + 16, 2);
    head.write('ICC_PROFILE\0', 4, 'latin1');
    head.set([at + 1, count], 16);
    return Buffer.concat([head, piece]);
  });
  return Buffer.concat([view.subarray(0, headerEnd), ...segments, view.subarray(headerEnd)]);
}
