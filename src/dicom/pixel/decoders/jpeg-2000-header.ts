/** The main header of JPEG 2000 and HTJ2K (ITU-T T.800 §A.5, §I.5). */
import { corruptPixels, unsupportedPixels } from '../pixel-errors.js';
import type { CodestreamSize } from './codestream.js';
import { byteAt, uint16 } from './jpeg-header.js';

export interface Jpeg2000Header extends CodestreamSize {
  /** Every component has its sign. */
  readonly signed: boolean;
  /** A multiple component transformation was applied, which decoders undo (T.800 §G). */
  readonly transformed: boolean;
}

const siz = 0xff51;
const cod = 0xff52;
const sot = 0xff90;
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

/** The SIZ segment (T.800 §A.5.1), from its capabilities on. */
function readSize(bytes: Uint8Array, start: number): Omit<Jpeg2000Header, 'transformed'> {
  const uint32 = (at: number) => uint16(bytes, at) * 65_536 + uint16(bytes, at + 2);
  const columns = uint32(start + 2) - uint32(start + 10);
  const rows = uint32(start + 6) - uint32(start + 14);
  const components = uint16(bytes, start + 34);
  if (columns < 1 || rows < 1 || components < 1) {
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
  return { rows, columns, components, precision: (depth & 0x7f) + 1, signed: depth >= 0x80 };
}
