/** Instances out of a few numbers: what tests of the archive put into it. */
import { attribute } from '../../../../src/dicom/attribute.js';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPClassUID,
  SOPInstanceUID,
  StudyInstanceUID,
  TransferSyntaxUID,
} from '../../../../src/dicom/uid.js';
import type { StoredFile } from '../../../../src/storage/archive/archive.js';
import { defaultPartition, type Partition } from '../../../../src/storage/archive/keys.js';
import type { Ulid } from '../../../../src/storage/archive/ulid.js';

export const partition: Partition = defaultPartition;

export const studyUid = (study: number) => `1.2.${study}` as StudyInstanceUID;
export const seriesUid = (study: number, series: number) =>
  `1.2.${study}.${series}` as SeriesInstanceUID;
export const instanceUid = (study: number, series: number, instance: number) =>
  `1.2.${study}.${series}.${instance}` as SOPInstanceUID;

/** Numbers that stand for the UIDs of an instance, and what its data set says. */
export interface Sample {
  readonly study: number;
  readonly series: number;
  readonly instance: number;
  readonly patient?: string;
  readonly modality?: string;
  readonly sopClass?: string;
  readonly more?: DataSet;
}

export function uidsOf({ study, series, instance }: Sample): InstanceUids {
  return {
    study: studyUid(study),
    series: seriesUid(study, series),
    instance: instanceUid(study, series, instance),
  };
}

export function dataSetOf(sample: Sample): DataSet {
  const { study, series, instance } = uidsOf(sample);
  const { patient = 'P1', modality = 'CT', more } = sample;
  return {
    [attribute('SOPInstanceUID')]: { vr: 'UI', Value: [instance] },
    [attribute('StudyDate')]: { vr: 'DA', Value: ['20240131'] },
    [attribute('AccessionNumber')]: { vr: 'SH', Value: [`A${sample.study}`] },
    [attribute('Modality')]: { vr: 'CS', Value: [modality] },
    [attribute('ReferringPhysicianName')]: { vr: 'PN', Value: [{ Alphabetic: 'Ref^Doc' }] },
    [attribute('StudyDescription')]: { vr: 'LO', Value: ['Thorax'] },
    [attribute('ManufacturerModelName')]: { vr: 'LO', Value: ['Scanner 5'] },
    [attribute('PatientName')]: { vr: 'PN', Value: [{ Alphabetic: `${patient}^Ann` }] },
    [attribute('PatientID')]: { vr: 'LO', Value: [patient] },
    [attribute('PatientBirthDate')]: { vr: 'DA', Value: ['19700101'] },
    [attribute('StudyInstanceUID')]: { vr: 'UI', Value: [study] },
    [attribute('SeriesInstanceUID')]: { vr: 'UI', Value: [series] },
    [attribute('StudyID')]: { vr: 'SH', Value: ['S1'] },
    [attribute('PerformedProcedureStepStartDate')]: { vr: 'DA', Value: ['20240131'] },
    ...more,
  };
}

export function fileOf(sample: Sample, version: Ulid): StoredFile {
  return {
    uids: uidsOf(sample),
    version,
    sopClass: (sample.sopClass ?? '1.2.840.10008.5.1.4.1.1.2') as SOPClassUID,
    transferSyntax: '1.2.840.10008.1.2.1' as TransferSyntaxUID,
    length: 4,
    dataSet: dataSetOf(sample),
    index: { frames: undefined, bulk: [] },
  };
}

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
export async function* bytes(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1, 2, 3, 4);
}
