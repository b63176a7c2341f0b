/** Data beyond one row, one page or one transaction: it must not show anywhere. */
import { createCipheriv } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import {
  fresh,
  onEveryFace,
  pathOf,
  sample,
  until,
  valueOf,
  type Client,
} from '../support/conformance.js';
import { element, ramp, syntaxes } from '../support/part10-builder.js';

/** Text that does not compress, so that it needs the room it takes. */
function noise(length: number): string {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16));
  return cipher.update(Buffer.alloc((length * 3) / 4)).toString('base64');
}

const text = noise(1_200_000);
const fragments = Array.from({ length: 3000 }, (_, index) =>
  Buffer.from([0xff, 0xd8, index >> 8, index & 255, 0xff, 0xd9]),
);

/** The blobs that hold something of a study once recovery has cleared away what nobody needs. */
async function blobsOf(client: Client, study: string): Promise<readonly string[]> {
  await client.service.services.archive.recover();
  const { blobs } = client.service.services.archive;
  if (!(blobs instanceof MemoryBlobStore)) throw new Error('Only memory can be looked into.');
  return [...blobs.names('instances'), ...blobs.names('derived')].filter((name) =>
    name.includes(study),
  );
}

onEveryFace((client) => {
  describe('an instance with a megabyte of attributes and thousands of fragments', () => {
    const one = sample({
      overrides: [element('00189999', 'UT', text), element('00280008', 'IS', '3000')],
      transferSyntaxUID: syntaxes.jpegBaseline,
      pixelData: { fragments },
    });

    beforeAll(async () => {
      await client.store(one);
    });

    it('is retrieved like any other', async () => {
      const file = await client.bytes(pathOf(one), 'application/dicom; transfer-syntax=*');
      // Comparing a megabyte with toEqual takes seconds.
      expect(file.equals(one.file)).toBe(true);
      const [dataSet] = await client.json(`/studies/${one.study}/metadata`);
      expect(valueOf(dataSet, '00189999') === text).toBe(true);
      const parts = await client.parts(
        `${pathOf(one)}/frames/3000,1`,
        'multipart/related; type="application/octet-stream"; transfer-syntax=*',
      );
      expect(parts.map(({ body }) => body)).toEqual([fragments[2999], fragments[0]]);
    });

    it('is found by attributes that are small, and shows those that are large', async () => {
      const [result] = await client.json(
        `/studies/${one.study}/instances?SOPInstanceUID=${one.instance}&includefield=00189999`,
      );
      expect(valueOf(result, '00189999') === text).toBe(true);
    });

    it('leaves no blob when it is deleted', async () => {
      expect((await blobsOf(client, one.study)).length).toBeGreaterThan(1);
      expect(await client.remove(pathOf(one))).toBe(204);
      await until(async () => (await blobsOf(client, one.study)).length === 0);
      expect(await client.isThere(one.study)).toBe(false);
    });
  });
});

onEveryFace((client) => {
  // The profiles share what this is about.
  if (client.face.name !== 'v2') return;

  describe('a study of more than a thousand instances', () => {
    const count = 1005;
    const study = fresh();
    const series = fresh();
    const samples = Array.from({ length: count }, () =>
      sample({ study, series, pixelData: { native: ramp(2) } }),
    );
    const all = samples.map(({ instance }) => instance).sort();

    beforeAll(async () => {
      await client.store(...samples);
    });

    it('is whole in metadata, retrieve and counts', async () => {
      const dataSets = await client.json(`/studies/${study}/metadata`);
      expect(dataSets.map((one) => valueOf(one, '00080018')).sort()).toEqual(all);
      const parts = await client.parts(`/studies/${study}/series/${series}`, '*/*');
      expect(parts).toHaveLength(count);
      const [result] = await client.json(
        `/studies?StudyInstanceUID=${study}&includefield=00201208`,
      );
      expect(valueOf(result, '00201208')).toBe(count);
    });

    it('is listed page by page, each instance once', async () => {
      const seen: unknown[] = [];
      for (let offset = 0; ; offset += 200) {
        const page = await client.json(`/studies/${study}/instances?limit=200&offset=${offset}`);
        seen.push(...page.map((one) => valueOf(one, '00080018')));
        if (page.length < 200) break;
      }
      expect(seen.sort()).toEqual(all);
    });

    it('is deleted as a whole', async () => {
      expect(await client.remove(pathOf({ study }))).toBe(204);
      expect(await client.isThere(study)).toBe(false);
      expect(await client.json(`/instances?SOPInstanceUID=${all[0] ?? ''}`)).toEqual([]);
      await until(async () => (await blobsOf(client, study)).length === 0);
    });
  });
});
