/**
 * Text to bytes in the Specific Character Set of a data set (PS3.5 §6.1): the way back of `decodeText`. What it writes,
 * `decodeText` reads as it was; where a character set does not have a character it says so.
 */
import { characterSetOf, decodeText, termOf, type Term } from './character-set.js';
import { decodeIn, escape, escapes, type TextEncoding } from './iso-2022.js';
import { traitsOf, type VR } from '../vr.js';

/** Which bytes stand for a character. */
type Table = ReadonlyMap<string, readonly number[]>;

const tables = new Map<TextEncoding, Table>();

/** Encodings whose characters take two bytes, the first from 0x81 on. */
const ofTwoBytes: ReadonlySet<TextEncoding> = new Set<TextEncoding>([
  'euc-kr',
  'euc-jp',
  'gbk',
  'gb18030',
]);

/** The characters beyond ASCII of an encoding, found by decoding everything: those of one or two bytes. */
function tableOf(encoding: TextEncoding): Table {
  const known = tables.get(encoding);
  if (known !== undefined) return known;
  const table = new Map<string, readonly number[]>();
  const note = (...bytes: readonly number[]): void => {
    const text = decodeIn(encoding, Uint8Array.from(bytes));
    const isOne = Array.from(text).length === 1 && text !== '\uFFFD' && text > '\x7F';
    if (isOne && !table.has(text)) table.set(text, bytes);
  };
  for (let first = 0x80; first <= 0xff; first++) {
    note(first);
    if (!ofTwoBytes.has(encoding)) continue;
    for (let second = 0x40; second <= 0xfe; second++) note(first, second);
  }
  tables.set(encoding, table);
  return table;
}

/** A way to write characters beyond ASCII: after an escape sequence, if there is one, and in a half of the bytes. */
interface Way {
  /** After ESC; `undefined` where none is needed. */
  readonly sequence: string | undefined;
  readonly half: 'left' | 'right';
  readonly bytesOf: (character: string) => readonly number[] | undefined;
}

/** The two-byte sets of the left half are those of EUC-JP without their high bits. */
function doubleWay(sequence: '$B' | '$(D'): Way {
  const table = tableOf('euc-jp');
  return {
    sequence,
    half: 'left',
    bytesOf: (character) => {
      const bytes = table.get(character);
      return sequence === '$B' && bytes?.length === 2
        ? bytes.map((byte) => byte & 0x7f)
        : undefined;
    },
  };
}

function rightWay(encoding: TextEncoding, sequence: string | undefined): Way {
  return {
    sequence,
    half: 'right',
    bytesOf: (character) => {
      const bytes = tableOf(encoding).get(character);
      return bytes?.every((byte) => byte >= 0x80) === true ? bytes : undefined;
    },
  };
}

/** The ways that the terms announce, the one without an escape sequence first. */
function waysOf(terms: readonly Term[]): readonly Way[] {
  const [first] = terms;
  const plain = first?.right === undefined ? [] : [rightWay(first.right, undefined)];
  const escaped = terms.slice(1).flatMap(({ right, double }): readonly Way[] => {
    if (double !== undefined) return [doubleWay(double)];
    const found = escapes.find((one) => one.half === 'right' && one.encoding === right);
    return right === undefined || found === undefined ? [] : [rightWay(right, found.sequence)];
  });
  return [...plain, ...escaped];
}

function escaped(sequence: string): readonly number[] {
  return [escape, ...Buffer.from(sequence, 'latin1')];
}

/** One stretch between delimiters, at whose ends no escape sequence is in effect (PS3.5 §6.1.2.5.3). */
function encodeStretch(
  text: string,
  ways: readonly Way[],
  ascii: string,
): readonly number[] | undefined {
  const bytes: number[] = [];
  let way: Way | undefined;
  const toAscii = (): void => {
    if (way?.half === 'left') {
      bytes.push(...escaped(ascii));
      way = undefined;
    }
  };
  for (const character of text) {
    if (character <= '\x7F') {
      toAscii();
      bytes.push(character.charCodeAt(0));
      continue;
    }
    const isSame = way?.bytesOf(character) !== undefined;
    const next: Way | undefined = isSame ? way : ways.find((one) => one.bytesOf(character));
    const encoded = next?.bytesOf(character);
    if (next === undefined || encoded === undefined) return undefined;
    if (next !== way) {
      toAscii();
      // Nothing leads back to the right half of the beginning but the next delimiter.
      if (next.sequence === undefined && way !== undefined) return undefined;
      if (next.sequence !== undefined) bytes.push(...escaped(next.sequence));
      way = next;
    }
    bytes.push(...encoded);
  }
  toAscii();
  return bytes;
}

function encodeWhole(text: string, encoding: TextEncoding): Buffer | undefined {
  if (encoding === 'utf-8') return Buffer.from(text);
  const table = tableOf(encoding);
  const bytes = Array.from(text).map((character) =>
    character <= '\x7F' ? [character.charCodeAt(0)] : table.get(character),
  );
  return bytes.includes(undefined) ? undefined : Buffer.from(bytes.flat() as number[]);
}

/** Whether text has no other characters than those of ASCII. */
export function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- the whole of ASCII
  return /^[\x00-\x7F]*$/.test(text);
}

/**
 * The value of an element, delimiters included and without padding.
 *
 * @param values - of Specific Character Set.
 * @returns `undefined` when the character set does not have all of the characters.
 */
export function encodeText(text: string, values: readonly string[], vr: VR): Buffer | undefined {
  const traits = traitsOf(vr);
  if (isAscii(text)) return Buffer.from(text, 'latin1');
  if (!traits.characterSet) return undefined;
  const characterSet = characterSetOf(values);
  let bytes: Buffer | undefined;
  if (characterSet.whole !== undefined) bytes = encodeWhole(text, characterSet.whole);
  else {
    const terms = (values.length === 0 ? [''] : values).map((value) => termOf(value) ?? {});
    const ways = waysOf(terms);
    const ascii = terms[0]?.right === 'shift_jis' ? '(J' : '(B';
    const delimiters = new RegExp(
      `([\t\n\f\r${traits.multiValued ? '\\\\' : ''}${traits.kind === 'name' ? '^=' : ''}])`,
    );
    const stretches = text.split(delimiters).map((stretch) => encodeStretch(stretch, ways, ascii));
    if (!stretches.includes(undefined)) bytes = Buffer.from(stretches.flat() as number[]);
  }
  // Tables are the decoders turned round, and decoders read more than one spelling.
  return bytes !== undefined && decodeText(bytes, characterSet, vr) === text ? bytes : undefined;
}
