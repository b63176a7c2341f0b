/** `npm run migrate` from this very service into another of its kind, by its change feed and by searching it. */
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { runMigrate } from '../../scripts/migrate/run-migrate.js';
import { allGrants } from '../../src/auth/roles.js';
import { ServiceError } from '../../src/errors.js';
import { readConfig } from '../../src/host/config.js';
import type { Authenticator } from '../../src/host/pipeline/authenticator.js';
import { sampleInstance, syntaxes } from '../support/part10-builder.js';
import { perTest, readTable } from '../support/per-test.js';

const instance = (number: number, study = '2.25.1') =>
  sampleInstance({ study, series: `${study}.1`, instance: `${study}.1.${number}` });

/** Under the same UIDs, with another byte in its pixel data. */
const otherInstance = (number: number) => {
  const bytes = instance(number);
  return Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]);
};

const asStored = { Accept: 'application/dicom; transfer-syntax=*' };

async function send(base: string, method: 'POST' | 'PUT', file: Uint8Array): Promise<void> {
  const headers = { 'Content-Type': 'application/dicom', Accept: 'application/dicom+json' };
  const answer = await fetch(`${base}/studies`, { method, headers, body: file });
  await answer.arrayBuffer();
  expect([200, 202]).toContain(answer.status);
}

/** The file of an instance; `undefined` when it is not there. */
async function stored(base: string, number: number, study = '2.25.1', headers = asStored) {
  const url = `${base}/studies/${study}/series/${study}.1/instances/${study}.1.${number}`;
  const answer = await fetch(url, { headers });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return answer.status === 200 ? bytes : undefined;
}

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const table = ({ out }: Run) => readTable(out);

const { pathOf, start } = perTest();

const partitioned = { config: { ...readConfig({}), partitions: true } };

async function run(
  args: readonly string[],
  {
    environment = {},
    onProgress = () => undefined,
    stop = new AbortController(),
  }: {
    readonly environment?: NodeJS.ProcessEnv;
    readonly onProgress?: (line: string) => void;
    readonly stop?: AbortController;
  } = {},
): Promise<Run> {
  let [out, err] = ['', ''];
  const code = await runMigrate(
    [...args, '--journal', pathOf('journal')],
    environment,
    {
      stdout: { write: (text) => (out += text) },
      stderr: {
        write: (text) => {
          err += text;
          onProgress(text);
        },
      },
    },
    stop.signal,
    { pauses: [1, 1], settling: 60_000 },
  );
  return { code, out, err };
}

describe.each(['feed', 'search'])('npm run migrate --by %s', (by) => {
  const versions = by === 'feed' ? ['', '/v1', '/v2'] : ['', '/v1'];

  it.each(versions)('copies everything of …%s, byte for byte, and once', async (version) => {
    const [from, to] = [await start(), await start()];
    // More than a group of them, in one version.
    const count = version === '' ? 30 : 6;
    const numbers = Array.from({ length: count }, (_, at) => at + 1);
    for (const number of numbers) {
      await send(from.baseUrl, 'POST', instance(number, `2.25.${1 + (number % 3)}`));
    }
    const args = ['--from', from.baseUrl + version, '--to', to.baseUrl, '--by', by];
    const first = await run(args);
    expect(first.err).not.toMatch(/answer/);
    expect(table(first)).toEqual({ stored: count });
    expect(first.code).toBe(0);
    for (const number of numbers) {
      const study = `2.25.${1 + (number % 3)}`;
      expect(await stored(`${to.baseUrl}/v2`, number, study)).toEqual(instance(number, study));
    }
    const stores = () =>
      to.log.filter((entry) => entry.event === 'request' && entry.method === 'POST').length;
    const before = stores();
    await send(from.baseUrl, 'POST', instance(100));
    const second = await run(args);
    expect(table(second)).toEqual({ stored: 1 });
    expect(stores()).toBe(before + 1);
    expect(table(await run([...args, '--again']))).toEqual({ 'already there': count + 1 });
  });

  it('goes on where it was stopped', async () => {
    const [from, to] = [await start(), await start()];
    for (let number = 1; number <= 40; number += 1) {
      await send(from.baseUrl, 'POST', instance(number));
    }
    const args = ['--from', from.baseUrl, '--to', to.baseUrl, '--by', by, '--parallel', '1'];
    const stop = new AbortController();
    const first = await run(args, { stop, onProgress: () => stop.abort() });
    expect(table(first)).toEqual({ stored: 25 });
    // As if it had died while it wrote the last line.
    const journal = pathOf('journal');
    const lines = (await readFile(journal, 'utf8')).trimEnd();
    await writeFile(journal, lines.slice(0, -9));
    expect(table(await run(args))).toEqual({ stored: 15, 'already there': 1 });
    const found = (await (await fetch(`${to.baseUrl}/instances?limit=200`)).json()) as unknown[];
    expect(found).toHaveLength(40);
  });

  it('names what is there with another content, and tries it again', async () => {
    const [from, to] = [await start(), await start()];
    await send(from.baseUrl, 'POST', instance(1));
    await send(from.baseUrl, 'POST', instance(2));
    await send(to.baseUrl, 'POST', otherInstance(2));
    const args = ['--from', from.baseUrl, '--to', to.baseUrl, '--by', by];
    const report = pathOf('report.csv');
    const first = await run([...args, '--report', report]);
    expect(first.code).toBe(1);
    expect(table(first)).toEqual({ stored: 1, 'in conflict with another': 1 });
    expect(first.out).toContain('2.25.1/2.25.1.1/2.25.1.1.2: an instance with its UIDs');
    expect(await readFile(report, 'utf8')).toContain('2.25.1/2.25.1.1/2.25.1.1.2,conflict,');
    expect(await stored(`${to.baseUrl}/v2`, 2)).toEqual(otherInstance(2));
    const second = await run([...args, '--replace']);
    expect(table(second)).toEqual({ replaced: 1 });
    expect(second.code).toBe(0);
    expect(await stored(`${to.baseUrl}/v2`, 2)).toEqual(instance(2));
  });

  it('knows an instance that was copied in another transfer syntax by its attributes and pixels', async () => {
    const [from, to] = [await start(), await start()];
    await send(from.baseUrl, 'POST', instance(1));
    const rle = { Accept: `application/dicom; transfer-syntax=${syntaxes.rle}` };
    const transcoded = await stored(`${from.baseUrl}/v2`, 1, '2.25.1', rle);
    if (transcoded === undefined) throw new Error('no RLE');
    await send(to.baseUrl, 'POST', transcoded);
    const done = await run(['--from', from.baseUrl, '--to', to.baseUrl, '--by', by]);
    expect(table(done)).toEqual({ 'there, coded otherwise': 1 });
    expect(done.code).toBe(0);
  });

  it('puts every partition into one of the same name', async () => {
    const [from, to] = [await start(partitioned), await start(partitioned)];
    const bases = ['', '/partitions/one', '/partitions/two'];
    for (const [at, base] of bases.entries()) {
      await send(from.baseUrl + base, 'POST', instance(at + 1));
    }
    const args = ['--from', `${from.baseUrl}/v2`, '--by', by];
    expect(table(await run([...args, '--to', to.baseUrl]))).toEqual({ stored: 3 });
    for (const [at, base] of ['Microsoft.Default', 'one', 'two'].entries()) {
      const there = await stored(`${to.baseUrl}/v2/partitions/${base}`, at + 1);
      expect(there).toEqual(instance(at + 1));
    }
    await rm(pathOf('journal'));
    const without = await start();
    const refused = await run([...args, '--to', without.baseUrl]);
    expect(refused.code).toBe(1);
    expect(refused.err).toContain('data partitions are not enabled');
    await rm(pathOf('journal'));
    const single = ['--from', `${from.baseUrl}/v2/partitions/two`, '--by', by];
    expect(table(await run([...single, '--to', without.baseUrl]))).toEqual({});
  });
});

describe('npm run migrate', () => {
  it('follows updates and deletions of a change feed until it is stopped', async () => {
    const [from, to] = [await start(), await start()];
    for (const number of [1, 2, 3]) await send(from.baseUrl, 'POST', instance(number));
    const kept = instance(9, '2.25.9');
    await send(to.baseUrl, 'POST', kept);
    const stop = new AbortController();
    let changing: Promise<void> | undefined;
    const change = async () => {
      await send(from.baseUrl, 'PUT', otherInstance(1));
      const { pathname } = new URL(`${from.baseUrl}/studies/2.25.1/series/2.25.1.1`);
      const gone = `${from.baseUrl}${pathname}/instances/2.25.1.1.2`;
      await fetch(gone, { method: 'DELETE' });
      await send(from.baseUrl, 'POST', instance(4));
    };
    const done = await run(
      ['--from', from.baseUrl, '--to', to.baseUrl, '--follow', '--interval', '0.01'],
      {
        stop,
        onProgress: (line) => {
          if (line.startsWith('migrate: 3 ')) changing ??= change();
          if (line.startsWith('migrate: 6 ')) stop.abort();
        },
      },
    );
    await changing;
    expect(done.code).toBe(0);
    expect(table(done)).toEqual({ stored: 4, replaced: 1, deleted: 1 });
    expect(done.out).toMatch(/changes up to \d{4}-/);
    const base = `${to.baseUrl}/v2`;
    expect(await stored(base, 1)).toEqual(otherInstance(1));
    expect(await stored(base, 2)).toBeUndefined();
    expect(await stored(base, 4)).toEqual(instance(4));
    expect(await stored(base, 9, '2.25.9')).toEqual(kept);
  });

  it('sends the tokens that it is given, and those that a command prints', async () => {
    const access =
      (token: string): Authenticator =>
      async ({ headers }) => {
        await Promise.resolve();
        if (headers.get('authorization') === `Bearer ${token}`) return { grants: allGrants };
        throw new ServiceError('unauthenticated', 'Another token, please.');
      };
    const [from, to] = [
      await start({ access: access('one') }),
      await start({ access: access('two') }),
    ];
    const headers = { 'Content-Type': 'application/dicom', Authorization: 'Bearer one' };
    const body = instance(1);
    await (await fetch(`${from.baseUrl}/studies`, { method: 'POST', headers, body })).arrayBuffer();
    const args = ['--from', from.baseUrl, '--to', to.baseUrl];
    const refused = await run(args);
    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/answered 401: set --token or --token-command/);
    const failing = await run([...args, '--token-command', 'exit 3']);
    expect(failing).toMatchObject({ code: 2, err: 'The command for a token failed.\n' });
    const without = await run([...args, '--token', 'one']);
    expect(without.err).toMatch(/wants a token \(401\)/);
    const commands = ['--token-command', 'echo one', '--to-token-command', 'echo two'];
    expect(table(await run([...args, ...commands]))).toEqual({ stored: 1 });
    const environment = { DICOMWEB_SOURCE_TOKEN: 'one', DICOMWEB_TOKEN: 'two' };
    expect(table(await run([...args, '--again'], { environment }))).toEqual({ 'already there': 1 });
  });

  it.each([
    [['--from', 'http://127.0.0.1:1'], /does not answer/, 1],
    [['--from', 'nonsense'], /is no URL of a service/, 2],
    [[], /^usage: npm run migrate/, 2],
    [['--from', 'http://127.0.0.1:1', '--by', 'mail'], /^usage/, 2],
    [['--from', 'http://127.0.0.1:1', '--parallel', '0'], /^usage/, 2],
  ] as const)('%j is answered with words', async (args, words, code) => {
    const done = await run(args);
    expect(done.err).toMatch(words);
    expect(done.code).toBe(code);
  });

  it('does not take the journal of another migration', async () => {
    const [from, to] = [await start(), await start()];
    const args = ['--to', to.baseUrl, '--from'];
    await run([...args, from.baseUrl]);
    await appendFile(pathOf('journal'), 'torn');
    const other = await run([...args, to.baseUrl]);
    expect(other.code).toBe(2);
    expect(other.err).toContain('is the journal of a migration from');
  });
});
