/** `npm start` as its user meets it: a process with output, signals and exit codes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { testConnectionString } from '../../support/storage/azurite.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { begin } from '../../support/http-client.js';

const root = path.join(__dirname, '../../..');
const runner = path.join(root, 'test/support/run-typescript.mjs');

interface Upload {
  readonly uploadUrl: string;
  readonly statusUrl: string;
  readonly uploadHeaders: Record<string, string>;
}

interface Run {
  readonly child: ChildProcess;
  /** All output so far. */
  readonly output: () => string;
  /** Resolves when the output has what is looked for, or has ended. */
  readonly says: (text: string) => Promise<void>;
  /** Exit code. */
  readonly ended: Promise<unknown>;
}

const runs: Run[] = [];

afterEach(() => {
  for (const { child } of runs.splice(0)) child.kill('SIGKILL');
});

/** Starts the process in an environment without settings but those given. */
function start(settings: Record<string, string>): Run {
  const child = spawn(process.execPath, [runner, 'src/host/local/main.ts'], {
    cwd: root,
    env: { PATH: process.env['PATH'], ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  let heard: () => void = () => undefined;
  const hear = (chunk: Buffer) => {
    text += chunk.toString();
    heard();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  const closed = once(child, 'close');
  const run: Run = {
    child,
    output: () => text,
    ended: closed.then(([code]: unknown[]) => code),
    says: async (wanted) => {
      while (!text.includes(wanted)) {
        const more = new Promise<true>((resolve) => {
          heard = () => resolve(true);
        });
        const going = await Promise.race([more, closed.then(() => false)]);
        if (!going && !text.includes(wanted)) throw new Error(`It ended without it: ${text}`);
      }
    },
  };
  runs.push(run);
  return run;
}

function urlIn(output: string): string {
  const url = /Listening on (http:\S+)/.exec(output)?.[1];
  if (url === undefined) throw new Error(`No URL in: ${output}`);
  return url;
}

describe('npm start', () => {
  it('starts an Azurite that keeps data, serves, and ends with 0 on SIGTERM', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-'));
    const run = start({ PORT: '0', DICOMWEB_DATA_DIR: folder });
    await run.says('Listening on ');
    expect(run.output()).toContain(folder);
    expect(run.output()).toContain('npm run sample');
    const response = await fetch(`${urlIn(run.output())}/health/check`);
    expect(await response.json()).toMatchObject({ overallStatus: 'Healthy' });

    const granted = await fetch(`${urlIn(run.output())}/uploads`, { method: 'POST' });
    const { uploadUrl, statusUrl, uploadHeaders } = (await granted.json()) as Upload;
    const preflight = await fetch(uploadUrl, {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://viewer.example.org',
        'Access-Control-Request-Method': 'PUT',
        'Access-Control-Request-Headers': 'x-ms-blob-type,content-type',
      },
    });
    expect(preflight.status).toBe(200);
    expect(preflight.headers.get('access-control-allow-methods')).toContain('PUT');
    const file = new Uint8Array(sampleInstance({ study: '2.25.1' }));
    await fetch(uploadUrl, { method: 'PUT', headers: uploadHeaders, body: file });
    await run.says('Import: a file of');
    expect(await (await fetch(statusUrl)).json()).toMatchObject({ status: 'stored' });

    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
    expect(await readdir(folder)).not.toEqual([]);
    await rm(folder, { recursive: true });
  }, 60_000);

  it('uses a named account instead, and never prints its key', async () => {
    const run = start({ PORT: '0', DicomStorage: testConnectionString() });
    await run.says('Listening on ');
    expect(run.output()).toContain('storage account devstoreaccount1');
    expect(run.output()).not.toContain('AccountKey');
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(0);
  });

  it('waits for an upload under way, and ends at once when asked twice', async () => {
    const run = start({ PORT: '0', DicomStorage: testConnectionString() });
    await run.says('Listening on ');
    const upload = begin(`${urlIn(run.output())}/studies`, {
      method: 'POST',
      headers: {
        Expect: '100-continue',
        'Content-Type': 'application/dicom',
        'Content-Length': 1000,
      },
    });
    const reset = once(upload, 'error');
    upload.flushHeaders();
    await once(upload, 'continue');
    run.child.kill('SIGINT');
    await run.says('Stopping');
    expect(upload.destroyed).toBe(false);
    run.child.kill('SIGINT');
    expect(await run.ended).toBe(130);
    await reset;
  });

  it('says so and ends with 1 when the port is taken', async () => {
    const other = createServer();
    other.listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const run = start({ PORT: String(port), DicomStorage: testConnectionString() });
    expect(await run.ended).toBe(1);
    expect(run.output()).toContain(`Port ${port} is in use`);
    other.close();
  });

  it('leaves the data of another server alone, also where the hint for a used port leads', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-'));
    const first = start({ PORT: '0', DICOMWEB_DATA_DIR: folder });
    await first.says('Listening on ');
    const { port } = new URL(urlIn(first.output()));
    const same = start({ PORT: port, DICOMWEB_DATA_DIR: folder });
    expect(await same.ended).toBe(1);
    expect(same.output()).toMatch(/Port \d+ is in use .*PORT=7072 DICOMWEB_DATA_DIR=/);
    const second = start({ PORT: '0', DICOMWEB_DATA_DIR: folder });
    expect(await second.ended).toBe(1);
    expect(second.output()).toContain(`process ${first.child.pid}`);
    expect(second.output()).toContain('DICOMWEB_DATA_DIR=');

    const file = new Uint8Array(sampleInstance({ study: '2.25.2' }));
    const headers = { 'Content-Type': 'application/dicom' };
    const url = urlIn(first.output());
    const stored = await fetch(`${url}/studies`, { method: 'POST', headers, body: file });
    expect(stored.status).toBe(200);
    first.child.kill('SIGKILL');
    await first.ended;
    // The emulator of the killed one writes its data down, and then it is ours.
    const third = start({ PORT: '0', DICOMWEB_DATA_DIR: folder });
    await third.says('Listening on ');
    const found = await fetch(`${urlIn(third.output())}/studies?StudyInstanceUID=2.25.2`);
    expect(await found.json()).toHaveLength(1);
    third.child.kill('SIGTERM');
    expect(await third.ended).toBe(0);
    await rm(folder, { recursive: true });
  }, 60_000);

  it.each([
    ['DicomStorage', 'foo', /^The setting DicomStorage must be a connection string such as Use/],
    ['DICOMWEB_DATA_DIR', runner, /^The setting DICOMWEB_DATA_DIR names .* is a file .* Name a/],
  ])('says what is wrong with %s=%s', async (setting, value, sentence) => {
    const run = start({ PORT: '0', [setting]: value });
    expect(await run.ended).toBe(1);
    expect(run.output().trim()).toMatch(sentence);
  });

  it('says that DICOMWEB_URL is for the scripts, and writes JSON lines into a pipe', async () => {
    const run = start({
      PORT: '0',
      DicomStorage: testConnectionString(),
      DICOMWEB_URL: 'http://localhost:1',
    });
    await run.says('Listening on ');
    expect(run.output()).toMatch(/DICOMWEB_URL is for the scripts.*PORT/);
    await fetch(`${urlIn(run.output())}/health/check`);
    await run.says('"event":"request"');
    run.child.kill('SIGTERM');
    expect(await run.ended).toBe(0);
  });

  it('names a wrong setting and ends with 1', async () => {
    const run = start({ PORT: 'seven' });
    expect(await run.ended).toBe(1);
    expect(run.output().trim()).toBe('The setting PORT must be a whole number from 0 to 65535.');
  });
});
