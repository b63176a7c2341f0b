import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { characterSetOf, decodeText } from '../../../src/dicom/text/character-set.js';
import { encodeText } from '../../../src/dicom/text/encode-text.js';

/** Character sets with text that each has, and some that it lacks. */
const cases = [
  [[], 'Adams^John', 'Müller'],
  [['ISO_IR 100'], 'Müller^Ænn', '山田'],
  [['ISO_IR 101'], 'Łódź', 'Ελλάδα'],
  [['ISO_IR 126'], 'Διονυσιος', 'Łódź'],
  [['ISO_IR 144'], 'Люкceмбypг', 'Müller'],
  [['ISO_IR 138'], 'שרון^דבורה', 'Ж'],
  [['ISO_IR 13'], 'ﾔﾏﾀﾞ^ﾀﾛｳ', 'Ж'],
  [['ISO_IR 166'], 'นามสกุล', 'Ж'],
  [['ISO_IR 192'], 'Wang^XiaoDong=王^小东=山田', undefined],
  [['GB18030'], 'Wang^XiaoDong=王^小东', undefined],
  [['', 'ISO 2022 IR 87'], 'Yamada^Tarou=山田^太郎=やまだ^たろう', 'Müller'],
  [['ISO 2022 IR 13', 'ISO 2022 IR 87'], 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎', 'Müller'],
  [['', 'ISO 2022 IR 149'], 'Hong^Gildong=洪^吉洞=홍^길동', 'Müller'],
  [['', 'ISO 2022 IR 58'], 'Zhang^XiaoDong=张^小东', 'Groß'],
  [['ISO 2022 IR 100', 'ISO 2022 IR 144'], 'Müller^Люкceмбypг', '山田'],
] as const;

describe('encodeText', () => {
  it.each(cases)(
    'writes in %j what is read as %s, and nothing that it lacks',
    (values, text, other) => {
      const bytes = encodeText(text, values, 'PN');
      expect(bytes && decodeText(bytes, characterSetOf(values), 'PN')).toBe(text);
      if (other !== undefined) expect(encodeText(other, values, 'PN')).toBeUndefined();
    },
  );

  it('writes the bytes of the examples of PS3.5 Annex H and I', () => {
    const japanese = encodeText('Yamada^Tarou=山田^太郎', ['', 'ISO 2022 IR 87'], 'PN');
    expect(japanese?.toString('latin1')).toBe('Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B');
    const korean = encodeText('洪^吉洞', ['', 'ISO 2022 IR 149'], 'PN');
    expect(korean?.toString('latin1')).toBe('\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7');
  });

  it('never writes what is read otherwise', () => {
    const sets = fc.constantFrom(...cases.map(([values]) => values));
    fc.assert(
      fc.property(sets, fc.string({ unit: 'grapheme', maxLength: 12 }), (values, text) => {
        const bytes = encodeText(text, values, 'LO');
        if (bytes !== undefined) {
          expect(decodeText(bytes, characterSetOf(values), 'LO')).toBe(text);
        }
      }),
    );
  });

  it('leaves characters out of text that has none of them', () => {
    expect(encodeText('É', ['ISO_IR 100'], 'CS')).toBeUndefined();
    expect(encodeText('M', [], 'CS')).toEqual(Buffer.from('M'));
  });
});
