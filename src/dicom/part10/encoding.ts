/** What a file leaves open, or gets wrong, about its encoding: settled by looking at elements. */
import { vrOf } from '../dictionary.js';
import { pixelDataTag } from '../tag.js';
import { implicitLittleEndian, readHeader, type ElementHeader, type Encoding } from './header.js';
import { traitsOf, vrFrom, type VR } from '../vr.js';

/**
 * The encoding of a data set by its first element: some writers put items in implicit VR into
 * explicit data sets, or name a transfer syntax that the data set does not have.
 *
 * @param start the first 8 bytes of the data set.
 */
export function detectEncoding(assumed: Encoding, start: Buffer): Encoding {
  const { bigEndian, explicitVR } = assumed;
  const implicit = readHeader(start, { bigEndian, explicitVR: false });
  if (implicit === undefined || implicit.tag.startsWith('FFFE')) return assumed;
  if (explicitVR) {
    const header = readHeader(start, assumed);
    return header?.explicitVR === false ? { bigEndian, explicitVR: false } : assumed;
  }
  const letters = vrFrom(start.readUInt8(4), start.readUInt8(5));
  const named = letters !== undefined && vrOf(implicit.tag) === letters;
  return named ? { bigEndian, explicitVR: true } : assumed;
}

/**
 * The VR of an element: as the file says, else by the dictionary. `UN` for a known attribute comes
 * from gateways that did not know it, or from values too long for the header of the VR, and is in
 * little endian (PS3.5 §6.2.2).
 */
export function resolveVR(header: ElementHeader, encoding: Encoding): VR {
  const { tag, vr, explicitVR } = header;
  if (vr !== undefined && (vr !== 'UN' || encoding.bigEndian)) return vr;
  const known = vrOf(tag);
  if (known === undefined || (explicitVR && known === 'SQ')) return 'UN';
  return known;
}

/**
 * What an element of undefined length holds: fragments of an encapsulated value (PS3.5 §A.4), or items, in the
 * encoding that is returned (PS3.5 §7.5; those of `UN` are implicit, §6.2.2). `undefined` when its VR has no
 * undefined length.
 */
export function contentOfUndefinedLength(
  { tag, vr }: ElementHeader,
  encoding: Encoding,
): 'fragments' | Encoding | undefined {
  if (tag === pixelDataTag) return 'fragments';
  if (vr === undefined || vr === 'SQ') return encoding;
  if (vr === 'UN') return implicitLittleEndian;
  return traitsOf(vr).kind === 'bulk' ? 'fragments' : undefined;
}
