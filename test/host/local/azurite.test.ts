import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startAzurite } from '../../../src/host/local/azurite.js';
import { connectStorage } from '../../../src/storage/azure/connect.js';
import { bodyOf, inChunks } from '../../storage/contract/blob-store.contract.js';

const run = promisify(execFile);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function listens(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

describe('startAzurite', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'azurite-test-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  it('keeps what was stored from run to run in a data directory', async () => {
    const dataDir = path.join(folder, 'new', 'data');
    const first = await startAzurite({ dataDir });
    try {
      const storage = connectStorage(first);
      await storage.ensureCreated();
      await storage.tables.transact('log', 'p', [
        { kind: 'insert', rowKey: 'r', properties: { value: 'kept' } },
      ]);
      await storage.blobs.put('instances', 'a/b', inChunks(Buffer.from('kept'), 4));
    } finally {
      await first.stop();
    }
    expect(isAlive(first.pid)).toBe(false);
    expect(await listens(first.blobUrl)).toBe(false);

    const second = await startAzurite({ dataDir });
    try {
      const { tables, blobs } = connectStorage(second);
      expect((await tables.get('log', 'p', 'r'))?.properties).toEqual({ value: 'kept' });
      const content = await blobs.get('instances', 'a/b');
      const body = await bodyOf(content);
      expect(body.toString()).toBe('kept');
    } finally {
      await second.stop();
    }
  });

  it('runs several at a time, and stops twice as well as once', async () => {
    const emulators = await Promise.all([startAzurite(), startAzurite()]);
    const urls = emulators.flatMap(({ blobUrl, tableUrl }) => [blobUrl, tableUrl]);
    expect(new Set(urls).size).toBe(4);
    expect(await Promise.all(urls.map(listens))).toEqual([true, true, true, true]);
    await Promise.all(emulators.flatMap((each) => [each.stop(), each.stop()]));
    expect(emulators.map(({ pid }) => isAlive(pid))).toEqual([false, false]);
  });

  it('ends when the process that started it is killed', async () => {
    const { code } = await (
      await import('@swc/core')
    ).transformFile(path.resolve(__dirname, '../../../src/host/local/azurite.ts'), {
      jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
      module: { type: 'commonjs' },
    });
    // Resolves packages from here, wherever the code is run.
    const starter = `
      const require = module.constructor.createRequire(${JSON.stringify(__filename)});
      ${code}
      startAzurite().then(({ pid }) => console.log(pid));
    `;
    const parent = spawn(process.execPath, ['-e', starter], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Alive as long as its standard output is read.
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    const deadline = Date.now() + 20_000;
    while (isAlive(pid) && Date.now() < deadline) await run('sleep', ['0.1']);
    expect(isAlive(pid)).toBe(false);
  });
});
