/**
 * The corpus of real DICOM files, which is kept apart from the project: in the directory that
 * DICOM_CORPUS names, or beside the repository. Tests skip where it is absent.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Its folder. */
export const corpusRoot =
  process.env['DICOM_CORPUS'] ?? path.resolve(__dirname, '../../../../shared/corpus');

/** Whether the corpus is there; says so once per test file when it is not. */
export function hasCorpus(): boolean {
  const present = existsSync(corpusRoot);
  if (!present) console.warn(`No corpus at ${corpusRoot}: tests over real files are skipped.`);
  return present;
}

/** Reads a file of the corpus. */
export function corpusFile(name: string): Uint8Array {
  return readFileSync(path.join(corpusRoot, name));
}
