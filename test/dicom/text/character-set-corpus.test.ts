import { describe, expect, it } from '@jest/globals';
import { toDataSet } from '../../../src/dicom/json.js';
import { parsePart10 } from '../../../src/dicom/part10/part10.js';
import { itemsOf, stringOf } from '../../../src/dicom/value.js';
import { corpusFile, hasCorpus } from '../../support/dicom/corpus.js';
import { tag } from '../../support/dicom/raw-data-set.js';

const patientName = tag('00100010');
const requestedProcedureCodes = tag('00321064');

async function read(name: string) {
  const { dataSet } = await parsePart10(corpusFile(`pydicom/${name}.dcm`));
  return toDataSet(dataSet);
}

(hasCorpus() ? describe : describe.skip)('toDataSet of real files', () => {
  it.each([
    ['chrArab', 'قباني^لنزار'],
    ['chrFren', 'Buc^Jérôme'],
    ['chrFrenMulti', 'Buc^Jérôme'],
    ['chrGerm', 'Äneas^Rüdiger'],
    ['chrGreek', 'Διονυσιος'],
    ['chrH31', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
    ['chrH32', 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう'],
    ['chrHbrw', 'שרון^דבורה'],
    ['chrI2', 'Hong^Gildong=洪^吉洞=홍^길동'],
    ['chrJapMulti', 'やまだ^たろう'],
    ['chrJapMultiExplicitIR6', 'やまだ^たろう'],
    ['chrKoreanMulti', '김희중'],
    ['chrRuss', 'Люкceмбypг'],
    ['chrX1', 'Wang^XiaoDong=王^小東'],
    ['chrX2', 'Wang^XiaoDong=王^小东'],
  ])('reads the name in %s', async (file, name) => {
    expect(stringOf(await read(file), patientName)).toBe(name);
  });

  it.each(['chrSQEncoding', 'chrSQEncoding1'])('reads the name in an item of %s', async (file) => {
    const [item] = itemsOf(await read(file), requestedProcedureCodes);
    expect(item && stringOf(item, patientName)).toBe('ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう');
  });
});
