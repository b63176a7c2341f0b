/** Operations and the list of partitions for callers who have roles in some partitions only. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { grantsOf } from '../../../src/auth/roles.js';
import type { JobId } from '../../../src/jobs/job.js';
import { MemoryExportDestinations } from '../../../src/storage/memory/memory-export-destinations.js';
import { readConfig } from '../../../src/host/config.js';
import { sample } from '../../support/conformance.js';
import { startService, type Service } from '../../support/service.js';

const uri = 'https://account.blob.core.windows.net/backup';

describe('a caller with roles in one partition', () => {
  let service: Service;

  beforeAll(async () => {
    service = await startService({
      host: 'local',
      config: { ...readConfig({}), partitions: true },
      access: async ({ headers }) =>
        await Promise.resolve({ grants: grantsOf((headers.get('x-roles') ?? '').split(' '), []) }),
    });
    for (const partition of ['north', 'south']) {
      const answer = await send('POST', `/partitions/${partition}/studies`, 'Dicom.Admin', {
        type: 'application/dicom',
        body: sample().file,
      });
      expect(answer.status).toBe(200);
    }
    const { exports } = service.services;
    if (exports instanceof MemoryExportDestinations) exports.containers.set(uri, new Map());
  });

  afterAll(async () => {
    await service.stop();
  });

  async function send(
    method: string,
    path: string,
    roles: string,
    { type, body }: { readonly type?: string; readonly body?: Uint8Array | string } = {},
  ) {
    const answer = await fetch(service.baseUrl + path, {
      method,
      headers: { 'X-Roles': roles, ...(type !== undefined && { 'Content-Type': type }) },
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    return { status: answer.status, text, location: answer.headers.get('location') ?? '' };
  }

  async function startExport(partition: string): Promise<string> {
    const started = await send(
      'POST',
      `/partitions/${partition}/export`,
      `Dicom.Admin.${partition}`,
      {
        type: 'application/json',
        body: JSON.stringify({
          source: { type: 'everything' },
          destination: {
            type: 'azureBlob',
            settings: { blobContainerUri: uri, useManagedIdentity: true },
          },
        }),
      },
    );
    expect(started.status).toBe(202);
    return new URL(started.location).pathname;
  }

  it('follows the operations of that partition, running and over, and knows of no other', async () => {
    const path = await startExport('north');
    const id = path.split('/').at(-1) as JobId;
    for (const status of [202, 200]) {
      expect((await send('GET', path, 'Dicom.Read.north')).status).toBe(status);
      expect((await send('GET', `/v2${path}`, 'Dicom.Admin')).status).toBe(status);
      expect((await send('GET', path, 'Dicom.Admin.south')).status).toBe(404);
      expect((await send('GET', path, 'Dicom.Write.north')).status).toBe(403);
      expect(await service.services.jobs.run(id, Infinity)).toBe('over');
    }
  });

  it('cancels the operations of that partition, and no other', async () => {
    const path = await startExport('south');
    expect((await send('DELETE', path, 'Dicom.Admin.north')).status).toBe(404);
    expect((await send('DELETE', path, 'Dicom.Read.south')).status).toBe(403);
    expect((await send('GET', path, 'Dicom.Read.south')).text).toContain('"notStarted"');
    expect((await send('DELETE', path, 'Dicom.Admin.south')).status).toBe(204);
    expect((await send('GET', path, 'Dicom.Read.south')).text).toContain('"canceled"');
  });

  it('does not see work that is about all partitions', async () => {
    const id = await service.services.jobs.start('export', '{}', '{}');
    const path = `/operations/${id}`;
    expect((await send('GET', path, 'Dicom.Admin.north Dicom.Admin.south')).status).toBe(404);
    expect((await send('GET', path, 'Dicom.Read')).status).toBe(202);
    expect((await send('DELETE', path, 'Dicom.Admin')).status).toBe(204);
  });

  it('is shown that partition in the list, and those that others have not', async () => {
    const names = async (roles: string) => {
      const { status, text } = await send('GET', '/partitions', roles);
      if (status !== 200) return status;
      const listed = JSON.parse(text) as readonly { readonly partitionName: string }[];
      return listed.map(({ partitionName }) => partitionName).sort();
    };
    expect(await names('Dicom.Read.north')).toEqual(['north']);
    expect(await names('Dicom.Read.north Dicom.Admin.south')).toEqual(['north', 'south']);
    expect(await names('Dicom.Read')).toEqual(['Microsoft.Default', 'north', 'south']);
    expect(await names('Dicom.Write.north')).toBe(403);
    expect(await names('')).toBe(403);
  });
});
