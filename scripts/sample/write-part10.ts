/**
 * Writes a small DICOM file (PS3.10 §7.1) in Explicit VR Little Endian: flat data sets only, which is
 * all that a sample picture needs.
 */

/** Tag as eight hex digits, value representation, value. Several text values are joined by `\`. */
export type SimpleElement =
  | readonly [
      tag: string,
      vr: 'AS' | 'CS' | 'DA' | 'DS' | 'IS' | 'LO' | 'LT' | 'PN' | 'SH' | 'TM' | 'UI',
      text: string,
    ]
  | readonly [tag: string, vr: 'US', number: number]
  | readonly [tag: string, vr: 'UL', number: number]
  | readonly [tag: string, vr: 'OB', bytes: Uint8Array];

const explicitVrLittleEndian = '1.2.840.10008.1.2.1';
// Made from a random UUID (PS3.5 §B.2).
const implementationClassUid = '2.25.134791747621029515216922036382160751117';
const implementationVersionName = 'DICOMWEB_SAMPLE';

/**
 * Writes a Part 10 file with its preamble and file meta information.
 *
 * @param elements in ascending order of tag, with SOP Class and SOP Instance UID among them.
 */
export function writePart10(elements: readonly SimpleElement[]): Uint8Array {
  const uid = (tag: string): string =>
    String(elements.find(([candidate]) => candidate === tag)?.[2] ?? '');
  const meta = Buffer.concat(
    (
      [
        ['00020001', 'OB', Uint8Array.of(0, 1)],
        ['00020002', 'UI', uid('00080016')],
        ['00020003', 'UI', uid('00080018')],
        ['00020010', 'UI', explicitVrLittleEndian],
        ['00020012', 'UI', implementationClassUid],
        ['00020013', 'SH', implementationVersionName],
      ] satisfies SimpleElement[]
    ).map(writeElement),
  );
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    writeElement(['00020000', 'UL', meta.length]),
    meta,
    ...elements.map(writeElement),
  ]);
}

function writeElement(element: SimpleElement): Buffer {
  const [tag, vr] = element;
  const value = pad(valueBytes(element), vr);
  const header = Buffer.alloc(vr === 'OB' ? 12 : 8);
  header.writeUInt16LE(Number.parseInt(tag.slice(0, 4), 16), 0);
  header.writeUInt16LE(Number.parseInt(tag.slice(4), 16), 2);
  header.write(vr, 4, 'latin1');
  if (vr === 'OB') header.writeUInt32LE(value.length, 8);
  else header.writeUInt16LE(value.length, 6);
  return Buffer.concat([header, value]);
}

function valueBytes([, vr, value]: SimpleElement): Buffer {
  if (typeof value === 'string') return Buffer.from(value, 'utf8');
  if (typeof value !== 'number') return Buffer.from(value);
  const bytes = Buffer.alloc(vr === 'US' ? 2 : 4);
  bytes.writeUIntLE(value, 0, bytes.length);
  return bytes;
}

/** Even length: nulls for UIDs and bytes, a space for text (PS3.5 §6.2). */
function pad(value: Buffer, vr: SimpleElement[1]): Buffer {
  if (value.length % 2 === 0) return value;
  return Buffer.concat([value, Buffer.from(vr === 'UI' || vr === 'OB' ? '\0' : ' ')]);
}
