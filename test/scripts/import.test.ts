import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runImport } from '../../scripts/import/run-import.js';
import { startAzurite, type Azurite } from '../../src/host/local/azurite.js';
import { connectStorage, type Storage } from '../../src/storage/azure/connect.js';
import { ImportQueue } from '../../src/storage/azure/import-queue.js';
import { buildPart10, element, sampleInstance } from '../support/part10-builder.js';
import { startService, type Service } from '../support/service.js';

const instance = (number: number, study = '2.25.1') =>
  sampleInstance({ study, series: `${study}.1`, instance: `${study}.1.${number}` });

/** Under the same UIDs, with another byte in its pixel data. */
const otherInstance = (number: number) => {
  const bytes = instance(number);
  return Buffer.concat([bytes.subarray(0, -1), Buffer.of((bytes.at(-1) ?? 0) ^ 1)]);
};

/** The DICOMDIR of a medium, as far as it matters. */
const directory = buildPart10({
  meta: [element('00020002', 'UI', '1.2.840.10008.1.3.10')],
  elements: [element('00041130', 'CS', 'MEDIUM')],
});

interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  input = '',
): Promise<Run> {
  let [out, err] = ['', ''];
  const code = await runImport(
    args,
    environment,
    {
      stdin: Readable.from([input]),
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    },
    [1, 1],
  );
  return { code, out, err };
}

/** The lines of the table, without their padding. */
const table = ({ out }: Run) =>
  Object.fromEntries(
    [...out.matchAll(/^ {2}(\D+?) +(\d+)$/gm)].map(([, words, count]) => [
      words ?? '',
      Number(count),
    ]),
  );

describe('npm run import -- FOLDER', () => {
  let folder: string;
  let service: Service | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'import-'));
    await mkdir(join(folder, 'files/deeper'), { recursive: true });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
    await service?.stop();
    service = undefined;
  });

  const put = async (name: string, bytes: Uint8Array) => {
    await writeFile(join(folder, 'files', name), bytes);
  };

  async function start(): Promise<string> {
    service = await startService({ host: 'local' });
    return service.baseUrl;
  }

  async function importFolder(url: string, ...more: string[]): Promise<Run> {
    const journal = join(folder, 'journal');
    return await run([join(folder, 'files'), '--url', url, '--journal', journal, ...more]);
  }

  const storeRequests = () =>
    service?.log.filter((entry) => entry.event === 'request' && entry.method === 'POST').length;

  it('stores every DICOM file, in few requests, and says so', async () => {
    const url = await start();
    for (let number = 1; number <= 30; number += 1) {
      await put(`deeper/${number}`, instance(number));
    }
    await put('readme.txt', Buffer.from('Not DICOM.'));
    await put('empty', Buffer.alloc(0));
    await put('DICOMDIR', directory);
    const first = await importFolder(url);
    expect(first.code).toBe(0);
    expect(table(first)).toEqual({ stored: 30, 'not DICOM': 2, 'DICOMDIR, not sent': 1 });
    expect(storeRequests()).toBe(2);
    const studies = (await (await fetch(`${url}/studies/2.25.1/instances`)).json()) as unknown[];
    expect(studies).toHaveLength(30);
  });

  it('passes over what an earlier run stored, unless it has changed or the service is another', async () => {
    const url = await start();
    await put('a', instance(1));
    await put('b', instance(2));
    await importFolder(url);
    const again = await importFolder(url);
    expect(again.code).toBe(0);
    expect(table(again)).toEqual({ 'done by an earlier run': 2 });

    await utimes(join(folder, 'files/a'), new Date(0), new Date(0));
    expect(table(await importFolder(url))).toEqual({
      'already there': 1,
      'done by an earlier run': 1,
    });
    expect(table(await importFolder(`${url}/v2`))).toEqual({ 'already there': 2 });
  });

  it('goes on after a run that died while it wrote its journal', async () => {
    const url = await start();
    await put('a', instance(1));
    await put('b', instance(2));
    await importFolder(url, '--parallel', '1');
    const journal = join(folder, 'journal');
    const lines = (await readFile(journal, 'utf8')).trimEnd();
    await writeFile(journal, lines.slice(0, -5));
    expect(table(await importFolder(url))).toEqual({
      'already there': 1,
      'done by an earlier run': 1,
    });
    expect(table(await importFolder(url))).toEqual({ 'done by an earlier run': 2 });
  });

  it('names what is refused, with the reason, and tries it again', async () => {
    const url = await start();
    await put('good', instance(1));
    await put('torn', instance(2).subarray(0, -10));
    await put('unnamed', sampleInstance({ study: '2.25.1', series: '2.25.1.1', instance: '' }));
    await put('same', instance(1));
    const first = await importFolder(url);
    expect(first.code).toBe(1);
    expect(table(first)).toEqual({ stored: 1, 'already there': 1, refused: 2 });
    expect(first.out).toMatch(/files\/torn: reason 49152 /);
    expect(first.out).toMatch(/files\/unnamed: reason 43264 .*DICOM100/);
    expect(table(await importFolder(url))).toEqual({ 'done by an earlier run': 2, refused: 2 });
  });

  it('does not count another file with known UIDs as done, and names it', async () => {
    const url = await start();
    await put('a', instance(1));
    await put('deeper/b', otherInstance(1));
    // The same but for its preamble, which the service does not keep.
    await put('c', Buffer.concat([Buffer.alloc(128, 7), instance(1).subarray(128)]));
    const report = join(folder, 'report.csv');
    const first = await importFolder(url, '--parallel', '1', '--report', report);
    expect(first.code).toBe(1);
    expect(table(first)).toEqual({ stored: 1, 'already there': 1, 'in conflict with another': 1 });
    expect(first.out).toMatch(/files\/deeper\/b: .*another content is there; --replace/);
    const lines = (await readFile(report, 'utf8')).trimEnd().split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe('file,outcome,reason,why');
    expect(lines[1]).toMatch(/files\/deeper\/b,conflict,,/);
    // It is looked at anew: the journal has what is in the service.
    expect(table(await importFolder(url))).toEqual({
      'done by an earlier run': 2,
      'in conflict with another': 1,
    });
  });

  it('puts the file in place of the other with --replace', async () => {
    const url = await start();
    await put('a', instance(1));
    await importFolder(url);
    await put('a', otherInstance(1));
    expect(table(await importFolder(url))).toEqual({ 'in conflict with another': 1 });
    const replaced = await importFolder(url, '--replace');
    expect(replaced.code).toBe(0);
    expect(table(replaced)).toEqual({ replaced: 1 });
    const answer = await fetch(`${url}/studies/2.25.1/series/2.25.1.1/instances/2.25.1.1.1`, {
      headers: { Accept: 'application/dicom; transfer-syntax=*' },
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(otherInstance(1))).toBe(true);
    expect(table(await importFolder(url))).toEqual({ 'done by an earlier run': 1 });
  });

  it('takes several folders and files', async () => {
    const url = await start();
    await put('a', instance(1));
    await put('deeper/b', instance(2));
    await put('deeper/c', instance(3));
    const journal = join(folder, 'journal');
    const paths = ['files/a', 'files/deeper'].map((path) => join(folder, path));
    const done = await run([...paths, '--url', url, '--journal', journal]);
    expect(table(done)).toEqual({ stored: 3 });
  });

  it('sends again what failed for a passing reason, and no other file', async () => {
    await put('a', instance(1));
    await put('b', instance(2));
    const failed = (number: number) => ({
      '00081198': {
        vr: 'SQ',
        Value: [
          {
            '00081155': { vr: 'UI', Value: [`2.25.1.1.${number}`] },
            '00081197': { vr: 'US', Value: [272] },
          },
        ],
      },
    });
    const stub = await scripted([
      [202, JSON.stringify({ ...(JSON.parse(allStored(1)) as object), ...failed(2) })],
      [409, JSON.stringify(failed(2))],
      [200, allStored(2)],
    ]);
    expect(table(await importFolder(stub.url))).toEqual({ stored: 2 });
    await stub.close();
    expect(stub.left).toEqual([]);
  });

  it('gives up on what goes on failing, reports it and tries it again in the next run', async () => {
    await put('a', instance(1));
    const stub = await scripted([]);
    const report = join(folder, 'report.jsonl');
    const done = await importFolder(stub.url, '--report', report);
    await stub.close();
    expect(done.code).toBe(1);
    expect(table(done)).toEqual({ failed: 1 });
    const [line, ...more] = (await readFile(report, 'utf8')).trimEnd().split('\n');
    expect(more).toEqual([]);
    expect(JSON.parse(line ?? '')).toEqual({
      file: join(folder, 'files/a'),
      outcome: 'failed',
      why: 'the service answered 500.',
    });
  });

  it('cannot tell a conflict without the permission to read, and says so', async () => {
    await put('a', instance(1));
    const answer = JSON.stringify({
      '00081198': {
        vr: 'SQ',
        Value: [
          {
            '00081155': { vr: 'UI', Value: ['2.25.1.1.1'] },
            '00081197': { vr: 'US', Value: [45070] },
          },
        ],
      },
    });
    const stub = await scripted([
      [409, answer],
      [403, ''],
    ]);
    const done = await importFolder(stub.url);
    await stub.close();
    expect(done.code).toBe(1);
    expect(done.out).toMatch(/not known: the service answered 403: .*permission to read/);
  });

  it('reads names from standard input', async () => {
    const url = await start();
    await put('a', instance(1));
    await put('b', instance(2));
    const journal = join(folder, 'journal');
    const done = await run(
      ['-', '--journal', journal],
      { DICOMWEB_URL: url },
      `${join(folder, 'files/a')}\n`,
    );
    expect(table(done)).toEqual({ stored: 1 });
  });

  /** A service that gives these answers to store requests, one after the other. */
  async function scripted(answers: readonly (readonly [number, string])[]) {
    const left = [...answers];
    const tokens: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      tokens.push(request.headers.authorization);
      request.resume().once('end', () => {
        const [status, body] = left.shift() ?? [500, ''];
        response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const close = () => new Promise((resolve) => server.close(resolve));
    return { url: `http://127.0.0.1:${port}`, tokens, left, close };
  }

  const allStored = (...numbers: number[]) =>
    JSON.stringify({
      '00081199': {
        vr: 'SQ',
        Value: numbers.map((number) => ({
          '00081155': { vr: 'UI', Value: [`2.25.1.1.${number}`] },
        })),
      },
    });

  it('waits while the service is busy', async () => {
    await put('a', instance(1));
    const stub = await scripted([
      [503, ''],
      [429, ''],
      [200, allStored(1)],
    ]);
    const done = await importFolder(stub.url);
    await stub.close();
    expect(done.code).toBe(0);
    expect(table(done)).toEqual({ stored: 1 });
  });

  it('sends files one by one when they are too much together, and hints at the container', async () => {
    await put('a', instance(1));
    await put('b', instance(2));
    const stub = await scripted([
      [413, ''],
      [200, allStored(1)],
      [413, ''],
    ]);
    const done = await importFolder(stub.url);
    await stub.close();
    expect(done.code).toBe(1);
    expect(table(done)).toEqual({ stored: 1, refused: 1 });
    expect(done.out).toMatch(/files\/b: the service answered 413\. Upload it to the container/);
  });

  it('asks by itself about a file that the answer does not mention', async () => {
    await put('a', instance(1));
    await put('b', instance(2));
    const stub = await scripted([
      [200, allStored(1)],
      [200, allStored(2)],
    ]);
    expect(table(await importFolder(stub.url))).toEqual({ stored: 2 });
    await stub.close();
    expect(stub.left).toEqual([]);
  });

  it('stops when nobody is let in, and says what to do', async () => {
    await put('a', instance(1));
    const stub = await scripted([[401, '']]);
    const done = await importFolder(stub.url);
    await stub.close();
    expect(done.code).toBe(1);
    expect(done.err).toContain('set DICOMWEB_TOKEN');
  });

  it('stops when the service stays away', async () => {
    await put('a', instance(1));
    const stub = await scripted([]);
    await stub.close();
    const done = await importFolder(stub.url);
    expect(done.code).toBe(1);
    expect(done.err).toContain('does not answer');
  });

  it('sends the token', async () => {
    await put('a', instance(1));
    const stub = await scripted([[200, allStored(1)]]);
    const journal = join(folder, 'journal');
    await run([join(folder, 'files'), '--journal', journal, '--url', stub.url], {
      DICOMWEB_TOKEN: 'secret',
    });
    await stub.close();
    expect(stub.tokens).toEqual(['Bearer secret']);
  });

  it.each([
    ['nothing', []],
    ['a container beside a folder', ['a', 'https://account.blob.core.windows.net/import']],
    ['standard input beside a folder', ['a', '-']],
    ['an unknown option', ['a', '--quick']],
    ['a parallelism of none', ['a', '--parallel', '0']],
    ['a source beside --poison', ['a', '--poison']],
    ['a path that is not there', ['/never/there']],
    ['a container without an account', ['import']],
    ['poison messages without an account', ['--poison']],
  ])('exits with 2 for %s', async (_, args) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).not.toBe('');
  });
});

describe('npm run import -- import', () => {
  let azurite: Azurite;
  let storage: Storage;
  let environment: NodeJS.ProcessEnv;

  // eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
  async function* once(bytes: Uint8Array) {
    yield bytes;
  }
  const upload = async (name: string, bytes: Uint8Array) => {
    await storage.blobs.put('import', name, once(bytes));
  };
  const names = async (container: 'import' | 'import-refused' | 'import-reports') =>
    (await storage.blobs.list(container)).blobs.map(({ name }) => name);

  beforeAll(async () => {
    azurite = await startAzurite();
    storage = connectStorage(azurite);
    await storage.ensureCreated();
    environment = { DicomStorage: azurite.connectionString };
  });

  afterAll(async () => {
    await azurite.stop();
  });

  it('imports all that is there, with reports, and leaves nothing', async () => {
    await upload('one/1', instance(1));
    await upload('one/1 again', instance(1));
    await upload('two/x', Buffer.from('no'));
    await upload('two/2', instance(2));

    const first = await run(['import', '--prefix', 'one/', '--parallel', '1'], environment);
    expect(first.code).toBe(0);
    expect(table(first)).toEqual({ stored: 1, 'already there': 1 });
    expect(await names('import')).toEqual(['two/2', 'two/x']);

    const rest = await run([`${azurite.blobUrl}/import/`], environment);
    expect(rest.code).toBe(1);
    expect(table(rest)).toEqual({ stored: 1, refused: 1 });
    expect(rest.out).toContain('two/x: cannot-understand: ');
    expect(await names('import')).toEqual([]);
    expect(await names('import-refused')).toEqual(['two/x']);
    expect(await names('import-reports')).toHaveLength(4);
    expect((await run(['import'], environment)).out).toContain('no files');
  });

  it('takes no other container', async () => {
    const { code, err } = await run([`${azurite.blobUrl}/elsewhere`], environment);
    expect(code).toBe(2);
    expect(err).toContain(`${azurite.blobUrl}/import`);
  });

  it('announces files to the function instead', async () => {
    await upload('ä/1', instance(3));
    const done = await run(['import', '--enqueue'], environment);
    expect(done.code).toBe(0);
    expect(table(done)).toEqual({ announced: 1 });
    expect(await names('import')).toEqual(['ä/1']);
    const queue = QueueServiceClient.fromConnectionString(azurite.connectionString).getQueueClient(
      'import',
    );
    const { receivedMessageItems } = await queue.receiveMessages();
    const [message] = receivedMessageItems;
    expect(Buffer.from(message?.messageText ?? '', 'base64').toString()).toBe('ä/1');
    await queue.clearMessages();
  });

  it('lists poison messages and puts them back', async () => {
    expect(await run(['--poison'], environment)).toMatchObject({
      code: 0,
      out: '0 poison messages\n',
    });
    expect((await run(['--retry-poison'], environment)).out).toContain('0 messages');

    const service = QueueServiceClient.fromConnectionString(azurite.connectionString);
    const poison = service.getQueueClient('import-poison');
    await poison.create();
    // As the Functions host does; and one that somebody put there as it is.
    for (let number = 1; number <= 40; number += 1) {
      await poison.sendMessage(Buffer.from(`file ${number}`).toString('base64'));
    }
    await poison.sendMessage('not base64!');

    const listed = await run(['--poison'], environment);
    expect(listed.code).toBe(1);
    expect(listed.out).toMatch(/^41 poison messages\n {2}\d{4}-\S+Z {2}file 1\n/);
    expect(listed.out).toContain('  and 9 more\n');
    // Looking does not take.
    expect((await run(['--poison'], environment)).out).toBe(listed.out);

    expect(await run(['--retry-poison'], environment)).toMatchObject({
      code: 0,
      out: '41 messages were put back into the queue.\n',
    });
    expect((await run(['--poison'], environment)).out).toBe('0 poison messages\n');
    const { approximateMessagesCount } = await service.getQueueClient('import').getProperties();
    expect(approximateMessagesCount).toBe(41);
  });

  it('is told when the queue is out of reach', async () => {
    const queue = new ImportQueue({
      connectionString: azurite.connectionString.replace(/AccountKey=[^;]+/, 'AccountKey=AAAA'),
    });
    await expect(queue.send('a')).rejects.toThrow(/The import queue answered 403/);
  });
});
