/** What the Microsoft server indexes of every instance by itself. */
import { attribute } from '../dicom/attribute.js';

/** The attributes that are indexed, besides the UIDs and what is computed. */
export const microsoftQueryTags = [
  'PatientID',
  'PatientName',
  'PatientBirthDate',
  'StudyDate',
  'StudyDescription',
  'AccessionNumber',
  'ReferringPhysicianName',
  'Modality',
  'PerformedProcedureStepStartDate',
  'ManufacturerModelName',
].map(attribute);
