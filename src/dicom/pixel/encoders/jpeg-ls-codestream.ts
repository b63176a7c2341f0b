/** Edits JPEG-LS codestreams (ISO/IEC 14495-1 annex C) of several scans so that they have but the first. */

const marker = { SOF: 0xf7, SOS: 0xda, EOI: 0xd9 };
/** Bytes of the frame header before its components, from the marker on, and of one component. */
const componentsAt = 10;
const componentBytes = 3;

/**
 * The first component by itself, out of a codestream with one scan for each component.
 *
 * @throws RangeError when it has no two scans.
 */
export function firstComponent(bytes: Uint8Array): Uint8Array {
  const codestream = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const frame = markerAfter(codestream, marker.SOF, 2);
  const first = markerAfter(codestream, marker.SOS, frame);
  // Within coded data no byte above 0x7F follows 0xFF, so this is the next scan.
  const second = markerAfter(codestream, marker.SOS, first + 2);
  const header = Buffer.from(codestream.subarray(frame, frame + componentsAt + componentBytes));
  header.writeUInt16BE(componentsAt - 2 + componentBytes, 2);
  header.writeUInt8(1, componentsAt - 1);
  return Buffer.concat([
    codestream.subarray(0, frame),
    header,
    codestream.subarray(frame + 2 + codestream.readUInt16BE(frame + 2), second),
    Uint8Array.of(0xff, marker.EOI),
  ]);
}

function markerAfter(codestream: Buffer, code: number, offset: number): number {
  const at = codestream.indexOf(Uint8Array.of(0xff, code), offset);
  if (at < 0) throw new RangeError('The JPEG-LS codestream has no second scan.');
  return at;
}
