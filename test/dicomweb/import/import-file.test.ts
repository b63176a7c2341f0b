import { beforeEach, describe, expect, it } from '@jest/globals';
import { importFile, type ImportOptions } from '../../../src/dicomweb/import/import-file.js';
import type { ImportReport } from '../../../src/dicomweb/import/import-report.js';
import { defaultLimits, type Limits } from '../../../src/dicomweb/limits.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { ServiceError } from '../../../src/errors.js';
import type { ContainerName } from '../../../src/storage/blob-store.js';
import { allBytes } from '../../../src/storage/body.js';
import { defaultPartition, parsePartition } from '../../../src/storage/archive/keys.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { StorageCall } from '../../../src/storage/storage-call.js';
import { sampleInstance } from '../../support/part10-builder.js';

const uids = { study: '1.2.3', series: '1.2.3.4', instance: '1.2.3.4.5' };
const file = sampleInstance(uids);

/** The same file with another byte in its pixel data. */
const otherFile = Buffer.concat([file.subarray(0, -1), Buffer.of((file.at(-1) ?? 0) ^ 1)]);

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
async function* once(bytes: Uint8Array) {
  yield bytes;
}

describe('importFile', () => {
  let blobs: MemoryBlobStore;
  let beforeCall: (call: StorageCall) => void;
  let services: Services;

  function open(limits: Partial<Limits> = {}, partitions = false): void {
    blobs = new MemoryBlobStore({
      beforeCall: async (call) => {
        await Promise.resolve();
        beforeCall(call);
      },
    });
    services = createServices(
      { tables: new MemoryTableStore(), blobs },
      { limits: { ...defaultLimits, ...limits }, partitions },
    );
  }

  beforeEach(() => {
    beforeCall = () => undefined;
    open();
  });

  async function upload(name: string, bytes: Uint8Array = file): Promise<void> {
    await blobs.put('import', name, once(bytes));
  }

  async function deliver(name: string, options?: ImportOptions) {
    const report = await importFile(services, name, options);
    await services.archive.close();
    return report;
  }

  async function read(container: ContainerName, name: string): Promise<Buffer | undefined> {
    const content = await blobs.get(container, name);
    return content && (await allBytes(content.body));
  }

  async function reportOn(name: string): Promise<ImportReport> {
    const text = await read('import-reports', `${name}.json`);
    return JSON.parse(String(text)) as ImportReport;
  }

  /** Makes the one call fail that `which` picks, as a process does that dies there. */
  function dieAt(which: (call: StorageCall) => boolean): void {
    let dead = false;
    beforeCall = (call) => {
      if (dead || !which(call)) return;
      dead = true;
      throw new ServiceError('storage-unavailable', 'Gone.');
    };
  }

  async function row(partition = defaultPartition) {
    const pages = services.archive.catalog.instances(partition, uids.study as never, undefined);
    const rows = [];
    for await (const page of pages) rows.push(...page.map(({ record }) => record));
    return rows;
  }

  async function changes(): Promise<number> {
    return (await services.archive.feed.changes(1, 100)).length;
  }

  it('stores a file, reports, and takes it out of the container', async () => {
    await upload('a/b.dcm');
    const report = await deliver('a/b.dcm');
    expect(report).toEqual({
      name: 'a/b.dcm',
      outcome: 'stored',
      messages: [],
      ...uids,
      sopClass: '1.2.840.10008.5.1.4.1.1.2',
      bytes: file.length,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
    expect(await reportOn('a/b.dcm')).toEqual(report);
    expect(await row()).toMatchObject([{ ...uids, length: file.length }]);
    expect(blobs.names('import')).toEqual([]);
  });

  it('says that a file is not there when it is delivered again', async () => {
    await upload('a');
    await deliver('a');
    const first = await reportOn('a');
    expect(await deliver('a')).toBeUndefined();
    expect(await reportOn('a')).toEqual(first);
    expect(await changes()).toBe(1);
  });

  it.each<[string, (call: StorageCall) => boolean, string]>([
    [
      'on the way to its blob',
      ({ target, operation }) => operation === 'put' && target === 'instances',
      'stored',
    ],
    ['before its report', ({ target }) => target === 'import-reports', 'duplicate'],
    [
      'before it leaves the container',
      ({ target, operation }) => operation === 'delete' && target === 'import',
      'duplicate',
    ],
  ])('has the effect of one delivery when the first dies %s', async (_, which, outcome) => {
    await upload('a');
    dieAt(which);
    await expect(importFile(services, 'a')).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect(blobs.names('import')).toEqual(['a']);

    expect(await deliver('a')).toMatchObject({ outcome, ...uids });
    expect(await row()).toHaveLength(1);
    expect(await changes()).toBe(1);
    expect(blobs.names('instances')).toHaveLength(1);
    expect(blobs.names('import')).toEqual([]);
    expect(await reportOn('a')).toMatchObject({ outcome });
  });

  it('stores one version when a file is delivered twice at the same time', async () => {
    await upload('a');
    const reports = await Promise.all([importFile(services, 'a'), importFile(services, 'a')]);
    await services.archive.close();
    expect(reports.filter((report) => report?.outcome === 'stored')).toHaveLength(1);
    expect(reports.filter((report) => report?.outcome === 'refused')).toEqual([]);
    expect(await changes()).toBe(1);
    expect(blobs.names('instances')).toHaveLength(1);
    expect(blobs.names('import')).toEqual([]);
  });

  it('knows a file again whose preamble alone differs, since preambles are not kept', async () => {
    await upload('a');
    await deliver('a');
    await upload('b', Buffer.concat([Buffer.alloc(128, 7), file.subarray(128)]));
    expect(await deliver('b')).toMatchObject({ outcome: 'duplicate' });
  });

  it.each([
    ['of the same length', otherFile],
    ['of another length', sampleInstance({ ...uids, omit: ['00100010'] })],
  ])('refuses other content %s under the same UIDs, and sets it aside', async (_, other) => {
    await upload('a');
    await deliver('a');
    const before = await row();
    await upload('b', other);
    expect(await deliver('b')).toMatchObject({
      outcome: 'refused',
      reason: 'already-exists',
      ...uids,
    });
    expect(await row()).toEqual(before);
    expect(blobs.names('import')).toEqual([]);
    expect(await read('import-refused', 'b')).toEqual(other);
    expect(blobs.names('instances')).toHaveLength(1);
  });

  it.each([
    ['is not DICOM', Buffer.from('Not DICOM. '.repeat(30)), 'cannot-understand'],
    ['is empty', Buffer.alloc(0), 'cannot-understand'],
    ['breaks off', file.subarray(0, -10), 'cannot-understand'],
    ['lacks UIDs', sampleInstance({ ...uids, series: '' }), 'validation-failed'],
  ])('refuses a file that %s', async (_, bytes, reason) => {
    await upload('x', bytes);
    expect(await deliver('x')).toMatchObject({ outcome: 'refused', reason });
    expect((await reportOn('x')).messages.length).toBeGreaterThan(0);
    expect(await read('import-refused', 'x')).toEqual(bytes);
    expect(blobs.names('import')).toEqual([]);
    expect(blobs.names('instances')).toEqual([]);
  });

  it('refuses a file that is larger than an instance may be', async () => {
    open({ instanceBytes: file.length - 1 });
    await upload('x');
    expect(await deliver('x')).toMatchObject({ outcome: 'refused', reason: 'payload-too-large' });
    expect(blobs.names('instances')).toEqual([]);
  });

  it('leaves a file alone that was uploaded anew during its import', async () => {
    await upload('a');
    let uploads = 0;
    beforeCall = ({ target }) => {
      if (target === 'import-reports' && ++uploads === 1) void upload('a', otherFile);
    };
    expect(await deliver('a')).toMatchObject({ outcome: 'stored' });
    expect(await read('import', 'a')).toEqual(otherFile);
    expect(await deliver('a')).toMatchObject({ outcome: 'refused', reason: 'already-exists' });
    expect(await read('import-refused', 'a')).toEqual(otherFile);
  });

  it('keeps files where they are, when told to', async () => {
    await upload('a');
    await upload('x', Buffer.from('no'));
    expect(await deliver('a', { keepFiles: true })).toMatchObject({ outcome: 'stored' });
    expect(await deliver('x', { keepFiles: true })).toMatchObject({ outcome: 'refused' });
    expect(blobs.names('import')).toEqual(['a', 'x']);
    expect(blobs.names('import-refused')).toEqual([]);
    expect(await deliver('a', { keepFiles: true })).toMatchObject({ outcome: 'duplicate' });
  });

  it('stores into the partition that the name begins with', async () => {
    open({}, true);
    await upload('partitions/north/a');
    await upload('b');
    expect(await deliver('partitions/north/a')).toMatchObject({ outcome: 'stored' });
    expect(await deliver('b')).toMatchObject({ outcome: 'stored' });
    expect(await row(parsePartition('north'))).toHaveLength(1);
    expect(await row()).toHaveLength(1);
    await upload('partitions/ /a');
    expect(await deliver('partitions/ /a')).toMatchObject({ reason: 'invalid-partition' });
  });

  it('refuses names of partitions while there are none', async () => {
    await upload('partitions/north/a');
    expect(await deliver('partitions/north/a')).toMatchObject({
      outcome: 'refused',
      reason: 'invalid-partition',
    });
    expect(await row()).toEqual([]);
  });

  it('fails, to be delivered again, while storage is away', async () => {
    await upload('a');
    dieAt(({ target, operation }) => target === 'catalog' || operation === 'get');
    await expect(importFile(services, 'a')).rejects.toMatchObject({ code: 'storage-unavailable' });
    expect(blobs.names('import-reports')).toEqual([]);
  });

  describe('whose time is over', () => {
    const late = new ServiceError('request-timeout', 'late');

    it('before its instance is committed stores nothing, and leaves the file for the next delivery', async () => {
      await upload('late.dcm');
      const time = new AbortController();
      beforeCall = ({ operation }) => {
        if (operation === 'get') time.abort(late);
      };
      await expect(deliver('late.dcm', { signal: time.signal })).rejects.toBe(late);
      beforeCall = () => undefined;
      await services.archive.close();
      expect((await blobs.list('instances')).blobs).toEqual([]);
      expect((await blobs.list('import-reports')).blobs).toEqual([]);
      expect((await deliver('late.dcm'))?.outcome).toBe('stored');
    });

    it('while it is compared ends without a report', async () => {
      await upload('first.dcm');
      await deliver('first.dcm');
      await upload('again.dcm');
      const time = new AbortController();
      let reads = 0;
      beforeCall = ({ operation }) => {
        if (operation !== 'get') return;
        reads += 1;
        if (reads === 3) time.abort(late);
      };
      await expect(deliver('again.dcm', { signal: time.signal })).rejects.toBe(late);
      beforeCall = () => undefined;
      expect((await deliver('again.dcm'))?.outcome).toBe('duplicate');
    });

    it('behind its commit is told as it is', async () => {
      await upload('done.dcm');
      const time = new AbortController();
      beforeCall = ({ operation, target }) => {
        if (operation === 'put' && target === 'import-reports') time.abort(late);
      };
      expect((await deliver('done.dcm', { signal: time.signal }))?.outcome).toBe('stored');
      expect((await blobs.list('import')).blobs).toEqual([]);
    });
  });
});
