/** Uploads to Azurite lead to their import without an announcement. */
import { Readable } from 'node:stream';
import { afterEach, describe, expect, it } from '@jest/globals';
import { watchImports, type ImportWatch } from '../../../src/host/local/import-watch.js';
import { freshUids } from '../../support/conformance.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { startService, type Service } from '../../support/service.js';

describe('watchImports', () => {
  let service: Service | undefined;
  let watch: ImportWatch | undefined;

  afterEach(async () => {
    await watch?.stop();
    await service?.stop();
  });

  async function start(keepFiles = false) {
    const running = await startService({ host: 'local' });
    service = running;
    const log: unknown[] = [];
    watch = watchImports(
      async () => await Promise.resolve(running.services),
      (entry) => log.push(entry),
      { keepFiles },
    );
    const { blobs } = running.services.archive;
    const put = async (name: string, bytes: Uint8Array) =>
      await blobs.put('import', name, Readable.from([bytes]));
    const names = async (container: 'import' | 'import-reports') =>
      (await blobs.list(container)).blobs.map(({ name }) => name);
    return { watch, log, put, names };
  }

  it('imports what it finds, once', async () => {
    const { watch: looking, put, names, log } = await start();
    await put('a/1.dcm', sampleInstance(freshUids()));
    await put('b', Buffer.from('no'));
    await Promise.all([looking.look(), looking.look()]);
    expect(await names('import')).toEqual([]);
    expect(await names('import-reports')).toEqual(['a/1.dcm.json', 'b.json']);
    expect(log).toHaveLength(2);
  });

  it('takes direct uploads alone where imported files stay', async () => {
    const { watch: looking, put, names } = await start(true);
    const upload = 'direct-uploads/Microsoft.Default/01ARZ3NDEKTSV4RRFFQ69G5FAV';
    await put('a', sampleInstance(freshUids()));
    await put(upload, sampleInstance(freshUids()));
    await looking.look();
    expect(await names('import')).toEqual(['a']);
    expect(await names('import-reports')).toEqual([`${upload}.json`]);
  });

  it('leaves a file that fails for a while', async () => {
    const { watch: looking, put, log } = await start();
    await put('a', sampleInstance(freshUids()));
    if (service === undefined) throw new Error('not started');
    const { blobs } = service.services.archive;
    const get = blobs.get.bind(blobs);
    let calls = 0;
    blobs.get = async (...parameters) => {
      calls += 1;
      if (calls === 1) throw new Error('away');
      return await get(...parameters);
    };
    await looking.look();
    await looking.look();
    expect(calls).toBe(1);
    expect(log).toMatchObject([{ event: 'fault', route: 'import' }]);
  });
});
