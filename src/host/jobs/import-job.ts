/** The import job: what a message of the import queue sets off (docs/import.md). */
import { importFile, type ImportOptions } from '../../dicomweb/import/import-file.js';
import { readImportMessage } from '../../dicomweb/import/import-message.js';
import type { Services } from '../../dicomweb/services.js';
import { describeError, type Log } from '../pipeline/log.js';

/** The storage queue; poison messages gather in `{name}-poison`, as the Functions host has it. */
export const importQueueName = 'import';

/**
 * Imports the file that a message names and says what became of it, without its name, which may be
 * a patient's.
 *
 * @throws whatever hinders the import: the message is delivered again, and in the end set aside.
 */
export async function runImport(
  services: () => Promise<Services>,
  log: Log,
  message: unknown,
  options: ImportOptions,
): Promise<void> {
  try {
    const request = readImportMessage(message);
    if (request.kind === 'other') {
      log({ event: 'notice', message: `Import passed over ${request.why}.` });
      return;
    }
    const report = await importFile(await services(), request.name, options);
    if (report === undefined) {
      log({ event: 'notice', message: 'Import: the file is not there, or was imported before.' });
      return;
    }
    const { outcome, reason, bytes } = report;
    const why = reason === undefined ? '' : ` (${reason})`;
    log({ event: 'notice', message: `Import: a file of ${bytes} bytes is ${outcome}${why}.` });
  } catch (error) {
    log({ event: 'fault', requestId: '-', route: 'import', error: describeError(error) });
    throw error;
  }
}
