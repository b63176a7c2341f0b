/** THE table of attributes that a bulk update may change: those of the Microsoft server, all of them text. */
import { attribute } from '../../dicom/attribute.js';
import type { Tag } from '../../dicom/tag.js';

/** How many values each may have (PS3.6). */
const values: Readonly<Record<string, 'one' | 'many'>> = {
  AccessionNumber: 'one',
  ReferringPhysicianName: 'one',
  StudyDescription: 'one',
  PatientName: 'one',
  PatientID: 'one',
  IssuerOfPatientID: 'one',
  TypeOfPatientID: 'one',
  PatientBirthDate: 'one',
  PatientBirthTime: 'one',
  PatientSex: 'one',
  QualityControlSubject: 'one',
  OtherPatientIDs: 'many',
  OtherPatientNames: 'many',
  PatientBirthName: 'one',
  PatientAge: 'one',
  PatientSize: 'one',
  PatientWeight: 'one',
  PatientAddress: 'one',
  PatientMotherBirthName: 'one',
  MilitaryRank: 'one',
  BranchOfService: 'one',
  MedicalRecordLocator: 'one',
  CountryOfResidence: 'one',
  RegionOfResidence: 'one',
  PatientTelephoneNumbers: 'many',
  EthnicGroup: 'one',
  Occupation: 'one',
  PatientReligiousPreference: 'one',
  PatientComments: 'one',
  PatientSpeciesDescription: 'one',
  PatientBreedDescription: 'one',
  BreedRegistrationNumber: 'one',
  ResponsiblePerson: 'one',
  ResponsiblePersonRole: 'one',
  ResponsibleOrganization: 'one',
  ConfidentialityConstraintOnPatientDataDescription: 'one',
};

/** By tag, how many values the attribute may have. */
export const updatableAttributes: ReadonlyMap<Tag, 'one' | 'many'> = new Map(
  Object.entries(values).map(([keyword, count]) => [attribute(keyword), count]),
);
