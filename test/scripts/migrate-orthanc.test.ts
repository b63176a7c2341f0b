/** `npm run migrate` out of Orthanc, which has no change feed; skipped where Orthanc is not installed. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startOrthanc } from '../../bench/speed/orthanc.js';
import { runMigrate } from '../../scripts/migrate/run-migrate.js';
import { sampleInstance, syntaxes } from '../support/part10-builder.js';
import { startService } from '../support/service.js';

const isInstalled =
  existsSync('/usr/share/orthanc/plugins/libOrthancDicomWeb.so') &&
  spawnSync('Orthanc', ['--version']).status === 0;
const title = 'npm run migrate from Orthanc';
const suite = isInstalled ? describe : describe.skip;
if (!isInstalled)
  console.warn(`${title}: Debian's orthanc and orthanc-dicomweb are not installed.`);

suite(title, () => {
  it('copies everything, byte for byte, and what is new in the next run', async () => {
    const orthanc = await startOrthanc();
    const service = await startService({ host: 'local' });
    const folder = await mkdtemp(join(tmpdir(), 'migrate-'));
    const of = (number: number, transferSyntaxUID: string = syntaxes.explicit) => {
      const study = `2.25.${1 + (number % 2)}`;
      const uids = { study, series: `${study}.1`, instance: `${study}.1.${number}` };
      return { ...uids, file: sampleInstance({ ...uids, transferSyntaxUID }) };
    };
    try {
      if (orthanc === undefined) throw new Error('Orthanc did not start.');
      const put = async (file: Uint8Array) => {
        const answer = await fetch(`${orthanc.restUrl}/instances`, { method: 'POST', body: file });
        await answer.arrayBuffer();
        expect(answer.status).toBe(200);
      };
      const run = async () => {
        let out = '';
        const code = await runMigrate(
          [
            ...['--from', orthanc.baseUrl, '--to', service.baseUrl],
            ...['--journal', join(folder, 'journal')],
          ],
          {},
          { stdout: { write: (text) => (out += text) }, stderr: { write: () => undefined } },
          new AbortController().signal,
        );
        return { code, out };
      };
      const files = [
        ...Array.from({ length: 8 }, (_, at) => of(at)),
        of(20, syntaxes.implicit),
        of(21, syntaxes.bigEndian),
      ];
      for (const { file } of files) await put(file);
      const first = await run();
      expect(first.out).toMatch(/by search:\n {2}stored +10\n/);
      expect(first.code).toBe(0);
      for (const { study, series, instance, file } of files) {
        const url = `${service.baseUrl}/v2/studies/${study}/series/${series}/instances/${instance}`;
        const answer = await fetch(url, {
          headers: { Accept: 'application/dicom; transfer-syntax=*' },
        });
        // Both leave the preamble out or empty it; the rest is as it was sent to Orthanc.
        const bytes = Buffer.from(await answer.arrayBuffer());
        expect(bytes.subarray(128).equals(file.subarray(128))).toBe(true);
      }
      await put(of(30).file);
      expect((await run()).out).toMatch(/by search:\n {2}stored +1\n/);
    } finally {
      await orthanc?.stop();
      await service.stop();
      await rm(folder, { recursive: true });
    }
  });
});
