/** The main header of JPEG 2000 and HTJ2K (ITU-T T.800 §A.5, §I.5). */
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import type { CodestreamSize } from './codestream.js';
import { byteAt, uint16 } from './jpeg-header.js';

export interface Jpeg2000Header extends CodestreamSize {
  /** Every component has a sign. */
  readonly signed: boolean;
  readonly tiles: number;
  /** A multiple component transformation was applied, which decoders undo (T.800 §G). */
  readonly transformed: boolean;
}

const siz = 0xff51;
const cod = 0xff52;
const sot = 0xff90;
const signFlag = 0x80;
/** Ssiz of the first component in a codestream; the others follow at every third byte. */
const firstDepth = 42;
const eoc = 0xffd9;
const jp2Signature = 0x6a502020;
const codestreamBox = 0x6a703263;

/**
 * The codestream of a frame: DICOM stores it bare, some writers put it into a JP2 file.
 *
 * @throws ServiceError `pixel-data-corrupt`
 */
export function codestreamOf(payload: Uint8Array): Uint8Array {
  if (payload[0] === 0xff && payload[1] === 0x4f) return payload;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload.length >= 12 && view.getUint32(4) === jp2Signature) {
    let at = 0;
    while (at + 8 <= payload.length) {
      const length = view.getUint32(at);
      if (view.getUint32(at + 4) === codestreamBox) {
        // A length of 1 announces a long one, 0 the rest of the file.
        const start = at + (length === 1 ? 16 : 8);
        return payload.subarray(start, length > 8 ? at + length : payload.length);
      }
      if (length < 8) break;
      at += length;
    }
  }
  throw corruptPixels('The frame is no JPEG 2000 codestream.');
}

/**
 * Reads a codestream's main header.
 *
 * @throws ServiceError `pixel-data-corrupt`; `pixel-data-unsupported` when its components differ in
 *   size or depth.
 */
export function readJpeg2000Header(bytes: Uint8Array): Jpeg2000Header {
  if (uint16(bytes, 0) !== 0xff4f || uint16(bytes, 2) !== siz) {
    throw corruptPixels('The frame is no JPEG 2000 codestream.');
  }
  const size = readSize(bytes, 6);
  let at = 4 + uint16(bytes, 4);
  for (;;) {
    const marker = uint16(bytes, at);
    if (marker === sot) throw corruptPixels('The JPEG 2000 codestream has no coding style.');
    const length = uint16(bytes, at + 2);
    if (marker < 0xff00 || length < 2) {
      throw corruptPixels('The JPEG 2000 main header is damaged.');
    }
    if (marker === cod) return { ...size, transformed: byteAt(bytes, at + 8) === 1 };
    at += 2 + length;
  }
}

/**
 * A copy of a codestream of signed samples that says they are unsigned: its samples come out higher by
 * half their range (T.800 §G.1). The codecs' wrappers cut off what is negative in eight bits.
 */
export function asUnsigned(bytes: Uint8Array, { components }: Jpeg2000Header): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (let component = 0; component < components; component++) {
    const at = firstDepth + component * 3;
    copy[at] = (copy[at] ?? 0) & ~signFlag;
  }
  return copy;
}

/**
 * Walks over the tile-parts (T.800 §A.4.2). The codecs take what they find for the whole picture, so
 * one that was cut off must not reach them.
 *
 * @throws ServiceError `pixel-data-corrupt` when data of a tile is missing.
 */
export function refuseMissingTiles(bytes: Uint8Array, { tiles }: Jpeg2000Header): void {
  const seen = new Set<number>();
  let at = 2;
  while (at + 4 <= bytes.length && uint16(bytes, at) !== eoc) {
    if (uint16(bytes, at) !== sot) {
      if (seen.size > 0) break;
      at += 2 + Math.max(2, uint16(bytes, at + 2));
      continue;
    }
    seen.add(uint16(bytes, at + 4));
    const length = uint32(bytes, at + 6);
    if (length === 0) {
      // The part goes on to the end of the codestream, which has to be there.
      if (!endsWithEoc(bytes)) throw corruptPixels('The JPEG 2000 codestream ends early.');
      break;
    }
    at += Math.max(12, length);
    if (at > bytes.length) throw corruptPixels('The JPEG 2000 codestream ends early.');
  }
  if (seen.size !== tiles) {
    throw corruptPixels(`The JPEG 2000 codestream has ${seen.size} of ${tiles} tiles.`);
  }
}

function endsWithEoc(bytes: Uint8Array): boolean {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end >= 2 && uint16(bytes, end - 2) === eoc;
}

function uint32(bytes: Uint8Array, at: number): number {
  return uint16(bytes, at) * 65_536 + uint16(bytes, at + 2);
}

/** The SIZ segment (T.800 §A.5.1), from its capabilities on. */
function readSize(bytes: Uint8Array, start: number): Omit<Jpeg2000Header, 'transformed'> {
  const [right, bottom, left, top, tileWidth, tileHeight, tileLeft, tileTop] = Array.from(
    { length: 8 },
    (_, index) => uint32(bytes, start + 2 + index * 4),
  ) as [number, number, number, number, number, number, number, number];
  const columns = right - left;
  const rows = bottom - top;
  const components = uint16(bytes, start + 34);
  const tiles =
    Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight);
  if (columns < 1 || rows < 1 || components < 1 || !(tiles >= 1 && tiles <= 65_535)) {
    throw corruptPixels('The JPEG 2000 codestream has no picture.');
  }
  const depth = byteAt(bytes, start + 36);
  for (let component = 0; component < components; component++) {
    const at = start + 36 + component * 3;
    if (byteAt(bytes, at) !== depth) {
      throw unsupportedPixels('JPEG 2000 with components of different depth cannot be decoded.');
    }
    if (byteAt(bytes, at + 1) !== 1 || byteAt(bytes, at + 2) !== 1) {
      throw unsupportedPixels('JPEG 2000 with subsampled components cannot be decoded.');
    }
  }
  return {
    rows,
    columns,
    components,
    precision: (depth & 0x7f) + 1,
    signed: depth >= signFlag,
    tiles,
  };
}
