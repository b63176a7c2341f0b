/** An instance that is replaced, and whose old file goes, between the read of its row and that of its file. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ramp, sampleInstance } from '../../support/part10-builder.js';
import { startService, type Service } from '../../support/service.js';

const study = '1.2.3';
const pixels = (value: number) => Buffer.from(ramp(512).map((byte) => byte ^ value));

function fileOf(instance: number, value: number): Buffer {
  const uids = { study, series: '1.2.3.4', instance: `1.2.3.4.${instance}` };
  return sampleInstance({ ...uids, pixelData: { native: pixels(value) } });
}

describe('a reader beside a PUT', () => {
  let service: Service;
  const path = (instance: number) =>
    `studies/${study}/series/1.2.3.4/instances/1.2.3.4.${instance}`;

  beforeAll(async () => {
    service = await startService({ host: 'local' });
    for (const instance of [1, 2, 3]) await send('POST', fileOf(instance, 0));
  });

  afterAll(async () => {
    await service.stop();
  });

  async function send(method: string, file: Buffer): Promise<void> {
    const answer = await fetch(`${service.baseUrl}/studies`, {
      method,
      headers: { 'Content-Type': 'application/dicom' },
      body: new Uint8Array(file),
    });
    await answer.arrayBuffer();
    expect(answer.status).toBe(200);
  }

  /** Right before its file is opened, an instance gets another version, and its old file goes. */
  function replaceBeforeOpening(instance: number, value: number): void {
    const { archive } = service.services;
    const { blobs } = archive;
    const get = blobs.get.bind(blobs);
    blobs.get = async (...call) => {
      if (!call[1].includes(`/1.2.3.4.${instance}/`)) return await get(...call);
      blobs.get = get;
      await send('PUT', fileOf(instance, value));
      // What follows the commit has to be done before its leavings go.
      await archive.close();
      expect((await archive.recover()).cleared).toBeGreaterThan(0);
      return await get(...call);
    };
  }

  const has = (bytes: Uint8Array, value: number) => Buffer.from(bytes).includes(pixels(value));

  it.each([
    ['an instance', (): string => path(1), 'application/dicom;transfer-syntax=*'],
    ['its frame', (): string => `${path(1)}/frames/1`, 'application/octet-stream'],
  ])('is sent %s as it is now', async (what, at, accept) => {
    const value = what === 'an instance' ? 0x11 : 0x22;
    replaceBeforeOpening(1, value);
    const answer = await fetch(`${service.baseUrl}/${at()}`, { headers: { Accept: accept } });
    expect(answer.status).toBe(200);
    expect(has(new Uint8Array(await answer.arrayBuffer()), value)).toBe(true);
  });

  it('is sent every instance of a study', async () => {
    replaceBeforeOpening(2, 0x33);
    const accept = 'multipart/related;type="application/dicom";transfer-syntax=*';
    const answer = await fetch(`${service.baseUrl}/studies/${study}`, {
      headers: { Accept: accept },
    });
    expect(answer.status).toBe(200);
    const body = Buffer.from(new Uint8Array(await answer.arrayBuffer()));
    expect(body.toString('latin1').split('Content-Location').length - 1).toBe(3);
    expect(has(body, 0x33)).toBe(true);
  });

  it('is told that an instance is gone when it was deleted instead', async () => {
    const { blobs } = service.services.archive;
    const get = blobs.get.bind(blobs);
    blobs.get = async (...call) => {
      blobs.get = get;
      await fetch(`${service.baseUrl}/${path(3)}`, { method: 'DELETE' });
      await service.services.archive.close();
      await service.services.archive.recover();
      return await get(...call);
    };
    const answer = await fetch(`${service.baseUrl}/${path(3)}`, {
      headers: { Accept: 'application/dicom;transfer-syntax=*' },
    });
    await answer.arrayBuffer();
    expect(answer.status).toBe(404);
  });
});
