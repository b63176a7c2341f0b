import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockDataDirectory } from '../../../src/host/local/data-lock.js';

describe('lockDataDirectory', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'lock-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  const file = () => path.join(folder, 'dicomweb.lock');

  it('is held by one at a time, who is named, with a way out', async () => {
    const lock = await lockDataDirectory(folder);
    await expect(lockDataDirectory(folder)).rejects.toThrow(
      new RegExp(`in use by another server, process ${process.pid}\\..*DICOMWEB_DATA_DIR=`),
    );
    await lock.release();
    await (await lockDataDirectory(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('is given to one of many who ask at the same time', async () => {
    for (let round = 0; round < 10; round += 1) {
      await writeFile(file(), JSON.stringify({ server: { pid: process.pid, started: 'before' } }));
      const asked = await Promise.allSettled(
        Array.from({ length: 8 }, async () => await lockDataDirectory(folder)),
      );
      expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await readdir(folder)).toEqual(['dicomweb.lock']);
    }
  });

  it('is taken over although whoever took it over before has died at that', async () => {
    const gone = JSON.stringify({ server: { pid: 2 ** 22 + 1, started: '' } });
    await writeFile(file(), gone);
    await writeFile(`${file()}.taking`, gone);
    await (await lockDataDirectory(folder)).release();
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    ['of a process that has gone', { pid: 2 ** 22 + 1, started: '' }],
    ['of an earlier process with the number of one that lives', { pid: process.pid, started: '1' }],
  ])('is taken over when stale: that %s', async (_, server) => {
    await writeFile(file(), JSON.stringify({ server }));
    await (await lockDataDirectory(folder)).release();
  });

  it('is taken over when it makes no sense', async () => {
    await writeFile(file(), '{"ser');
    await (await lockDataDirectory(folder)).release();
  });

  it('waits for the emulator of a server that was killed', async () => {
    const emulator = spawn(process.execPath, ['-e', 'process.stdin.resume()']);
    await once(emulator, 'spawn');
    const lock = await lockDataDirectory(folder);
    await lock.noteEmulator(emulator.pid ?? 0);
    const text = JSON.parse(await readFile(file(), 'utf8')) as object;
    await writeFile(file(), JSON.stringify({ ...text, server: { pid: 2 ** 22 + 1, started: '' } }));
    await expect(lockDataDirectory(folder, 0)).rejects.toThrow(`process ${emulator.pid}`);
    const waiting = lockDataDirectory(folder);
    emulator.kill('SIGKILL');
    await (await waiting).release();
  });

  it('names the setting when the directory is a file', async () => {
    await writeFile(path.join(folder, 'data'), '');
    for (const directory of ['data', 'data/deeper']) {
      await expect(lockDataDirectory(path.join(folder, directory))).rejects.toThrow(
        /^The setting DICOMWEB_DATA_DIR names .*, which is a file/,
      );
    }
  });

  it('names the setting when it is read-only', async () => {
    await chmod(folder, 0o555);
    // The superuser may write everywhere, so it is somebody else for a while.
    const isSuperuser = process.getuid?.() === 0;
    if (isSuperuser) process.seteuid?.('nobody');
    try {
      await expect(lockDataDirectory(folder)).rejects.toThrow(
        /^The setting DICOMWEB_DATA_DIR names .*, which cannot be written \(EACCES\)/,
      );
    } finally {
      if (isSuperuser) process.seteuid?.(0);
      await chmod(folder, 0o700);
    }
  });
});
