/** What each profile returns and accepts in a search (docs/conformance.md, "Search"). */
import { attribute } from '../../dicom/attribute.js';
import type { LetterCase } from '../../dicom/normalise.js';
import type { Tag } from '../../dicom/tag.js';
import type { Level } from '../../storage/archive/keys.js';

export interface SearchPolicy {
  /** Attributes of each level that a result has without being asked. */
  readonly defaults: Readonly<Record<Level, readonly Tag[]>>;
  /** What `includefield=all` adds. */
  readonly all: Readonly<Record<Level, readonly Tag[]>>;
  /** Default attributes without a value are sent empty (PS3.18 §10.6.3.3), or left out. */
  readonly emptyAttributes: 'sent' | 'omitted';
  /**
   * Parameters that are none, and attributes that are no key of the route: passed over and named in a
   * warning (PS3.18 §8.3), or refused.
   */
  readonly unknownParameters: 'ignored' | 'refused';
  /** Whether `emptyvaluematching` and `multiplevaluematching` are parameters (PS3.18 §8.3.4.5, §8.3.4.6). */
  readonly extendedMatching: 'offered' | 'unknown';
  /** How texts that are no names are compared (PS3.4 §C.2.2.2.1). */
  readonly letterCase: LetterCase;
  /** What `includefield` shows of an instance in results about studies (PS3.18 §10.6.3.3.1). */
  readonly attributesBelowStudies: 'shown' | 'left-out';
  /** A private attribute comes with the attribute that names its creator (PS3.18 §10.6.3.3.1), or alone. */
  readonly privateCreators: 'shown' | 'left-out';
  /** SpecificCharacterSet is that of the answer (PS3.18 §F.2), or as stored. */
  readonly characterSet: 'utf-8' | 'as-stored';
  /** A key without a value matches everything (PS3.4 §C.2.2.2.3), or is refused. */
  readonly emptyValues: 'universal' | 'refused';
  /** Within a study: whether attributes of the levels above match as well, by the data sets. */
  readonly attributesAbove: 'matched' | 'refused';
  /** How `fuzzymatching` takes the words of a name. */
  readonly fuzzyNames: 'any-order' | 'phrase';
  /** Status of an answer without results. */
  readonly emptyStatus: 200 | 204;
  readonly defaultLimit: number;
  readonly mostResults: number;
  /** A larger limit is lowered to the most there is, or refused. */
  readonly largerLimit: 'lowered' | 'refused';
}

type Levels = Readonly<Record<Level, readonly Tag[]>>;

function levels(keywords: Readonly<Record<Level, readonly string[]>>): Levels {
  return {
    study: keywords.study.map(attribute),
    series: keywords.series.map(attribute),
    instance: keywords.instance.map(attribute),
  };
}

function joined(...several: readonly Levels[]): Levels {
  const of = (level: Level) => [...new Set(several.flatMap((one) => one[level]))];
  return { study: of('study'), series: of('series'), instance: of('instance') };
}

/** PS3.18 tables 10.6.3-3 to 10.6.3-5. */
const standardDefaults = levels({
  study: [
    'StudyDate',
    'StudyTime',
    'AccessionNumber',
    'InstanceAvailability',
    'ModalitiesInStudy',
    'ReferringPhysicianName',
    'TimezoneOffsetFromUTC',
    'RetrieveURL',
    'StudyDescription',
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    'StudyInstanceUID',
    'StudyID',
    'NumberOfStudyRelatedSeries',
    'NumberOfStudyRelatedInstances',
  ],
  series: [
    'Modality',
    'TimezoneOffsetFromUTC',
    'SeriesDescription',
    'RetrieveURL',
    'SeriesInstanceUID',
    'SeriesNumber',
    'NumberOfSeriesRelatedInstances',
    'PerformedProcedureStepStartDate',
    'PerformedProcedureStepStartTime',
    'RequestAttributesSequence',
  ],
  instance: [
    'SOPClassUID',
    'SOPInstanceUID',
    'InstanceAvailability',
    'TimezoneOffsetFromUTC',
    'RetrieveURL',
    'InstanceNumber',
    'Rows',
    'Columns',
    'BitsAllocated',
    'NumberOfFrames',
    'AvailableTransferSyntaxUID',
  ],
});

const microsoftV1Defaults = levels({
  study: [
    'SpecificCharacterSet',
    'StudyDate',
    'StudyTime',
    'AccessionNumber',
    'ReferringPhysicianName',
    'TimezoneOffsetFromUTC',
    'PatientName',
    'PatientID',
    'PatientBirthDate',
    'PatientSex',
    'StudyInstanceUID',
    'StudyID',
  ],
  series: [
    'SpecificCharacterSet',
    'Modality',
    'TimezoneOffsetFromUTC',
    'SeriesDescription',
    'SeriesInstanceUID',
    'PerformedProcedureStepStartDate',
    'PerformedProcedureStepStartTime',
    'RequestAttributesSequence',
  ],
  instance: [
    'SpecificCharacterSet',
    'SOPClassUID',
    'SOPInstanceUID',
    'TimezoneOffsetFromUTC',
    'InstanceNumber',
    'Rows',
    'Columns',
    'BitsAllocated',
    'NumberOfFrames',
  ],
});

const microsoftV2Defaults = levels({
  study: [
    'StudyInstanceUID',
    'StudyDate',
    'StudyDescription',
    'AccessionNumber',
    'ReferringPhysicianName',
    'PatientName',
    'PatientID',
    'PatientBirthDate',
  ],
  series: [
    'SeriesInstanceUID',
    'Modality',
    'PerformedProcedureStepStartDate',
    'ManufacturerModelName',
  ],
  instance: ['SOPInstanceUID'],
});

const microsoftAll = joined(
  microsoftV1Defaults,
  levels({
    study: [
      'StudyDescription',
      'AnatomicRegionsInStudyCodeSequence',
      'ProcedureCodeSequence',
      'NameOfPhysiciansReadingStudy',
      'AdmittingDiagnosesDescription',
      'ReferencedStudySequence',
      'PatientAge',
      'PatientSize',
      'PatientWeight',
      'Occupation',
      'AdditionalPatientHistory',
    ],
    series: ['SeriesNumber', 'Laterality', 'SeriesDate', 'SeriesTime'],
    instance: [],
  }),
);

const microsoft = {
  all: microsoftAll,
  emptyAttributes: 'omitted',
  unknownParameters: 'refused',
  extendedMatching: 'unknown',
  letterCase: 'folded',
  attributesBelowStudies: 'shown',
  privateCreators: 'left-out',
  characterSet: 'as-stored',
  emptyValues: 'refused',
  attributesAbove: 'refused',
  fuzzyNames: 'phrase',
  emptyStatus: 204,
  defaultLimit: 100,
  mostResults: 200,
  largerLimit: 'refused',
} as const;

export const standardSearchPolicy: SearchPolicy = {
  defaults: standardDefaults,
  all: joined(standardDefaults, microsoftAll),
  emptyAttributes: 'sent',
  unknownParameters: 'ignored',
  extendedMatching: 'offered',
  letterCase: 'significant',
  attributesBelowStudies: 'left-out',
  privateCreators: 'shown',
  characterSet: 'utf-8',
  emptyValues: 'universal',
  attributesAbove: 'matched',
  fuzzyNames: 'any-order',
  emptyStatus: 200,
  defaultLimit: 100,
  mostResults: 1000,
  largerLimit: 'lowered',
};

export const microsoftV1SearchPolicy: SearchPolicy = {
  ...microsoft,
  defaults: microsoftV1Defaults,
};
export const microsoftV2SearchPolicy: SearchPolicy = {
  ...microsoft,
  defaults: microsoftV2Defaults,
};
