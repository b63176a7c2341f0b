/** Tells whether a file is the one that the service has under its UIDs, byte by byte. */
import { createReadStream } from 'node:fs';
import { sameBytes } from '../../src/dicomweb/import/same-bytes.js';
import { withoutPreamble } from '../../src/dicomweb/store/receive-instance.js';
import { ServiceUnreachable } from '../support/dicomweb-client.js';
import type { LocalFile } from './local-files.js';
import type { Target } from './store-batch.js';

/** `unknown` says why it could not be told. */
export type Comparison = 'same' | 'different' | { readonly unknown: string };

/**
 * Compares a file with the instance of its UIDs; preambles aside, which the service does not keep.
 *
 * @throws ServiceUnreachable when the service does not answer.
 */
export async function compareStored(
  { url, token }: Target,
  { path, study, series, instance }: LocalFile,
): Promise<Comparison> {
  if (study === undefined || series === undefined || instance === undefined) {
    return { unknown: 'its UIDs could not be read' };
  }
  const address = `${url}/studies/${study}/series/${series}/instances/${instance}`;
  try {
    const response = await fetch(address, {
      headers: {
        Accept: 'application/dicom; transfer-syntax=*',
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      },
    });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      const hint = response.status === 403 ? ': comparing takes the permission to read' : '';
      return { unknown: `the service answered ${response.status}${hint}` };
    }
    const same = await sameBytes(
      withoutPreamble(createReadStream(path) as AsyncIterable<Uint8Array>),
      withoutPreamble(response.body as AsyncIterable<Uint8Array>),
    );
    return same ? 'same' : 'different';
  } catch (error) {
    throw new ServiceUnreachable(`${new URL(url).origin} does not answer: ${String(error)}`);
  }
}
