/**
 * Reads the header of one data element or item (PS3.5 §7.1, §7.5), as well-formed files have it and
 * as the rest have it.
 */
import { tagFrom, type Tag } from '../tag.js';
import { traitsOf, vrFrom, type VR } from '../vr.js';

export interface Encoding {
  readonly explicitVR: boolean;
  readonly bigEndian: boolean;
}

export interface ElementHeader {
  readonly tag: Tag;
  /** Group and element number in one, in 32 bits with a sign: smaller than the text of the tag. */
  readonly code: number;
  /** The VR that the file names; `undefined` when it names none, or none that exists. */
  readonly vr: VR | undefined;
  /** Whether the header has room for a VR. */
  readonly explicitVR: boolean;
  /** Length of the value in bytes; `undefinedLength` when delimiters tell. */
  readonly length: number;
  /** Length of the header itself. */
  readonly size: 8 | 12;
}

/** The length that says that a delimiter ends the value (PS3.5 §7.1.1). */
export const undefinedLength = 0xffffffff;
export const shortestHeader = 8;
export const longestHeader = 12;

/** Of what a file does not say how it is encoded: values of unknown VR (PS3.5 §6.2.2) and fragments. */
export const implicitLittleEndian: Encoding = { explicitVR: false, bigEndian: false };

/** Tags that structure a data set; their headers never have a VR (PS3.5 §7.5). */
export const itemTag = 'FFFEE000';
export const itemDelimiterTag = 'FFFEE00D';
export const sequenceDelimiterTag = 'FFFEE0DD';

const capitals = /^[A-Z]{2}$/;
/** What writers leave in place of a VR: `??`, spaces, dashes, nulls. */
const placeholder = /^(?:[\x20-\x7e]{2}|\0\0)$/;

/**
 * Reads a header. In explicit VR three oddities are read rather than refused:
 *
 * - two capitals that name no VR: new VRs have the long form (PS3.5 §6.2.2), but some writers use the
 *   short one; the reserved bytes tell, since they are null in the long form;
 * - a placeholder such as `??`: short form;
 * - anything else: bytes of a length, so this element is in implicit VR.
 *
 * @param at where the element starts in `bytes`, which go on for 8 bytes at least.
 * @returns `undefined` when the header has 12 bytes, of which some are missing.
 */
export function readHeader(bytes: Buffer, encoding: Encoding, at = 0): ElementHeader | undefined {
  const { bigEndian } = encoding;
  const uint16 = (offset: number): number =>
    bigEndian ? bytes.readUInt16BE(at + offset) : bytes.readUInt16LE(at + offset);
  const uint32 = (offset: number): number =>
    bigEndian ? bytes.readUInt32BE(at + offset) : bytes.readUInt32LE(at + offset);

  const group = uint16(0);
  const element = uint16(2);
  const tag = tagFrom(group, element);
  const code = (group << 16) | element;
  const implicit = (): ElementHeader => {
    return { tag, code, vr: undefined, explicitVR: false, length: uint32(4), size: 8 };
  };
  if (group === 0xfffe || !encoding.explicitVR) return implicit();

  const vr = vrFrom(bytes.readUInt8(at + 4), bytes.readUInt8(at + 5));
  const letters = vr ?? bytes.toString('latin1', at + 4, at + 6);
  if (vr === undefined && !capitals.test(letters) && !placeholder.test(letters)) return implicit();
  const longForm =
    vr === undefined ? capitals.test(letters) && uint16(6) === 0 : traitsOf(vr).longHeader;
  if (!longForm) return { tag, code, vr, explicitVR: true, length: uint16(6), size: 8 };
  if (bytes.length - at < longestHeader) return undefined;
  return { tag, code, vr, explicitVR: true, length: uint32(8), size: 12 };
}
