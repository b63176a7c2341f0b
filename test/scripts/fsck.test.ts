import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStore, StoreNotOpened, type OpenedStore } from '../../scripts/fsck/open-store.js';
import { runFsck } from '../../scripts/fsck/run-fsck.js';
import { ServiceError } from '../../src/errors.js';
import { timeBudgets } from '../../src/time-budgets.js';
import { Archive } from '../../src/storage/archive/archive.js';
import { readTail, writeTail } from '../../src/storage/archive/log/log-tail.js';
import { studyPartitionKey, studyRowKey } from '../../src/storage/archive/keys.js';
import { blobName } from '../../src/storage/archive/blob-name.js';
import type { Ulid } from '../../src/storage/archive/ulid.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { put } from '../storage/archive/support/fixture.js';
import { bytes, partition, studyUid, uidsOf } from '../storage/archive/support/samples.js';

/** Of a version from 1970. */
const old = '0000000000ABCDEFGHJKMNPQRS' as Ulid;

class Text {
  readonly isTTY: boolean;
  text = '';
  constructor(isTTY = false) {
    this.isTTY = isTTY;
  }
  write(text: string): void {
    this.text += text;
  }
}

async function filledStore() {
  let clock = Date.now;
  const tables = new MemoryTableStore({ now: () => clock() });
  const blobs = new MemoryBlobStore();
  const archive = new Archive({ tables, blobs });
  await put(archive, { study: 1, series: 1, instance: 1 });
  await archive.close();
  let closed = 0;
  const store: OpenedStore = {
    archive,
    where: 'the store',
    close: async () => {
      closed += 1;
      await archive.close();
    },
  };
  const setClock = (now: () => number) => (clock = now);
  return { tables, blobs, store, closed: () => closed, setClock };
}

async function run(store: OpenedStore, args: readonly string[], isTTY = false) {
  const [stdout, stderr] = [new Text(), new Text(isTTY)];
  const code = await runFsck(args, () => Promise.resolve(store), { stdout, stderr });
  return { code, stdout: stdout.text, stderr: stderr.text };
}

async function putOrphan(blobs: MemoryBlobStore, instance: number): Promise<void> {
  const uids = uidsOf({ study: 1, series: 1, instance });
  await blobs.put('instances', blobName(partition, uids, old, 'dcm'), bytes());
}

describe('runFsck', () => {
  it('says that nothing is amiss, and how far it was', async () => {
    const { store, closed } = await filledStore();
    const { code, stdout, stderr } = await run(store, []);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'the store: nothing amiss.\n' });
    expect(stderr).toBe(
      'fsck 1/4 catalog: 1\nfsck 2/4 index: 27\nfsck 3/4 blobs: 1\nfsck 4/4 log: 1\n',
    );
    expect(closed()).toBe(1);
  });

  it('draws a bar on a terminal and wipes it in the end', async () => {
    const { store } = await filledStore();
    const { stderr } = await run(store, [], true);
    expect(stderr).toContain('██████████████░░░░░░░░░░░░░░ 2/4');
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true);
  });

  it('lists what it finds by kind, without mending it', async () => {
    const { blobs, store } = await filledStore();
    for (let instance = 1; instance <= 12; instance += 1) await putOrphan(blobs, instance);
    await blobs.put('derived', 'notes.txt', bytes());
    const { code, stdout } = await run(store, []);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {2}blob-orphaned +12 +0 {2}a blob that no row names$/m);
    expect(stdout).toMatch(/^ {2}blob-unknown +1 +0 .*\(cannot be mended\)$/m);
    expect(stdout).toContain('  and 2 more\n');
    expect(stdout).toContain('blob-unknown:\n  derived/notes.txt\n');
    expect(stdout.match(/--repair/g)).toHaveLength(1);
    expect(blobs.names('instances')).toHaveLength(13);
  });

  it('mends what can be mended, and is content when that was all', async () => {
    const { blobs, store } = await filledStore();
    await putOrphan(blobs, 5);
    const first = await run(store, ['--repair']);
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^ {2}blob-orphaned +1 +1 /m);
    expect(first.stdout).not.toContain('--repair');
    expect(blobs.names('instances')).toHaveLength(1);
    expect((await run(store, [])).stdout).toBe('the store: nothing amiss.\n');
  });

  it('settles entries that were left pending', async () => {
    const { tables, store, setClock } = await filledStore();
    const tail = await readTail(tables, 0);
    await writeTail(tables, tail, { open: [tail.newest] });
    setClock(() => Date.now() + timeBudgets.overdueIntent + 60_000);
    const { code, stdout } = await run(store, ['--repair']);
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/pending +1 +1/),
    });
  });

  it('exits with 1 as long as something is left', async () => {
    const { blobs, store } = await filledStore();
    await blobs.delete('instances', blobs.names('instances'));
    for (const args of [[], ['--repair']]) {
      const { code, stdout } = await run(store, args);
      expect(code).toBe(1);
      expect(stdout).toMatch(/^ {2}blob-missing +1 +0 /m);
      expect(stdout).not.toContain('Run it with --repair');
    }
  });

  it('takes the age of orphans', async () => {
    const { blobs, store } = await filledStore();
    const version = store.archive.newVersion();
    const uids = uidsOf({ study: 1, series: 1, instance: 3 });
    await blobs.put('instances', blobName(partition, uids, version, 'dcm'), bytes());
    expect((await run(store, [])).code).toBe(0);
    expect((await run(store, ['--orphan-age', '0s'])).code).toBe(1);
    expect((await run(store, ['--orphan-age', '2d'])).code).toBe(0);
  });

  it.each([['--mend'], ['--orphan-age', 'old'], ['--repair', '--orphan-age', '59m'], ['more']])(
    'explains itself when it does not understand %s %s %s',
    async (...args) => {
      const { store, closed } = await filledStore();
      const { code, stderr } = await run(store, args);
      expect(code).toBe(2);
      expect(stderr).toContain('usage: npm run fsck');
      expect(closed()).toBe(0);
    },
  );

  it('says why there was no check', async () => {
    const { store } = await filledStore();
    const stderr = new Text();
    const open = () => Promise.reject(new StoreNotOpened('There is no store'));
    expect(await runFsck([], open, { stdout: new Text(), stderr })).toBe(2);
    expect(stderr.text).toBe('There is no store\n');
    const away = new MemoryTableStore({
      beforeCall: () => Promise.reject(new ServiceError('storage-unavailable', 'Storage is away')),
    });
    const archive = new Archive({ tables: away, blobs: store.archive.blobs });
    const { code, stderr: said } = await run({ ...store, archive }, []);
    expect(code).toBe(2);
    expect(said).toContain('The check was given up: Storage is away');
  });
});

describe('openStore', () => {
  const before = { ...process.env };
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fsck-'));
    delete process.env['DicomStorage'];
    process.env['DICOMWEB_DATA_DIR'] = folder;
    process.env['PORT'] = '0';
  });

  afterEach(async () => {
    process.env = { ...before };
    await rm(folder, { recursive: true, force: true });
  });

  it('opens the data of the local server', async () => {
    const first = await openStore();
    await put(first.archive, { study: 1, series: 1, instance: 1 });
    await first.close();
    const again = await openStore();
    try {
      expect(again.where).toContain(folder);
      const { tables, catalog } = again.archive;
      expect((await catalog.study(partition, studyUid(1)))?.instances).toBe(1);
      await tables.transact('catalog', studyPartitionKey(partition, studyUid(1)), [
        { kind: 'delete', rowKey: studyRowKey },
      ]);
      const { code, stdout } = await run(again, []);
      expect(code).toBe(1);
      expect(stdout).toMatch(/study-row-missing +1 +0/);
    } catch (error) {
      await again.close();
      throw error;
    }
  });

  it('leaves the data of a running server alone', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    process.env['PORT'] = String((server.address() as AddressInfo).port);
    await expect(openStore()).rejects.toThrow('by the local server. Stop the local server');
    server.close();
  });

  it('leaves data alone that an emulator works on, whatever the port', async () => {
    const first = await openStore();
    try {
      await expect(openStore()).rejects.toThrow('An Azurite is running');
    } finally {
      await first.close();
    }
  });

  it('makes no store where there is none', async () => {
    process.env['DICOMWEB_DATA_DIR'] = join(folder, 'nowhere');
    await expect(openStore()).rejects.toThrow('does not exist');
  });
});
