/**
 * Edits JPEG 2000 codestreams (ISO/IEC 15444-1 annex A) that encoders made for one component, so that
 * they say of several components, or of signed samples, what the encoders cannot.
 */

const marker = { SIZ: 0xff51, SOT: 0xff90, SOD: 0xff93, EOC: 0xffd9 };

/** Csiz and Ssiz of the first component, counted from the SIZ marker (§A.5.1). */
const componentCountAt = 38;
const firstComponentAt = 40;
const componentBytes = 3;
const signedBit = 0x80;
/** SOT marker and segment (§A.4.2), with the length of the tile-part at byte 6. */
const tilePartHeaderBytes = 12;
const tilePartLengthAt = 6;

/** A codestream of one tile in one tile-part. */
interface Parts {
  /** From SOC to the tile-part, without it. */
  readonly mainHeader: Uint8Array;
  /** The SOT segment. */
  readonly tilePartHeader: Uint8Array;
  /** What follows SOD: the packets. */
  readonly packets: Uint8Array;
}

/**
 * Makes one codestream of several that have one component each and are otherwise alike: same size,
 * precision and coding style, and component-first progression, in which all packets of a component
 * precede those of the next (§B.12.1.5). The result uses no component transform.
 */
export function joinComponents(codestreams: readonly Uint8Array[]): Uint8Array {
  const [first, ...others] = codestreams;
  if (first === undefined) throw new RangeError('There is no component to join.');
  if (others.length === 0) return first;

  const parts = codestreams.map(partsOf);
  const { mainHeader, tilePartHeader } = partsOf(first);
  const header = Buffer.from(mainHeader);
  const size = sizeSegmentAt(header);
  const component = header.subarray(
    size + firstComponentAt,
    size + firstComponentAt + componentBytes,
  );
  const newSize = Buffer.from(header.subarray(size, size + firstComponentAt));
  newSize.writeUInt16BE(firstComponentAt - 2 + componentBytes * parts.length, 2);
  newSize.writeUInt16BE(parts.length, componentCountAt);

  const packets = parts.map((part) => part.packets);
  const packetBytes = packets.reduce((sum, { length }) => sum + length, 0);
  const newTilePart = Buffer.from(tilePartHeader);
  newTilePart.writeUInt32BE(tilePartHeaderBytes + 2 + packetBytes, tilePartLengthAt);
  return Buffer.concat([
    header.subarray(0, size),
    newSize,
    ...parts.map(() => component),
    header.subarray(size + firstComponentAt + componentBytes),
    newTilePart,
    twoBytes(marker.SOD),
    ...packets,
    twoBytes(marker.EOC),
  ]);
}

/** Says, in place, that the samples of all components are signed. */
export function markSigned(codestream: Uint8Array): void {
  const view = viewOf(codestream);
  const size = sizeSegmentAt(view);
  const count = view.readUInt16BE(size + componentCountAt);
  for (let component = 0; component < count; component += 1) {
    const at = size + firstComponentAt + componentBytes * component;
    view.writeUInt8(view.readUInt8(at) | signedBit, at);
  }
}

function partsOf(codestream: Uint8Array): Parts {
  const view = viewOf(codestream);
  const tilePart = segmentAt(view, 2, marker.SOT);
  const data = segmentAt(view, tilePart, marker.SOD) + 2;
  const end = tilePart + view.readUInt32BE(tilePart + tilePartLengthAt);
  if (end + 2 !== view.length || view.readUInt16BE(end) !== marker.EOC) {
    throw new RangeError('The codestream has more than one tile-part.');
  }
  return {
    mainHeader: view.subarray(0, tilePart),
    tilePartHeader: view.subarray(tilePart, tilePart + tilePartHeaderBytes),
    packets: view.subarray(data, end),
  };
}

/** SIZ is the first segment after SOC (§A.5.1). */
function sizeSegmentAt(view: Buffer): number {
  return segmentAt(view, 2, marker.SIZ);
}

/** Where a marker is, walking from segment to segment. */
function segmentAt(view: Buffer, start: number, sought: number): number {
  let at = start;
  while (view.readUInt16BE(at) !== sought) at += 2 + view.readUInt16BE(at + 2);
  return at;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function twoBytes(code: number): Uint8Array {
  return Uint8Array.of(code >> 8, code & 0xff);
}
