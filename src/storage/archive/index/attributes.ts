/**
 * Which attributes belong to studies and series, and which of them an index finds. The rows, the
 * search and the conformance statement read these tables.
 */
import { attribute } from '../../../dicom/attribute.js';
import type { DataSet, Element } from '../../../dicom/data-set.js';
import type { Tag } from '../../../dicom/tag.js';
import type { Level } from '../keys.js';

function tags(...keywords: readonly string[]): readonly Tag[] {
  return keywords.map(attribute);
}

/** Patient and study attributes, kept in the study row: the newest value of each. */
export const studyAttributes = tags(
  'SpecificCharacterSet',
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'IssuerOfAccessionNumberSequence',
  'AnatomicRegionsInStudyCodeSequence',
  'InstitutionName',
  'ReferringPhysicianName',
  'TimezoneOffsetFromUTC',
  'StudyDescription',
  'ProcedureCodeSequence',
  'NameOfPhysiciansReadingStudy',
  'AdmittingDiagnosesDescription',
  'ReferencedStudySequence',
  'PatientName',
  'PatientID',
  'IssuerOfPatientID',
  'OtherPatientIDs',
  'PatientBirthDate',
  'PatientBirthTime',
  'PatientSex',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'EthnicGroup',
  'Occupation',
  'AdditionalPatientHistory',
  'PatientComments',
  'StudyInstanceUID',
  'StudyID',
);

/** Series and equipment attributes, kept in the series row: the newest value of each. */
export const seriesAttributes = tags(
  'SpecificCharacterSet',
  'SeriesDate',
  'SeriesTime',
  'Modality',
  'Manufacturer',
  'TimezoneOffsetFromUTC',
  'StationName',
  'SeriesDescription',
  'PerformingPhysicianName',
  'ManufacturerModelName',
  'BodyPartExamined',
  'ProtocolName',
  'SeriesInstanceUID',
  'SeriesNumber',
  'Laterality',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'PerformedProcedureStepID',
  'PerformedProcedureStepDescription',
  'RequestAttributesSequence',
);

/** The attributes that the rows of a level keep, whatever tags are added. */
export const levelAttributes = { study: studyAttributes, series: seriesAttributes } as const;

export interface IndexedAttribute {
  readonly level: Level;
  readonly tag: Tag;
  /** How many studies a typical value leaves: lower is tried first. */
  readonly rank: number;
}

function indexed(level: Level, ranks: Readonly<Record<string, number>>): IndexedAttribute[] {
  return Object.entries(ranks).map(([keyword, rank]) => ({ level, tag: attribute(keyword), rank }));
}

/**
 * Attributes with an index of their own. Studies are found by StudyInstanceUID without one: the UID
 * is the key of their rows.
 */
export const indexedAttributes: readonly IndexedAttribute[] = [
  ...indexed('study', {
    AccessionNumber: 2,
    PatientID: 2,
    StudyID: 3,
    PatientName: 4,
    PatientBirthDate: 5,
    ReferringPhysicianName: 7,
    StudyDate: 6,
    StudyDescription: 8,
    ModalitiesInStudy: 9,
  }),
  ...indexed('series', {
    SeriesInstanceUID: 1,
    PerformedProcedureStepStartDate: 6,
    SeriesDescription: 8,
    ManufacturerModelName: 8,
    Modality: 9,
  }),
  ...indexed('instance', { SOPInstanceUID: 1 }),
];

/** Elements larger than this as JSON stay out of study and series rows. */
const rowElementCharacters = 1024;

function hasValue(element: Element): boolean {
  return element.Value?.some((value) => value !== null && value !== '') ?? false;
}

/**
 * Lays the newest values over the known ones: a value replaces a value, a missing or empty one
 * never erases (the rule of the Microsoft server, which PS3.18 leaves open).
 */
export function mergeAttributes(
  known: DataSet,
  newest: DataSet,
  attributes: readonly Tag[],
): DataSet {
  const merged: Record<Tag, Element> = {};
  for (const tag of attributes) {
    const candidate = newest[tag];
    const usable =
      candidate !== undefined && JSON.stringify(candidate).length <= rowElementCharacters;
    const previous = known[tag];
    const element =
      usable && (hasValue(candidate) || previous === undefined) ? candidate : previous;
    if (element !== undefined) merged[tag] = element;
  }
  return merged;
}
