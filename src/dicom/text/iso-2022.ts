/**
 * Text with code extensions (ISO 2022 as PS3.5 §6.1.2.5 uses it): a left half G0 for bytes below
 * 0x80, a right half G1 for the others, and escape sequences that exchange either.
 */
import { TextDecoder } from 'node:util';

/** How the bytes of one half become text: a label of TextDecoder, or `latin1`, which it lacks. */
export type TextEncoding =
  | 'latin1'
  | 'iso-8859-2'
  | 'iso-8859-3'
  | 'iso-8859-4'
  | 'iso-8859-5'
  | 'iso-8859-6'
  | 'iso-8859-7'
  | 'iso-8859-8'
  | 'iso-8859-9'
  | 'iso-8859-15'
  | 'windows-874'
  | 'shift_jis'
  | 'euc-kr'
  | 'euc-jp'
  | 'gbk'
  | 'gb18030'
  | 'utf-8';

/** A set of two-byte characters for G0, whose bytes become EUC-JP by setting their high bits. */
interface DoubleByte {
  readonly prefix: readonly number[];
}

/** An escape sequence, the bytes after ESC, and what it puts into which half. */
type Escape = { readonly sequence: string } & (
  | { readonly half: 'left'; readonly double: DoubleByte | undefined }
  | { readonly half: 'right'; readonly encoding: TextEncoding }
);

export const escape = 0x1b;
const jisX0208 = { prefix: [] };
const jisX0212 = { prefix: [0x8f] };

/** Escape sequences of PS3.3 tables C.12-3 and C.12-4, and `$@` of older Japanese files. */
export const escapes: readonly Escape[] = [
  { sequence: '(B', half: 'left', double: undefined },
  { sequence: '(J', half: 'left', double: undefined },
  { sequence: '$B', half: 'left', double: jisX0208 },
  { sequence: '$@', half: 'left', double: jisX0208 },
  { sequence: '$(D', half: 'left', double: jisX0212 },
  { sequence: ')I', half: 'right', encoding: 'shift_jis' },
  { sequence: '-A', half: 'right', encoding: 'latin1' },
  { sequence: '-B', half: 'right', encoding: 'iso-8859-2' },
  { sequence: '-C', half: 'right', encoding: 'iso-8859-3' },
  { sequence: '-D', half: 'right', encoding: 'iso-8859-4' },
  { sequence: '-L', half: 'right', encoding: 'iso-8859-5' },
  { sequence: '-G', half: 'right', encoding: 'iso-8859-6' },
  { sequence: '-F', half: 'right', encoding: 'iso-8859-7' },
  { sequence: '-H', half: 'right', encoding: 'iso-8859-8' },
  { sequence: '-M', half: 'right', encoding: 'iso-8859-9' },
  { sequence: '-b', half: 'right', encoding: 'iso-8859-15' },
  { sequence: '-T', half: 'right', encoding: 'windows-874' },
  { sequence: '$)C', half: 'right', encoding: 'euc-kr' },
  { sequence: '$)A', half: 'right', encoding: 'gbk' },
];

const decoders = new Map<TextEncoding, TextDecoder>();

/** Decodes bytes that are all in one encoding. Never throws; what is no character becomes U+FFFD. */
export function decodeIn(encoding: TextEncoding, bytes: Uint8Array): string {
  if (encoding === 'latin1') {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
  let decoder = decoders.get(encoding);
  if (decoder === undefined) {
    decoder = new TextDecoder(encoding);
    decoders.set(encoding, decoder);
  }
  return decoder.decode(bytes);
}

function escapeAt(bytes: Uint8Array, start: number): Escape | undefined {
  return escapes.find(({ sequence }) =>
    Array.from(sequence).every((char, index) => bytes[start + index] === char.charCodeAt(0)),
  );
}

/** Whether a byte is a graphic character of the left half. */
function isGraphic(byte: number | undefined): boolean {
  return byte !== undefined && byte > 0x20 && byte < 0x7f;
}

/** The end of the run of bytes from `start` on that satisfy a test. */
function runEnd(bytes: Uint8Array, start: number, test: (byte: number) => boolean): number {
  let end = start;
  for (let byte = bytes[end]; byte !== undefined && test(byte); byte = bytes[end]) end++;
  return end;
}

/** Decodes a run of two-byte characters of G0; a last byte without its partner becomes U+FFFD. */
function decodeDouble(run: Uint8Array, { prefix }: DoubleByte): string {
  const euc: number[] = [];
  for (let at = 0; at + 1 < run.length; at += 2) {
    euc.push(...prefix, (run[at] ?? 0) | 0x80, (run[at + 1] ?? 0) | 0x80);
  }
  return decodeIn('euc-jp', Uint8Array.from(euc)) + (run.length % 2 === 0 ? '' : '\uFFFD');
}

/**
 * Decodes text with escape sequences. It starts with ASCII in G0 and `right` in G1, and returns to
 * that state after each delimiter (PS3.5 §6.1.2.5.3). Unknown escape sequences stay in the text.
 *
 * @param delimiters characters that end the effect of escape sequences.
 */
export function decodeIso2022(bytes: Uint8Array, right: TextEncoding, delimiters: string): string {
  let text = '';
  let double: DoubleByte | undefined;
  let high = right;
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0;
    const found = byte === escape ? escapeAt(bytes, at + 1) : undefined;
    if (found !== undefined) {
      if (found.half === 'left') double = found.double;
      else high = found.encoding;
      at += 1 + found.sequence.length;
    } else if (byte >= 0x80) {
      const end = runEnd(bytes, at, (other) => other >= 0x80);
      text += decodeIn(high, bytes.subarray(at, end));
      at = end;
    } else if (double !== undefined && isGraphic(byte)) {
      const end = runEnd(bytes, at, isGraphic);
      text += decodeDouble(bytes.subarray(at, end), double);
      at = end;
    } else {
      const char = String.fromCharCode(byte);
      text += char;
      if (delimiters.includes(char)) {
        double = undefined;
        high = right;
      }
      at++;
    }
  }
  return text;
}
