/**
 * What random instances hold and random queries ask for: few values, so that queries hit, and those on
 * which matching turns: case, accents, padding, wildcards in values, shortened times, missing values.
 */
import type { Element, Value } from '../../../../src/dicom/data-set.js';

export interface ModelAttribute {
  readonly tag: string;
  readonly keyword: string;
  readonly vr: Element['vr'];
  /** The level that lists it; `none`: any attribute of a data set; `each`: every level, of what is in it. */
  readonly level: 'study' | 'series' | 'instance' | 'none' | 'each';
  /** Whether an index finds it. */
  readonly indexed?: boolean;
  /** What an instance may have; `undefined` is an absent attribute. */
  readonly values: readonly (readonly Value[] | undefined)[];
  /** What a query may ask. */
  readonly texts: readonly string[];
}

const days = ['20231231', '20240101', '20240102'];
const dateTexts = [
  '""',
  ...days,
  '20240101-20240102',
  '-20240101',
  '20240102-',
  '20231231-20240101',
];
const timeTexts = ['10', '1030', '10-12', '1030-', '-103059', '22-06', '103059.5'];

const item = (step: string, stage: string) =>
  ({
    '00400009': { vr: 'SH', Value: [step] },
    '00401001': { vr: 'SH', Value: [stage] },
  }) as unknown as Value;

export const modelAttributes: readonly ModelAttribute[] = [
  {
    tag: '00100020',
    keyword: 'PatientID',
    vr: 'LO',
    level: 'study',
    indexed: true,
    values: [['A'], ['a '], ['AB'], ['a|b'], ['Ä*'], ['X-12345'], ['x-123ab'], [], undefined],
    texts: [
      ...['a', 'A', 'A \0', 'ab', 'AB', 'A*', '*b', '?B', 'a|*', 'ä*', 'Ä*', 'a\\AB', 'x\\a*'],
      ...['*', 'z', '""', 'A\\A*', '*123*', 'X*345', '*-12*', '*123AB'],
    ],
  },
  {
    tag: '00100010',
    keyword: 'PatientName',
    vr: 'PN',
    level: 'study',
    indexed: true,
    values: [
      [{ Alphabetic: 'Doe^Jane' }],
      [{ Alphabetic: 'DÖE^jané^^' }],
      [{ Alphabetic: 'Smith Doe^J', Ideographic: '山田^太郎' }],
      [{ Alphabetic: 'Yamada^Taro', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }],
      [{ Alphabetic: 'Андрей' }],
      [],
      undefined,
    ],
    texts: [
      'doe^jane',
      'Doe*',
      '*ja*',
      '山田*',
      'Doé^Jane^',
      'x=山田^太郎',
      'Jane',
      'jane doe',
      'do',
      'андреи',
      'Андрей*',
      '*た*',
      '*mith*',
      '*ith do?',
      '*oe^ja*',
      '*田*',
      'a*дре*',
      '""',
    ],
  },
  {
    tag: '00080020',
    keyword: 'StudyDate',
    vr: 'DA',
    level: 'study',
    indexed: true,
    values: [...days.map((day) => [day]), ['2024.01.01'], undefined],
    texts: dateTexts,
  },
  {
    tag: '00080030',
    keyword: 'StudyTime',
    vr: 'TM',
    level: 'study',
    values: [['10'], ['1030'], ['10:30:59.500000'], ['230000'], undefined],
    texts: timeTexts,
  },
  {
    tag: '00080050',
    keyword: 'AccessionNumber',
    vr: 'SH',
    level: 'study',
    indexed: true,
    values: [['1'], ['10'], ['2'], undefined],
    texts: ['1', '1*', '10', '2\\10', '?'],
  },
  {
    tag: '00081030',
    keyword: 'StudyDescription',
    vr: 'LO',
    level: 'study',
    indexed: true,
    values: [
      ['Chest'],
      ['Banana chest anachest'],
      [`Chest, abdomen and pelvis with contrast medium, portal venous phase ${'x'.repeat(200)}`],
      ['chest abdomen pelvis neck head spine knee'],
      undefined,
    ],
    texts: [
      '*chest*',
      '*hest',
      '*ana*',
      'Chest*phase*',
      '*pelvis*spi*',
      '*ab*',
      '*venous*',
      '?hest',
    ],
  },
  {
    tag: '00101030',
    keyword: 'PatientWeight',
    vr: 'DS',
    level: 'study',
    values: [[70], [70.5], undefined],
    texts: ['70.0', '70.50', '7e1', '1'],
  },
  {
    tag: '00104000',
    keyword: 'PatientComments',
    vr: 'LT',
    level: 'study',
    values: [['one\\two, three'], ['one'], undefined],
    texts: ['one', 'one\\two, three', 'ONE*', '*,*'],
  },
  {
    tag: '00080060',
    keyword: 'Modality',
    vr: 'CS',
    level: 'series',
    indexed: true,
    values: [['CT'], ['MR'], ['CR'], undefined],
    texts: ['CT', 'ct,mr', 'MR\\US', 'C?', 'US', 'C*,MR'],
  },
  {
    tag: '0008103E',
    keyword: 'SeriesDescription',
    vr: 'LO',
    level: 'series',
    indexed: true,
    values: [['Axial'], ['axial 2'], ['T1'], undefined],
    texts: ['axial', 'Axial', 'AXIAL*', 'A*', '*2', '*xia*', 'T1', '*ial*'],
  },
  {
    tag: '00200011',
    keyword: 'SeriesNumber',
    vr: 'IS',
    level: 'series',
    values: [[1], [2], undefined],
    texts: ['1', '02', '3'],
  },
  {
    tag: '00400244',
    keyword: 'PerformedProcedureStepStartDate',
    vr: 'DA',
    level: 'series',
    indexed: true,
    values: [...days.map((day) => [day]), undefined],
    texts: dateTexts,
  },
  {
    tag: '00400245',
    keyword: 'PerformedProcedureStepStartTime',
    vr: 'TM',
    level: 'series',
    values: [['09'], ['220000'], undefined],
    texts: timeTexts,
  },
  {
    tag: '00400275',
    keyword: 'RequestAttributesSequence',
    vr: 'SQ',
    level: 'series',
    values: [[item('A', 'B'), item('B', 'C')], [item('A', 'C')], [], undefined],
    texts: [],
  },
  {
    tag: '00200013',
    keyword: 'InstanceNumber',
    vr: 'IS',
    level: 'instance',
    values: [[1], [2], [3]],
    texts: ['1', '2.0', '9'],
  },
  {
    tag: '00080008',
    keyword: 'ImageType',
    vr: 'CS',
    level: 'none',
    values: [['ORIGINAL', 'PRIMARY'], ['DERIVED', 'PRIMARY'], undefined],
    texts: ['primary', 'PRIMARY', 'DERIVED', 'ORIG*', 'PRIMARY\\DERIVED'],
  },
  {
    tag: '0008002A',
    keyword: 'AcquisitionDateTime',
    vr: 'DT',
    level: 'none',
    values: [['20240101103000'], ['202401'], ['20231231235959.5'], undefined],
    texts: ['2024', '202401011030', '20240101-', '-20231231', '20230101-20240101'],
  },
  {
    tag: '00091001',
    keyword: '00091001',
    vr: 'LO',
    level: 'none',
    values: [['private'], undefined],
    texts: ['Private', 'p*', 'q'],
  },
];
