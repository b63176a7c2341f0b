/** Writes JPEG (ISO/IEC 10918-1 baseline, JFIF) by libjpeg-turbo. */
import { markers, segmentAfter } from '../../decoders/jpeg-header.js';
import { chroma, encodeJpegSamples } from '../../encoders/jpeg-codec.js';
import { unsupportedPixels } from '../../pixel-errors.js';
import type { Picture } from '../picture.js';

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
  picture: Picture,
  quality: number,
  iccProfile?: Uint8Array,
): Promise<Uint8Array> {
  const { width, height, channels, data } = picture;
  const pixels = width * height;
  if (pixels < fewestPixels) return await encodeTiny(picture, quality, iccProfile);
  if (Math.max(width, height) > longestSide) {
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

/**
 * Encodes a picture of a few pixels: filled up to whole units with its last column and row, as an
 * encoder does anyway, and then called by its own size, which has as many units (T.81 §A.2.4).
 */
async function encodeTiny(
  { width, height, channels, data }: Picture,
  quality: number,
  iccProfile?: Uint8Array,
): Promise<Uint8Array> {
  // A block, or four of them where chroma has half the resolution.
  const unit = channels === 3 && quality < leastFullChromaQuality ? 16 : 8;
  const columns = Math.ceil(width / unit) * unit;
  const rows = Math.ceil(height / unit) * unit;
  const filled = new Uint8Array(columns * rows * channels);
  for (let at = 0; at < filled.length; at++) {
    const pixel = Math.floor(at / channels);
    const x = Math.min(pixel % columns, width - 1);
    const y = Math.min(Math.floor(pixel / columns), height - 1);
    filled[at] = data[(y * width + x) * channels + (at % channels)] ?? 0;
  }
  const whole = { width: columns, height: rows, channels, data: filled };
  const bytes = Buffer.from(await encodeJpeg(whole, quality, iccProfile));
  for (
    let segment = segmentAfter(bytes, 2);
    segment !== undefined;
    segment = segmentAfter(bytes, segment.end)
  ) {
    if (segment.marker !== markers.sof0) continue;
    bytes.writeUInt16BE(height, segment.start + 1);
    bytes.writeUInt16BE(width, segment.start + 3);
    break;
  }
  return bytes;
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
