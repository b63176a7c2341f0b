/** What those who run the service are told: totals, imports, findings and settings; and what nobody is. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { grantsOf } from '../../../src/auth/roles.js';
import { importFile } from '../../../src/dicomweb/import/import-file.js';
import { runRecovery } from '../../../src/host/jobs/recovery-job.js';
import { sampleInstance } from '../../support/part10-builder.js';
import { startService, type Service } from '../../support/service.js';

const uids = { study: '1.2.3', series: '1.2.3.4', instance: '1.2.3.4.5' };

describe('administration', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      host: 'local',
      environment: { DicomStorage: 'UseDevelopmentStorage=true', DICOMWEB_PARTITIONS: 'true' },
      access: async ({ headers }) =>
        await Promise.resolve({ grants: grantsOf([headers.get('x-role') ?? 'Dicom.Admin'], []) }),
    });
  });

  afterAll(async () => {
    await service.stop();
  });

  async function read(path: string, role = 'Dicom.Admin') {
    const answer = await fetch(`${service.baseUrl}/${path}`, { headers: { 'X-Role': role } });
    return { status: answer.status, body: await answer.json() };
  }

  async function send(method: string, path: string, file?: Buffer): Promise<number> {
    const answer = await fetch(`${service.baseUrl}/${path}`, {
      method,
      headers: { 'Content-Type': 'application/dicom' },
      ...(file && { body: new Uint8Array(file) }),
    });
    await answer.arrayBuffer();
    return answer.status;
  }

  it.each(['statistics', 'imports', 'maintenance', 'configuration'])(
    'is for administrators: %s',
    async (path) => {
      for (const role of ['Dicom.Read', 'Dicom.Write', 'Dicom.Share']) {
        expect(await read(path, role)).toMatchObject({ status: 403 });
      }
      expect(await read(path)).toMatchObject({ status: 200 });
    },
  );

  it('counts the bytes of files as they are stored, replaced and deleted', async () => {
    const bytes = async () => (await read('statistics')).body;
    const [small, large] = [
      sampleInstance(uids),
      sampleInstance({ ...uids, pixelData: { native: Buffer.alloc(4096) } }),
    ];
    expect(await send('POST', 'studies', small)).toBe(200);
    const one = { studies: 1, series: 1, instances: 1 };
    expect(await bytes()).toEqual({ ...one, bytes: small.length });
    expect(await send('POST', 'studies', small)).toBe(409);
    expect(await bytes()).toEqual({ ...one, bytes: small.length });
    expect(await send('PUT', 'studies', large)).toBe(200);
    expect(await bytes()).toEqual({ ...one, bytes: large.length });
    const other = sampleInstance({ ...uids, instance: '1.2.3.4.6' });
    expect(await send('POST', 'studies', other)).toBe(200);
    expect(await send('DELETE', `studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.5`)).toBe(204);
    expect(await bytes()).toEqual({ ...one, bytes: other.length });
    expect(await send('DELETE', 'studies/1.2.3')).toBe(204);
    expect(await bytes()).toEqual({ studies: 0, series: 0, instances: 0, bytes: 0 });
  });

  it('tells which files the import refused, and why', async () => {
    const { blobs } = service.services.archive;
    const upload = async (name: string, text: string) =>
      await blobs.put(
        'import',
        name,
        (async function* () {
          yield await Promise.resolve(Buffer.from(text));
        })(),
      );
    await upload('ward/letter.txt', 'No DICOM.');
    await importFile(service.services, 'ward/letter.txt');
    await upload('later.dcm', 'It waits.');
    expect(await read('imports')).toMatchObject({
      body: {
        waiting: { count: 1, isAtLeast: false },
        refused: {
          count: 1,
          isAtLeast: false,
          files: [
            {
              name: 'ward/letter.txt',
              outcome: 'refused',
              reason: 'cannot-understand',
              messages: [expect.any(String)],
              bytes: 9,
            },
          ],
        },
      },
    });
  });

  it('tells what the jobs found last, and when they found something', async () => {
    expect((await read('maintenance')).body).toEqual([
      { job: 'recovery' },
      { job: 'sweep' },
      { job: 'check' },
    ]);
    const { maintenance } = service.services;
    await maintenance.note('check', [
      { kind: 'blob-missing', found: 2, mended: 0 },
      { kind: 'counts-wrong', found: 0, mended: 0 },
    ]);
    await maintenance.note('check', []);
    await runRecovery(
      async () => await Promise.resolve(service.services),
      () => undefined,
    );
    const time = expect.stringMatching(/^\d{4}-.*Z$/);
    const missing = {
      kind: 'blob-missing',
      description: expect.stringContaining('without its file'),
      found: 2,
      mended: 0,
    };
    expect((await read('maintenance')).body).toEqual([
      { job: 'recovery', last: { time, findings: [] } },
      { job: 'sweep' },
      { job: 'check', last: { time, findings: [] }, lastFound: { time, findings: [missing] } },
    ]);
  });

  it('tells the settings, and of the storage account only that it is set', async () => {
    const { body } = await read('configuration');
    expect(body).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'DICOMWEB_PARTITIONS', value: true, isSet: true }),
        expect.objectContaining({ name: 'PORT', value: 7071, isSet: false, isSecret: false }),
        expect.objectContaining({
          name: 'DicomStorage',
          value: null,
          isSet: true,
          isSecret: true,
        }),
      ]),
    );
    expect(JSON.stringify(body)).not.toContain('UseDevelopmentStorage=true"');
  });
});
