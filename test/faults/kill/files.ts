/** The DICOM files that the clients store. */
import { createHash, randomBytes } from 'node:crypto';
import { element, sampleInstance } from '../../support/part10-builder.js';

/** More than fits a row, compressed: such a data set goes to a derived blob. */
const bigCharacters = 960 * 1024;

export interface FileSpec {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
  readonly modality: string;
  /** Whether the metadata is too large for a row. */
  readonly big: boolean;
}

/** PatientID of all instances of a study. */
export function patientOf(study: string): string {
  return `P-${study.split('.').slice(-2).join('-')}`;
}

/** A file that no other is equal to. */
export function newFile({ big, modality, ...uids }: FileSpec): {
  readonly file: Buffer;
  readonly hash: string;
} {
  const file = sampleInstance({
    ...uids,
    pixelData: { native: randomBytes(512) },
    overrides: [
      element('00080060', 'CS', modality),
      element('00100020', 'LO', patientOf(uids.study)),
      ...(big
        ? [element('0040A160', 'UT', randomBytes((bigCharacters * 3) / 4).toString('base64'))]
        : []),
    ],
  });
  return { file, hash: hashOf(file) };
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
