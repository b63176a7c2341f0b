/**
 * Uses a package as clients do, over an Azurite of its own, and prints as JSON how it answered:
 * `node test/support/run-typescript.mjs test/infra/use-package.ts FOLDER`.
 */
import path from 'node:path';
import { runSmoke } from '../../scripts/smoke/run-smoke.js';
import { startAzurite } from '../../src/host/local/azurite.js';
import { startFunctionsHost } from '../support/host/functions-host.js';
import { element, sampleInstance } from '../support/part10-builder.js';
import { loadPackage, silenceLog } from './load-package.js';

const uid = '1.2.826.0.1.3680043.8.498';

/** An instance whose header is large enough to be judged in a thread; its frames are always rendered in one. */
const largeHeader = sampleInstance({
  ...{ study: `${uid}.1`, series: `${uid}.2`, instance: `${uid}.3` },
  overrides: Array.from({ length: 10_000 }, (_, index) =>
    element(`0031${(0x1000 + index).toString(16).toUpperCase()}`, 'SH', 'value'),
  ),
});

async function main(app: string): Promise<void> {
  const azurite = await startAzurite();
  process.env['DicomStorage'] = azurite.connectionString;
  process.env['DICOM_AUTH_MODE'] = 'none';
  const print = silenceLog();
  let workers = 0;
  process.on('worker', () => (workers += 1));
  const host = await startFunctionsHost(loadPackage(app));

  let said = '';
  const output = { write: (text: string) => (said += text) };
  const noToken = async () => await Promise.reject(new Error('No token was to be asked for.'));
  const smoke = await runSmoke([host.url], {}, { stdout: output, stderr: output }, noToken);

  const answered = async (url: string, init?: RequestInit) => {
    const response = await fetch(host.url + url, init);
    await response.arrayBuffer();
    return `${response.status} ${response.headers.get('content-type') ?? ''}`;
  };
  const headers = { 'Content-Type': 'application/dicom' };
  const stored = await answered('/studies', { method: 'POST', body: largeHeader, headers });
  const rendered = await answered(`/studies/${uid}.1/series/${uid}.2/instances/${uid}.3/rendered`);
  const page = await answered('/');
  await host.stop();
  await azurite.stop();
  print(JSON.stringify({ smoke, said, stored, rendered, page, workers }));
}

void main(path.resolve(process.argv[2] ?? '')).then(() => process.exit(0));
