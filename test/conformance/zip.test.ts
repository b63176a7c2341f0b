/** Studies, series and instances as ZIP archives (PS3.18, Supplement 211). */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  freshUids,
  onEveryDeployment,
  pathOf,
  sample,
  type Sample,
} from '../support/conformance.js';
import { begin, firstChunk, responseOf } from '../support/http-client.js';
import { syntaxes } from '../support/part10-builder.js';
import { readZip } from '../support/zip.js';

const zip = 'application/zip';

onEveryDeployment((client) => {
  describe('GET an archive', () => {
    /** In the order of their UIDs as text, which is that of archives. */
    const within = freshUids();
    const instances = [freshUids().instance, freshUids().instance].sort();
    const [first, second] = instances.map((instance) => sample({ ...within, instance })) as [
      Sample,
      Sample,
    ];
    const other = sample({
      study: first.study,
      transferSyntaxUID: syntaxes.jpegBaseline,
      pixelData: { fragments: [Buffer.from([0xff, 0xd8, 0xff, 0xd9])] },
    });
    const named = (series: number, number: number, { file }: Sample) => ({
      [`DICOM/STU00001/SER0000${series}/IMG0000${number}`]: file,
    });

    beforeAll(async () => {
      await client.store(first, second, other);
    });

    it('has the files of a study, a series and an instance, byte for byte', async () => {
      const { study, series } = first;
      const at = series < other.series ? 1 : 2;
      const ofSeries = (number: number) => ({
        ...named(number, 1, first),
        ...named(number, 2, second),
      });
      for (const [path, name, files] of [
        [pathOf({ study }), study, { ...ofSeries(at), ...named(3 - at, 1, other) }],
        [pathOf({ study, series }), series, ofSeries(1)],
        [pathOf(second), second.instance, named(1, 1, second)],
      ] as const) {
        const response = await client.get(path, zip);
        expect(response.status).toBe(200);
        expect(response.headers.get('content-type')).toBe(zip);
        expect(response.headers.get('content-encoding')).toBeNull();
        expect(response.headers.get('content-disposition')).toBe(
          `attachment; filename="${name}.zip"`,
        );
        expect(readZip(Buffer.from(await response.arrayBuffer()))).toEqual(files);
      }
    });

    it('comes to a link that asks for it', async () => {
      const response = await client.get(`${pathOf(first)}?accept=${zip}`, 'text/html, */*');
      expect(readZip(Buffer.from(await response.arrayBuffer()))).toEqual(named(1, 1, first));
    });

    it('comes to none that does not', async () => {
      const response = await client.get(pathOf({ study: first.study }), '*/*');
      await response.arrayBuffer();
      expect(response.headers.get('content-type')).toMatch(/^multipart\/related/);
    });

    it('is 404 where nothing is stored, 400 for what is no UID', async () => {
      await client.refusal(await client.get('/studies/1.2.3.4.5', zip), 404);
      await client.refusal(await client.get(pathOf({ ...first, instance: '1.2.3' }), zip), 404);
      await client.refusal(await client.get('/studies/x', zip), 400);
    });

    it('can be given up', async () => {
      const large = sample({ pixelData: { native: Buffer.alloc(8 * 1024 ** 2, 3) } });
      await client.store(large);
      const outgoing = begin(client.url(pathOf(large)), { headers: { accept: zip } });
      outgoing.end();
      const incoming = await responseOf(outgoing);
      await firstChunk(incoming);
      outgoing.destroy();
      const files = readZip(await client.bytes(pathOf(large), zip));
      expect(Object.values(files).map((file) => large.file.equals(file))).toEqual([true]);
    });
  });
});
