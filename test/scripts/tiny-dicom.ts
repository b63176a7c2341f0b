/**
 * A reader of flat Explicit VR Little Endian files in thirty lines, so that the scripts' own output is
 * judged by something that shares no code with it.
 */

export interface TinyElement {
  readonly vr: string;
  readonly bytes: Buffer;
}

const longForm = new Set(['OB', 'OW', 'SQ', 'UN', 'UT']);

/** Reads every element of a Part 10 file, keyed by eight hex digits. */
export function readTinyDicom(file: Uint8Array): ReadonlyMap<string, TinyElement> {
  const buffer = Buffer.from(file);
  if (buffer.toString('latin1', 128, 132) !== 'DICM') throw new Error('no DICM prefix');
  const elements = new Map<string, TinyElement>();
  for (let at = 132; at < buffer.length;) {
    const hex = (offset: number): string =>
      buffer.readUInt16LE(offset).toString(16).padStart(4, '0').toUpperCase();
    const vr = buffer.toString('latin1', at + 4, at + 6);
    const isLong = longForm.has(vr);
    const start = at + (isLong ? 12 : 8);
    const end = start + (isLong ? buffer.readUInt32LE(at + 8) : buffer.readUInt16LE(at + 6));
    elements.set(hex(at) + hex(at + 2), { vr, bytes: buffer.subarray(start, end) });
    at = end;
  }
  return elements;
}

/** Text of an element without its padding. */
export function textOf(elements: ReadonlyMap<string, TinyElement>, tag: string): string {
  return (elements.get(tag)?.bytes.toString('utf8') ?? '').replace(/[ \0]+$/, '');
}

/** The DICOM JSON model of such a file, as a service without fault would send it. */
export function tinyMetadata(file: Uint8Array): Record<string, unknown> {
  const metadata: Record<string, unknown> = {};
  for (const [tag, { vr, bytes }] of readTinyDicom(file)) {
    if (tag.startsWith('0002')) continue;
    const text = bytes.toString('utf8').replace(/[ \0]+$/, '');
    if (vr === 'OB') metadata[tag] = { vr, BulkDataURI: `bulk/${tag}` };
    else if (vr === 'US') metadata[tag] = { vr, Value: [bytes.readUInt16LE(0)] };
    else if (text === '') metadata[tag] = { vr };
    else if (vr === 'PN') metadata[tag] = { vr, Value: [{ Alphabetic: text }] };
    else metadata[tag] = { vr, Value: text.split('\\') };
  }
  return metadata;
}
