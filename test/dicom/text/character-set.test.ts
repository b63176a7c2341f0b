import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { characterSetOf, decodeText } from '../../../src/dicom/text/character-set.js';
import type { VR } from '../../../src/dicom/vr.js';
import { latin1 } from '../../support/dicom/raw-data-set.js';

/** Decodes a string of bytes under the given values of Specific Character Set. */
function decode(bytes: string, values: readonly string[], vr: VR = 'PN'): string {
  return decodeText(latin1(bytes), characterSetOf(values), vr);
}

describe('decodeText', () => {
  it.each([
    ['ISO_IR 100', 'Buc^J\xe9r\xf4me', 'Buc^Jérôme'],
    ['ISO_IR 101', 'Wa\xb3\xeasa', 'Wałęsa'],
    ['ISO_IR 109', '\xe6u', 'ĉu'],
    ['ISO_IR 110', '\xd3', 'Ķ'],
    ['ISO_IR 144', '\xbb\xee\xda\xe1\xd5\xdc\xd1\xe3\xe0\xd3', 'Люксембург'],
    ['ISO_IR 127', '\xe2\xc8\xc7\xe6\xea', 'قباني'],
    ['ISO_IR 126', '\xc4\xe9\xef\xed\xf5\xf3\xe9\xef\xf2', 'Διονυσιος'],
    ['ISO_IR 138', '\xf9\xf8\xe5\xef', 'שרון'],
    ['ISO_IR 148', '\xc7avu\xfeo\xf0lu', 'Çavuşoğlu'],
    ['ISO_IR 203', '\xa4\xbd', '€œ'],
    ['ISO_IR 166', '\xb9\xd2\xc1', 'นาม'],
    ['ISO_IR 13', '\xd4\xcf\xc0\xde^\xc0\xdb\xb3', 'ﾔﾏﾀﾞ^ﾀﾛｳ'],
    ['ISO_IR 192', 'Wang^XiaoDong=\xe7\x8e\x8b^\xe5\xb0\x8f\xe6\x9d\xb1', 'Wang^XiaoDong=王^小東'],
    ['GB18030', 'Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab', 'Wang^XiaoDong=王^小东'],
    ['GBK', 'Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab', 'Wang^XiaoDong=王^小东'],
  ])('reads %s', (term, bytes, text) => {
    expect(decode(bytes, [term])).toBe(text);
  });

  it('reads Shift-JIS under ISO_IR 13 whole, as pydicom does and scanners write it', () => {
    // 山田^太郎 and 表^能, of which second bytes are those of ASCII, a backslash among them.
    const name = '\x8e\x52\x93\x63^\x91\xbe\x98\x59';
    expect(decode(name, ['ISO_IR 13'])).toBe('山田^太郎');
    expect(decode(`\xd4\xcf=${name}`, ['ISO_IR 13'])).toBe('ﾔﾏ=山田^太郎');
    expect(decode('\x95\x5c^\x94\x5c', ['ISO_IR 13'])).toBe('表^能');
    expect(decode('\x8e\x52\x93\x63', ['ISO_IR 13'], 'LO')).toBe('山田');
  });

  it('reads the Japanese example of PS3.5 §H.3.1', () => {
    const bytes =
      'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=' + '\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B';
    expect(decode(bytes, ['', 'ISO 2022 IR 87'])).toBe('Yamada^Tarou=山田^太郎=やまだ^たろう');
  });

  it('reads the Japanese example with half-width katakana of PS3.5 §H.3.2', () => {
    const bytes =
      '\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=' +
      '\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J';
    expect(decode(bytes, ['ISO 2022 IR 13', 'ISO 2022 IR 87'])).toBe(
      'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
    );
  });

  it('reads supplementary kanji', () => {
    expect(decode('\x1b$(D0!\x1b(B', ['', 'ISO 2022 IR 159'])).toBe('丂');
  });

  it('reads the Korean example of PS3.5 §I.2', () => {
    const bytes =
      'Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=' +
      '\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf';
    expect(decode(bytes, ['', 'ISO 2022 IR 149'])).toBe('Hong^Gildong=洪^吉洞=홍^길동');
  });

  it('reads the Chinese example with code extensions of PS3.5 §K.2', () => {
    const bytes = 'Zhang^XiaoDong=\x1b$)A\xd5\xc5^\x1b$)A\xd0\xa1\xb6\xab=';
    expect(decode(bytes, ['', 'ISO 2022 IR 58'])).toBe('Zhang^XiaoDong=张^小东=');
  });

  it('exchanges the right half, and returns to the first at each delimiter', () => {
    const values = ['ISO 2022 IR 100', 'ISO 2022 IR 144', 'ISO 2022 IR 126'];
    const bytes = 'Dionysios is \x1b-F\xc4\xe9\\\xe4\\\x1b-L\xbb\xee\r\n\xe4';
    expect(decode(bytes, values, 'LO')).toBe('Dionysios is Δι\\ä\\Лю\r\nä');
  });

  it('takes carets and equals signs for delimiters in names only', () => {
    const values = ['ISO 2022 IR 100', 'ISO 2022 IR 144'];
    expect(decode('\x1b-L\xbb^\xe4=\xe4', values, 'PN')).toBe('Л^ä=ä');
    expect(decode('\x1b-L\xbb^\xee=\xee', values, 'LO')).toBe('Л^ю=ю');
  });

  it('takes the backslash for a delimiter in VRs of several values only', () => {
    const values = ['ISO 2022 IR 100', 'ISO 2022 IR 144'];
    expect(decode('\x1b-L\xbb\\\xee', values, 'LT')).toBe('Л\\ю');
  });

  it('does not take the second byte of a character for a delimiter', () => {
    expect(decode('\x1b$B=^\\^\x1b(B', ['', 'ISO 2022 IR 87'])).toBe('殉權');
    expect(decode('\x81\x5c', ['GBK'], 'LO')).toBe('乗');
  });

  it('reads text without escape sequences in the set that was announced for it', () => {
    expect(decode('\xc8\xab', ['', 'ISO 2022 IR 149'])).toBe('홍');
  });

  it('applies to the VRs that the standard names only', () => {
    expect(decode('\xe7\x8e\x8b', ['ISO_IR 192'], 'CS')).toBe('\xe7\x8e\x8b');
    expect(decode('\xe7\x8e\x8b', ['ISO_IR 192'], 'UT')).toBe('王');
  });

  it('keeps bytes that the default repertoire does not have', () => {
    expect(decode('M\xfcller', [])).toBe('Müller');
  });

  it('reads any bytes in any character set', () => {
    const term = fc.constantFrom(
      ...['', 'ISO_IR 13', 'ISO 2022 IR 87', 'ISO 2022 IR 159', 'ISO 2022 IR 149'],
      ...['ISO 2022 IR 58', 'GB18030', 'GBK', 'ISO_IR 192', 'ISO_IR 166', 'ISO_IR 999'],
    );
    const byte = fc.oneof(fc.constantFrom(0x1b, 0x24, 0x28, 0x29, 0x42, 0x43, 0x5c), fc.nat(255));
    const bytes = fc.array(byte).map((list) => Uint8Array.from(list));
    const vr = fc.constantFrom<VR>('PN', 'LO', 'UT', 'CS');
    fc.assert(
      fc.property(fc.array(term, { maxLength: 3 }), bytes, vr, (terms, value, name) => {
        const text = decodeText(value, characterSetOf(terms), name);
        expect(text.length).toBeLessThanOrEqual(value.length);
      }),
    );
  });

  it('reads what was written in UTF-8', () => {
    const unicode = fc.string({ unit: 'grapheme' }).filter((text) => !text.startsWith('\uFEFF'));
    fc.assert(
      fc.property(unicode, (text) => {
        const bytes = new TextEncoder().encode(text);
        expect(decodeText(bytes, characterSetOf(['ISO_IR 192']), 'UT')).toBe(text);
      }),
    );
  });
});

describe('characterSetOf', () => {
  it.each([
    'ISO_IR 100',
    'ISO IR 100',
    'ISO_IR_100',
    'ISO-IR 100 ',
    'iso_ir 100',
    'ISO 2022 IR 100',
    'ISO-2022-IR-100',
    'ISO_2022_IR_100\0',
    'ISO 8859-1',
    'latin1',
  ])('understands %j', (term) => {
    expect(characterSetOf([term])).toEqual({ whole: undefined, right: 'latin1', unknown: [] });
  });

  it.each(['ISO_IR 192', 'ISO IR 192', 'utf8', 'UTF-8'])('understands %j as UTF-8', (term) => {
    expect(characterSetOf([term]).whole).toBe('utf-8');
  });

  it('takes UTF-8 in a later place for the whole when the first says nothing else', () => {
    expect(characterSetOf(['', 'ISO_IR 192']).whole).toBe('utf-8');
    expect(characterSetOf(['ISO_IR 144', 'ISO_IR 192']).whole).toBeUndefined();
  });

  it('records terms that it does not know and reads their text as Latin-1', () => {
    const set = characterSetOf(['ISO_IR 999']);
    expect(set.unknown).toEqual(['ISO_IR 999']);
    expect(decodeText(latin1('\xe4'), set, 'LO')).toBe('ä');
  });
});
