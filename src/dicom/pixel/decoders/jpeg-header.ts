/**
 * The marker segments of JPEG and JPEG-LS (ITU-T T.81 §B, T.87 §C): what a codestream says of itself
 * before its first scan.
 */
import { corruptPixels } from '../pixel-errors.js';
import type { CodestreamSize } from './codestream.js';

/** One marker with what follows it up to the next. */
export interface JpegSegment {
  /** The second byte of the marker. */
  readonly marker: number;
  /** Parameters, without marker and length. */
  readonly start: number;
  readonly end: number;
}

/** A component of the picture (T.81 §B.2.2). */
export interface JpegComponent {
  readonly id: number;
  readonly horizontal: number;
  readonly vertical: number;
  readonly quantization: number;
}

export interface JpegHeader extends CodestreamSize {
  /** Marker of the frame header: 0xC0 to 0xCF, or 0xF7 for JPEG-LS. */
  readonly process: number;
  readonly frame: readonly JpegComponent[];
  readonly jfif: boolean;
  /** Transform flag of the Adobe segment; `undefined` without one. */
  readonly adobeTransform: number | undefined;
}

/** EOI. */
const endMarker = Uint8Array.of(0xff, 0xd9);

export const markers = {
  sof0: 0xc0,
  soi: 0xd8,
  eoi: 0xd9,
  sos: 0xda,
  dqt: 0xdb,
  dht: 0xc4,
  dnl: 0xdc,
  dri: 0xdd,
  jpg: 0xc8,
  dac: 0xcc,
  app0: 0xe0,
  app14: 0xee,
  sofLs: 0xf7,
} as const;

/**
 * The segment that follows `offset`. Bytes that belong to no segment are skipped, as every decoder
 * does; entropy-coded data is among them.
 *
 * @returns `undefined` at the end of the image or of the bytes.
 */
export function segmentAfter(bytes: Uint8Array, offset: number): JpegSegment | undefined {
  for (let at = offset; at + 1 < bytes.length; at++) {
    const marker = bytes[at + 1] ?? 0;
    if (bytes[at] !== 0xff || marker === 0 || marker === 0xff) continue;
    if (marker === markers.eoi) return undefined;
    // Restart markers, SOI and TEM have no parameters.
    if ((marker >= 0xd0 && marker <= 0xd8) || marker === 0x01) {
      at++;
      continue;
    }
    const start = at + 4;
    const end = at + 2 + uint16(bytes, at + 2);
    if (end < start || end > bytes.length) {
      throw corruptPixels('A marker segment of the JPEG codestream ends after its data.');
    }
    return { marker, start, end };
  }
  return undefined;
}

/** Whether an EOI marker is there; no entropy-coded data looks like one. */
export function hasEndMarker(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).lastIndexOf(endMarker) >= 0;
}

/** Sixteen bits, big endian. @throws ServiceError `pixel-data-corrupt` behind the end. */
export function uint16(bytes: Uint8Array, at: number): number {
  return byteAt(bytes, at) * 256 + byteAt(bytes, at + 1);
}

/** @throws ServiceError `pixel-data-corrupt` behind the end. */
export function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw corruptPixels('The codestream ends within its header.');
  return byte;
}

/**
 * Reads a codestream's header, up to its first scan.
 *
 * @throws ServiceError `pixel-data-corrupt`
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
  if (bytes[0] !== 0xff || bytes[1] !== markers.soi) {
    throw corruptPixels('The frame is no JPEG codestream.');
  }
  let jfif = false;
  let adobeTransform: number | undefined;
  let frame: Omit<JpegHeader, 'jfif' | 'adobeTransform'> | undefined;
  let segment = segmentAfter(bytes, 2);
  while (segment !== undefined && segment.marker !== markers.sos) {
    const { marker, start, end } = segment;
    if (isFrameHeader(marker)) {
      if (frame !== undefined) throw corruptPixels('The JPEG codestream has two frame headers.');
      frame = readFrameHeader(bytes, segment);
    } else if (marker === markers.app0 && startsWith(bytes, start, 'JFIF\0')) {
      jfif = true;
    } else if (marker === markers.app14 && startsWith(bytes, start, 'Adobe') && end - start >= 12) {
      adobeTransform = bytes[start + 11];
    }
    segment = segmentAfter(bytes, end);
  }
  if (frame === undefined || segment === undefined) {
    throw corruptPixels('The JPEG codestream has no frame header, or no scan.');
  }
  return { ...frame, jfif, adobeTransform };
}

function isFrameHeader(marker: number): boolean {
  if (marker === markers.sofLs) return true;
  if (marker < 0xc0 || marker > 0xcf) return false;
  return marker !== markers.dht && marker !== markers.jpg && marker !== markers.dac;
}

function readFrameHeader(
  bytes: Uint8Array,
  { marker, start, end }: JpegSegment,
): Omit<JpegHeader, 'jfif' | 'adobeTransform'> {
  const components = byteAt(bytes, start + 5);
  if (end - start < 6 + components * 3) throw corruptPixels('The JPEG frame header is too short.');
  return {
    process: marker,
    precision: byteAt(bytes, start),
    rows: uint16(bytes, start + 1),
    columns: uint16(bytes, start + 3),
    components,
    frame: Array.from({ length: components }, (_, index) => {
      const at = start + 6 + index * 3;
      const sampling = byteAt(bytes, at + 1);
      return {
        id: byteAt(bytes, at),
        horizontal: sampling >> 4,
        vertical: sampling & 15,
        quantization: byteAt(bytes, at + 2),
      };
    }),
  };
}

function startsWith(bytes: Uint8Array, at: number, text: string): boolean {
  return Array.from(text).every((letter, index) => bytes[at + index] === letter.charCodeAt(0));
}
