/** More than a process can take: 503 with Retry-After, at once, and nothing half-done. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, dicomPart, faces, sample, until } from '../../support/conformance.js';
import { begin, responseOf } from '../../support/http-client.js';
import { writeParts } from '../../support/multipart.js';
import { element } from '../../support/part10-builder.js';
import { hosts, startService, type Service } from '../../support/service.js';

const limits = { storeRequests: 2, heldHeaderBytes: 400_000 };
const multipart = 'multipart/related; type="application/dicom"; boundary=abc';

describe.each(hosts)('overload on the %s host', (host) => {
  let running: Service | undefined;
  const service = () => {
    if (running === undefined) throw new Error('The service has not started.');
    return running;
  };

  beforeAll(async () => {
    running = await startService({ host, limits });
  });
  afterAll(async () => {
    await running?.stop();
  });

  describe.each(faces)('at the URLs of $name', (face) => {
    const client = new Client(face, service);

    /** An upload of two instances, of which the first has arrived. */
    async function beginUpload() {
      const first = sample();
      const second = sample();
      const body = writeParts([first.file, second.file].map(dicomPart), 'abc');
      const outgoing = begin(client.url('/studies'), {
        method: 'POST',
        // In chunks: the Functions host waits for all of a body with a length.
        headers: { 'Content-Type': multipart },
      });
      outgoing.on('error', () => undefined);
      outgoing.write(body.subarray(0, body.length - 300));
      await until(async () => {
        const { blobs } = await service().services.archive.blobs.list('instances', {});
        return blobs.some(({ name }) => name.includes(first.study));
      });
      return { first, second, outgoing, rest: body.subarray(body.length - 300) };
    }

    it('by uploads: what is under way goes on, and there is room again behind it', async () => {
      const uploads = [await beginUpload(), await beginUpload()];
      const refused = sample();
      const busy = await client.stow([refused.file]);
      expect(busy.headers.get('retry-after')).toBe('2');
      expect(await client.refusal(busy, 503)).toContain('2 store requests');
      for (const { outgoing, rest, first, second } of uploads) {
        outgoing.end(rest);
        const response = await responseOf(outgoing);
        response.resume();
        expect(response.statusCode).toBe(200);
        expect(await client.isThere(first.study)).toBe(true);
        expect(await client.isThere(second.study)).toBe(true);
      }
      expect(await client.isThere(refused.study)).toBe(false);
      expect((await client.stow([refused.file])).status).toBe(200);
    });

    it('by uploads whose clients go: they make room', async () => {
      const uploads = [await beginUpload(), await beginUpload()];
      for (const { outgoing } of uploads) {
        const closed = new Promise((resolve) => outgoing.once('close', resolve));
        outgoing.destroy();
        await closed;
      }
      await until(() => service().services.heldHeaders.bytes === 0);
      const next = sample();
      await until(async () => (await client.stow([next.file])).status !== 503);
      expect(await client.isThere(next.study)).toBe(true);
    });

    it('by headers: the whole request is refused and leaves nothing', async () => {
      const small = sample();
      const large = sample({ overrides: [element('0040A160', 'UT', 'x'.repeat(500_000))] });
      const busy = await client.stow([small.file, large.file]);
      expect(busy.headers.get('retry-after')).toBe('5');
      expect(await client.refusal(busy, 503)).toContain(String(limits.heldHeaderBytes));
      for (const { study } of [small, large]) expect(await client.isThere(study)).toBe(false);
      expect(service().services.heldHeaders.bytes).toBe(0);
      expect((await client.stow([small.file])).status).toBe(200);
    });
  });
});
