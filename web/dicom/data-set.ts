/** Data sets in the DICOM JSON model (PS3.18 Annex F), and values out of them. */

import type { Element, PersonName, Value } from '../../src/dicom/data-set.js';

export type { Element, PersonName, Value };

/** Elements by tag, eight hex digits in capitals; any of them may be absent. */
export type DataSet = Readonly<Record<string, Element | undefined>>;

/** Tags by keyword: those that the page asks for by name. */
export const tags = {
  AccessionNumber: '00080050',
  AvailableTransferSyntaxUID: '00083002',
  BitsAllocated: '00280100',
  BitsStored: '00280101',
  BodyPartExamined: '00180015',
  Columns: '00280011',
  FrameIncrementPointer: '00280009',
  FrameTime: '00181063',
  ImageOrientationPatient: '00200037',
  ImagerPixelSpacing: '00181164',
  InstanceNumber: '00200013',
  Modality: '00080060',
  ModalitiesInStudy: '00080061',
  NumberOfFrames: '00280008',
  NumberOfSeriesRelatedInstances: '00201209',
  NumberOfStudyRelatedInstances: '00201208',
  NumberOfStudyRelatedSeries: '00201206',
  PatientBirthDate: '00100030',
  PatientID: '00100020',
  PatientName: '00100010',
  PatientSex: '00100040',
  PerFrameFunctionalGroupsSequence: '52009230',
  PhotometricInterpretation: '00280004',
  PixelAspectRatio: '00280034',
  PixelMeasuresSequence: '00289110',
  PixelRepresentation: '00280103',
  PixelSpacing: '00280030',
  PixelValueTransformationSequence: '00289145',
  FrameVOILUTSequence: '00289132',
  PlaneOrientationSequence: '00209116',
  RecommendedDisplayFrameRate: '00082144',
  ReferringPhysicianName: '00080090',
  RescaleIntercept: '00281052',
  RescaleSlope: '00281053',
  Rows: '00280010',
  SamplesPerPixel: '00280002',
  SeriesDescription: '0008103E',
  SeriesInstanceUID: '0020000E',
  SeriesNumber: '00200011',
  SharedFunctionalGroupsSequence: '52009229',
  SOPClassUID: '00080016',
  SOPInstanceUID: '00080018',
  StudyDate: '00080020',
  StudyDescription: '00081030',
  StudyInstanceUID: '0020000D',
  StudyTime: '00080030',
  WaveformSequence: '54000100',
  WindowCenter: '00281050',
  WindowWidth: '00281051',
} as const;

export type Keyword = keyof typeof tags;

function valuesOf(dataSet: DataSet | undefined, keyword: Keyword): readonly Value[] {
  return dataSet?.[tags[keyword]]?.Value ?? [];
}

/** The first value as text; empty when there is none. */
export function textOf(dataSet: DataSet | undefined, keyword: Keyword): string {
  const [value] = valuesOf(dataSet, keyword);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** All values as text. */
export function textsOf(dataSet: DataSet | undefined, keyword: Keyword): readonly string[] {
  return valuesOf(dataSet, keyword).filter((value) => typeof value === 'string');
}

/** All values as numbers; text that is none is left out. */
export function numbersOf(dataSet: DataSet | undefined, keyword: Keyword): readonly number[] {
  return valuesOf(dataSet, keyword)
    .map((value) => (typeof value === 'object' ? NaN : Number(value)))
    .filter((number) => Number.isFinite(number));
}

/** The first value as a number. */
export function numberOf(dataSet: DataSet | undefined, keyword: Keyword): number | undefined {
  return numbersOf(dataSet, keyword)[0];
}

/** The items of a sequence. */
export function itemsOf(dataSet: DataSet | undefined, keyword: Keyword): readonly DataSet[] {
  return valuesOf(dataSet, keyword).filter(isItem);
}

function isItem(value: Value): value is DataSet {
  return typeof value === 'object' && value !== null && !isName(value);
}

const groups = ['Alphabetic', 'Ideographic', 'Phonetic'];

/** Whether a value is a name; an item has tags for keys. */
export function isName(value: Value): value is PersonName {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.keys(value).some((key) => groups.includes(key))
  );
}

/** The first value as a name. */
export function nameOf(dataSet: DataSet | undefined, keyword: Keyword): PersonName {
  const [value] = valuesOf(dataSet, keyword);
  return value !== undefined && isName(value) ? value : {};
}
