/**
 * Specific Character Set (0008,0005): from its values to a way of reading text (PS3.3 §C.12.1.1.2,
 * PS3.5 §6.1). Spellings that real files have are understood; unknown terms are recorded.
 */
import { decodeIn, decodeIso2022, type TextEncoding } from './iso-2022.js';
import { traitsOf, type VR } from '../vr.js';

export interface CharacterSet {
  /** The one encoding of everything, where code extensions are not allowed (PS3.3 table C.12-5). */
  readonly whole: TextEncoding | undefined;
  /** The right half (bytes from 0x80 on) before any escape sequence. */
  readonly right: TextEncoding;
  /** Values that are no defined term; their text is read as Latin-1 or as the other values say. */
  readonly unknown: readonly string[];
}

/** What a defined term stands for. */
export interface Term {
  readonly whole?: TextEncoding;
  readonly right?: TextEncoding;
  /** Of two-byte characters: the escape sequence, after ESC, that puts them into the left half. */
  readonly double?: '$B' | '$(D';
}

/** Defined terms by ISO registration number, and the names that stand alone. */
const terms = new Map<string, Term>([
  ['6', {}],
  ['13', { right: 'shift_jis' }],
  ['58', { right: 'gbk' }],
  ['87', { double: '$B' }],
  ['100', { right: 'latin1' }],
  ['101', { right: 'iso-8859-2' }],
  ['109', { right: 'iso-8859-3' }],
  ['110', { right: 'iso-8859-4' }],
  ['126', { right: 'iso-8859-7' }],
  ['127', { right: 'iso-8859-6' }],
  ['138', { right: 'iso-8859-8' }],
  ['144', { right: 'iso-8859-5' }],
  ['148', { right: 'iso-8859-9' }],
  ['149', { right: 'euc-kr' }],
  ['159', { double: '$(D' }],
  ['166', { right: 'windows-874' }],
  ['192', { whole: 'utf-8' }],
  ['203', { right: 'iso-8859-15' }],
  ['GB18030', { whole: 'gb18030' }],
  ['GBK', { whole: 'gbk' }],
  // Not defined terms, but found in files.
  ['GB2312', { whole: 'gbk' }],
  ['UTF8', { whole: 'utf-8' }],
  ['ISO88591', { right: 'latin1' }],
  ['LATIN1', { right: 'latin1' }],
]);

/** Finds a term whatever its case, spaces, hyphens and underscores: `ISO_IR 100`, `iso-2022-ir-100`. */
export function termOf(value: string): Term | undefined {
  const name = value.toUpperCase().replace(/[\s\0_-]+/g, '');
  if (name === '') return {};
  return terms.get(name) ?? terms.get(name.replace(/^(?:ISO)?(?:2022)?(?:IR)?(?=\d+$)/, ''));
}

/**
 * Reads the values of Specific Character Set. An empty first value is the default repertoire.
 * Escape sequences are followed whether or not the values announce them.
 */
export function characterSetOf(values: readonly string[]): CharacterSet {
  const known: Term[] = [];
  const unknown: string[] = [];
  for (const value of values) {
    const term = termOf(value);
    if (term === undefined) unknown.push(value);
    else known.push(term);
  }
  // In text that keeps the rules nothing but the first value matters before an escape sequence. In
  // text that lacks its escape sequences, the first value with a right half is the best guess.
  const right = known.find((term) => term.right !== undefined)?.right;
  const whole = known.find((term) => term.whole !== undefined)?.whole;
  return {
    whole: known[0]?.right === undefined ? whole : undefined,
    right: right ?? 'latin1',
    unknown,
  };
}

/** The default repertoire (ISO_IR 6); bytes that it does not have are read as Latin-1. */
export const defaultCharacterSet = characterSetOf([]);

function isAscii(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte >= 0x80 || byte === 0x1b) return false;
  return true;
}

/** What ends the effect of escape sequences besides the value delimiter (PS3.5 §6.1.2.5.3). */
const lineControls = '\t\n\f\r';

/**
 * Decodes the value of an element, delimiters and padding included. Text of VRs to which the
 * character set does not apply (PS3.5 §6.1.2.2) is read as Latin-1. Never throws; what is no
 * character becomes U+FFFD.
 */
export function decodeText(bytes: Uint8Array, characterSet: CharacterSet, vr: VR): string {
  const traits = traitsOf(vr);
  if (!traits.characterSet || isAscii(bytes)) return decodeIn('latin1', bytes);
  if (characterSet.whole !== undefined) return decodeIn(characterSet.whole, bytes);
  // Scanners write whole Shift-JIS under ISO_IR 13, whose second bytes may look like ASCII.
  if (characterSet.right === 'shift_jis' && !bytes.includes(0x1b)) {
    return decodeIn('shift_jis', bytes);
  }
  const separator = traits.multiValued ? '\\' : '';
  const nameParts = traits.kind === 'name' ? '^=' : '';
  return decodeIso2022(bytes, characterSet.right, lineControls + separator + nameParts);
}
