/** `npm run export`, and what a backup is worth: everything is saved, and comes back by `npm run import`. */
import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { runExport } from '../../scripts/export/run-export.js';
import { runImport } from '../../scripts/import/run-import.js';
import { readConfig } from '../../src/host/config.js';
import { sampleInstance, syntaxes } from '../support/part10-builder.js';
import { perTest, readTable } from '../support/per-test.js';

const instance = (number: number, transferSyntaxUID: string = syntaxes.explicit) => {
  const study = `2.25.${1 + (number % 3)}`;
  const uids = { study, series: `${study}.1`, instance: `${study}.1.${number}` };
  const file = sampleInstance({ ...uids, transferSyntaxUID });
  return { path: `${study}/${study}.1/${study}.1.${number}.dcm`, file };
};

const { pathOf, start } = perTest();

async function put(base: string, file: Uint8Array, method: 'POST' | 'PUT' = 'POST') {
  const headers = { 'Content-Type': 'application/dicom' };
  const answer = await fetch(`${base}/studies`, { method, headers, body: file });
  await answer.arrayBuffer();
  expect(answer.status).toBe(200);
}

async function save(url: string, more: readonly string[] = [], stop = new AbortController()) {
  let [out, err] = ['', ''];
  const code = await runExport(
    ['--to', pathOf('backup'), '--url', url, ...more],
    {},
    {
      stdout: { write: (text) => (out += text) },
      stderr: {
        write: (text) => {
          err += text;
          if (more.includes('--parallel')) stop.abort();
        },
      },
    },
    stop.signal,
    { pauses: [1], settling: 0 },
  );
  return { code, err, table: readTable(out) };
}

async function restore(from: string, url: string) {
  let out = '';
  const code = await runImport(
    [from, '--url', url, '--journal', pathOf('import.journal')],
    {},
    {
      stdin: Readable.from([]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: () => undefined },
    },
  );
  return { code, table: readTable(out) };
}

async function filesIn(name: string): Promise<readonly string[]> {
  const root = pathOf(name);
  const found = await readdir(root, { recursive: true });
  return found.filter((file) => file.endsWith('.dcm')).sort();
}

describe.each(['feed', 'search'])('npm run export --by %s', (by) => {
  it('saves every file under its UIDs, goes on where it stopped, and is a backup', async () => {
    const service = await start();
    const all = Array.from({ length: 60 }, (_, at) =>
      instance(at, at === 7 ? syntaxes.implicit : syntaxes.explicit),
    );
    for (const { file } of all) await put(service.baseUrl, file);
    const stopped = await save(service.baseUrl, ['--by', by, '--parallel', '1']);
    expect(stopped.table).toEqual({ stored: 25 });
    expect((await save(service.baseUrl, ['--by', by])).table).toEqual({ stored: 35 });
    expect(await filesIn('backup')).toEqual(all.map(({ path }) => path).sort());
    for (const { path, file } of all) {
      const saved = await readFile(pathOf('backup', path));
      expect(saved.subarray(128).equals(file.subarray(128))).toBe(true);
    }
    const check = spawnSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], {
      cwd: pathOf('backup'),
    });
    expect([check.error === undefined ? check.status : 0]).toEqual([0]);

    const empty = await start();
    expect(await restore(pathOf('backup'), `${empty.baseUrl}/v2`)).toEqual({
      code: 0,
      table: { stored: 60, 'not DICOM': 2 },
    });
    const again = await save(empty.baseUrl.replace('localhost', '127.0.0.1'), ['--by', by]);
    expect(again.err).toMatch(/is the journal of a migration from/);
  });

  it('keeps partitions apart', async () => {
    const service = await start({ config: { ...readConfig({}), partitions: true } });
    await put(service.baseUrl, instance(1).file);
    await put(`${service.baseUrl}/partitions/one`, instance(1).file);
    expect((await save(service.baseUrl, ['--by', by])).table).toEqual({ stored: 2 });
    expect(await filesIn('backup')).toEqual([
      `partitions/Microsoft.Default/${instance(1).path}`,
      `partitions/one/${instance(1).path}`,
    ]);
  });
});

describe('npm run export', () => {
  it('saves what is new and what has changed, and keeps what was deleted unless it mirrors', async () => {
    const service = await start();
    for (const number of [1, 2]) await put(service.baseUrl, instance(number).file);
    await save(service.baseUrl);
    const { path, file } = instance(1);
    const changed = Buffer.concat([file.subarray(0, -1), Buffer.of(7)]);
    await put(service.baseUrl, changed, 'PUT');
    await put(service.baseUrl, instance(3).file);
    await fetch(`${service.baseUrl}/studies/2.25.3`, { method: 'DELETE' });
    expect((await save(service.baseUrl)).table).toEqual({
      stored: 1,
      replaced: 1,
      'deleted there, kept here': 1,
    });
    expect(await readFile(pathOf('backup', path))).toEqual(changed);
    expect(await filesIn('backup')).toHaveLength(3);
    await fetch(`${service.baseUrl}/studies/2.25.1`, { method: 'DELETE' });
    expect((await save(service.baseUrl, ['--mirror'])).table).toEqual({ deleted: 1 });
    expect(await filesIn('backup')).toHaveLength(2);
    expect((await save(service.baseUrl, ['--verify'])).code).toBe(0);
  });

  it('verifies the files, and names those that have changed or are gone', async () => {
    const service = await start();
    for (const number of [1, 2, 3]) await put(service.baseUrl, instance(number).file);
    await save(service.baseUrl);
    await writeFile(pathOf('backup', instance(1).path), 'else');
    await rm(pathOf('backup', instance(2).path));
    const verified = await save(service.baseUrl, ['--verify']);
    expect(verified.code).toBe(1);
    expect(verified.table).toMatchObject({ 'as it was saved': 1, failed: 2 });
    expect((await save(service.baseUrl, ['--again'])).code).toBe(0);
    expect((await save(service.baseUrl, ['--verify'])).code).toBe(0);
  });

  it.each([
    [['--parallel', '0'], 2, /^usage/],
    [['--by', 'mail'], 2, /^usage/],
    [['--url', 'http://127.0.0.1:1'], 1, /does not answer/],
  ] as const)('%j is answered with words', async (args, code, words) => {
    const done = await save('http://127.0.0.1:1', args);
    expect(done.code).toBe(code);
    expect(done.err).toMatch(words);
  });
});
