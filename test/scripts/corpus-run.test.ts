import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { checkFile } from '../../scripts/corpus/check-file.js';
import { digest, normalise } from '../../scripts/corpus/normal-form.js';
import { consultOracles } from '../../scripts/corpus/oracles.js';
import { runCorpus } from '../../scripts/corpus/run-corpus.js';
import { writePart10 } from '../../scripts/sample/write-part10.js';
import { DicomwebClient, unwrap } from '../../scripts/support/dicomweb-client.js';
import { startProgress } from '../../scripts/support/progress.js';
import { startStubService } from './stub-service.js';
import type { Faults, StubService } from './stub-service.js';
import { tinyMetadata } from './tiny-dicom.js';

function file(instance: string, patient = 'P'): Uint8Array {
  const bytes = writePart10([
    ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'],
    ['00080018', 'UI', instance],
    ['00100010', 'PN', 'Doe^Jane'],
    ['00100020', 'LO', patient],
    ['0020000D', 'UI', '1.2.3'],
    ['0020000E', 'UI', '1.2.3.4'],
    ['00280010', 'US', 4],
    ['7FE00010', 'OB', new Uint8Array(300)],
  ]);
  bytes.fill(0x41, 0, 128);
  return bytes;
}

let service: StubService | undefined;

async function start(faults: Faults = {}): Promise<StubService> {
  service = await startStubService(faults);
  return service;
}

afterEach(async () => {
  await service?.close();
  service = undefined;
});

describe('runCorpus', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'corpus-test-'));
    await mkdir(join(folder, 'files'));
    await mkdir(join(folder, 'tables'));
    await put('files/one.dcm', file('1.2.3.4.5'));
    await put('files/rival.dcm', file('1.2.3.4.5', 'Q'));
    await put('files/two.dcm', file('1.2.3.4.6'));
    await put('files/text.dcm', Buffer.from('not DICOM at all'));
    await put('files/README.md', Buffer.from('left alone'));
    await put('tables/expected-refusals.json', '{ "text.dcm": "no DICM prefix" }');
    await put('tables/explained-differences.json', '[]');
  });

  afterEach(async () => await rm(folder, { recursive: true }));

  async function put(name: string, content: Uint8Array | string): Promise<void> {
    await writeFile(join(folder, name), content);
  }

  async function run(url: string): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const options = ['--corpus', join(folder, 'files'), '--tables', join(folder, 'tables')];
    const code = await runCorpus(
      ['--url', url, '--no-oracles', ...options],
      {},
      { stdout: { write: (text) => (out += text) }, stderr: { write: (text) => (err += text) } },
      folder,
    );
    return { code, out, err };
  }

  it('is content with a good service, tests rivals one by one and leaves the store full', async () => {
    const { url, held, requests } = await start();
    const { code, out } = await run(url);
    expect(out).toMatch(/^files +4\nstored +3\nrefused +1\nduplicates +1\n/);
    expect(out).toContain('text.dcm: reason 43264 not DICOM');
    expect(code).toBe(0);
    expect(held.size).toBe(2);
    expect(requests.filter((request) => request.startsWith('DELETE'))).toHaveLength(3);
  });

  it('sends some files as a bare body', async () => {
    const { url, requests } = await start();
    await run(url);
    expect(requests.filter((request) => request.includes(' application/dicom '))).toHaveLength(1);
  });

  it('finds a byte that is not as stored', async () => {
    const { url } = await start({
      retrieve: (bytes) =>
        Buffer.concat([bytes.subarray(0, 400), Buffer.from('?'), bytes.subarray(401)]),
    });
    const { code, out } = await run(url);
    expect(code).toBe(1);
    expect(out).toContain('other from byte 400 on');
  });

  it('finds an instance that survives its deletion', async () => {
    const { url } = await start({ remove: () => 202 });
    const { code, out } = await run(url);
    expect(code).toBe(1);
    expect(out).toContain('one.dcm: delete: 202 instead of 204');
  });

  it('fails when a file is refused that can be stored', async () => {
    await put('tables/expected-refusals.json', '{}');
    const { code, out } = await run((await start()).url);
    expect(code).toBe(1);
    expect(out).toContain('REFUSED, BUT NOT EXPECTED TO BE (1)');
  });

  it('fails when a file is stored that has to be refused', async () => {
    await put('tables/expected-refusals.json', '{ "text.dcm": "x", "two.dcm": "no reason" }');
    const { code, out } = await run((await start()).url);
    expect(code).toBe(1);
    expect(out).toContain('two.dcm: stored although no reason');
  });

  it('fails on a server error, even for a file that has to be refused', async () => {
    await rm(join(folder, 'files'), { recursive: true });
    await mkdir(join(folder, 'files'));
    await put('files/text.dcm', Buffer.from('not DICOM at all'));
    const { url } = await start({ store: () => ({ status: 500, body: { detail: 'oh' } }) });
    const { code, out } = await run(url);
    expect(code).toBe(1);
    expect(out).toContain('text.dcm: 500 oh');
  });

  it('says so when nothing answers', async () => {
    const { url, close } = await start();
    await close();
    service = undefined;
    const { code, err } = await run(url);
    expect(code).toBe(1);
    expect(err).toContain('does not answer');
  });
});

describe('checkFile', () => {
  const bytes = file('1.2.3.4.5');
  const pixels = { vr: 'OB', Bytes: digest(Buffer.alloc(300)) };
  const oracles = [
    { name: 'oracle', dataSet: normalise({ ...tinyMetadata(bytes), '7FE00010': pixels }) },
  ];

  it('finds nothing where service and oracle agree', async () => {
    const client = new DicomwebClient((await start()).url);
    expect(await checkFile(client, bytes, 'multipart', { oracles })).toMatchObject({
      kind: 'stored',
      problems: [],
      findings: [],
    });
  });

  it('finds a deliberate difference in the metadata', async () => {
    const { url } = await start({
      metadata: (metadata) => ({ ...metadata, '00100020': { vr: 'LO', Value: ['other'] } }),
    });
    const result = await checkFile(new DicomwebClient(url), bytes, 'multipart', { oracles });
    expect(result).toMatchObject({ findings: [{ path: '00100020', kind: 'mismatch' }] });
  });

  it('follows references to bulk data and finds other bytes there', async () => {
    const { url } = await start({ bulkData: (value) => value.subarray(1) });
    const result = await checkFile(new DicomwebClient(url), bytes, 'multipart', { oracles });
    expect(result).toMatchObject({ findings: [{ path: '7FE00010', kind: 'mismatch' }] });
  });

  it('finds UIDs in the answer that are not those of the file', async () => {
    const client = new DicomwebClient((await start()).url);
    const uids = { study: '1.2.3', series: '1.2.3.4', instance: '9.9' };
    const result = await checkFile(client, bytes, 'multipart', { uids, oracles: [] });
    expect(result).toMatchObject({ problems: [expect.stringContaining('pydicom reads 9.9')] });
  });

  it('replaces what an earlier run has left', async () => {
    const client = new DicomwebClient((await start()).url);
    await client.store(bytes);
    const uids = { study: '1.2.3', series: '1.2.3.4', instance: '1.2.3.4.5' };
    const result = await checkFile(client, bytes, 'multipart', { uids, oracles: [] });
    expect(result.kind).toBe('stored');
  });
});

describe('consultOracles', () => {
  it('lets installed oracles read a file, or names those that are missing', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'oracles-'));
    try {
      await writeFile(join(folder, 'a.dcm'), file('1.2.3.4.5'));
      await writeFile(join(folder, 'b.dcm'), 'no');
      const script = resolve(__dirname, '../../scripts/corpus/oracle.py');
      const { byFile, present, absent } = await consultOracles(
        folder,
        ['a.dcm', 'b.dcm'],
        script,
        () => undefined,
      );
      expect(present.length + absent.length).toBe(2);
      const said = byFile.get('a.dcm')?.oracles ?? [];
      expect(said.map(({ name }) => name)).toEqual(present);
      for (const { dataSet } of said) {
        expect(dataSet.get('00100020')).toEqual({ kind: 'values', vr: 'LO', values: ['P'] });
        expect(dataSet.get('7FE00010')).toMatchObject({ kind: 'bytes', length: 300 });
      }
      if (present.includes('pydicom')) {
        expect(byFile.get('b.dcm')?.refusal).toBe('no DICM prefix: not a Part 10 file');
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('unwrap', () => {
  const part = (body: string): Buffer => Buffer.from(`--b\r\nContent-Type: x/y\r\n\r\n${body}`);

  it('hands out the first part', () => {
    const contentType = 'multipart/related; type="x/y"; boundary="b"';
    const answer = unwrap({ ok: true, body: part('hello\r\n--b--'), contentType });
    expect(answer).toEqual({ ok: true, body: Buffer.from('hello'), contentType: 'x/y' });
  });

  it('refuses a part that does not end', () => {
    const contentType = 'multipart/related; boundary=b';
    expect(unwrap({ ok: true, body: part('hello'), contentType }).ok).toBe(false);
  });
});

describe('startProgress', () => {
  function record(isTTY: boolean, total: number): string {
    let written = '';
    const progress = startProgress({ isTTY, write: (text) => (written += text) }, 'work', total);
    for (let step = 1; step <= total; step += 1) progress.step(`file ${step}`);
    progress.finish();
    return written;
  }

  it('redraws one line on a terminal and clears it', () => {
    const written = record(true, 2);
    expect(written).toContain('█'.repeat(14) + '░'.repeat(14));
    expect(written).toContain('2/2 file 2');
    expect(written).not.toContain('\n');
    expect(written.endsWith('\r\u001b[2K')).toBe(true);
  });

  it('prints few plain lines elsewhere, the last one included', () => {
    const lines = record(false, 100).trimEnd().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toBe('work 100/100 file 100');
  });
});
