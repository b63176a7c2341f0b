/** WADO-URI (PS3.18 §9): files and pictures by a query, as older viewers ask. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, onEveryFace, pathOf, sample, type Sample } from '../support/conformance.js';
import { element, syntaxes } from '../support/part10-builder.js';

function uriOf(
  { study, series, instance }: Pick<Sample, 'study' | 'series' | 'instance'>,
  more: Readonly<Record<string, string>> = {},
): string {
  const names = { requestType: 'WADO', studyUID: study, seriesUID: series, objectUID: instance };
  return `/wado?${new URLSearchParams({ ...names, ...more }).toString()}`;
}

onEveryFace((client) => {
  const { microsoft } = client.face;
  const image = sample({
    overrides: [element('00280008', 'IS', '2')],
    pixelData: { native: Buffer.concat([Buffer.alloc(512, 1), Buffer.alloc(512, 9)]) },
  });
  /** Its pixels are twice as high as wide. */
  const oblong = sample({ overrides: [element('00280030', 'DS', '1', '0.5')] });
  const plan = sample({ pixelData: null });

  beforeAll(async () => {
    await client.store(image, oblong, plan);
  });

  const dicom = { contentType: 'application/dicom' };

  describe('GET /wado', () => {
    it('gives the file', async () => {
      for (const transferSyntax of ['*', syntaxes.explicit]) {
        const response = await client.get(uriOf(image, { ...dicom, transferSyntax }));
        expect(response.headers.get('content-type')).toBe(
          `application/dicom; transfer-syntax=${syntaxes.explicit}`,
        );
        expect(Buffer.from(await response.arrayBuffer())).toEqual(image.file);
      }
      expect(await client.bytes(uriOf(image, dicom), 'image/jpeg')).toEqual(image.file);
      const range = { headers: { Range: 'bytes=0-131' } };
      const part = await client.send('GET', uriOf(image, { ...dicom, transferSyntax: '*' }), range);
      expect([part.status, (await part.arrayBuffer()).byteLength]).toEqual([206, 132]);
    });

    it('gives what /rendered gives', async () => {
      const rendered = `${pathOf(image)}/frames/2/rendered`;
      const jpeg = await client.bytes(rendered, 'image/jpeg');
      const one = { frameNumber: '2' };
      expect(
        await client.bytes(uriOf(image, { ...one, contentType: 'image/jpeg' }), '*/*'),
      ).toEqual(microsoft ? expect.anything() : jpeg);
      const png = await client.get(uriOf(image, { ...one, contentType: 'image/png' }));
      expect(png.headers.get('content-type')).toBe('image/png');
      expect(Buffer.from(await png.arrayBuffer())).toEqual(
        await client.bytes(rendered, 'image/png'),
      );
    });

    it.each([
      [{ rows: '8', columns: '8' }, [8, 8]],
      [{ rows: '8' }, [8, 8]],
      [{ region: '0,0,0.5,1' }, [8, 16]],
      [{ region: '0,0,0.5,1', columns: '4' }, [4, 8]],
      [{ windowCenter: '100', windowWidth: '50', imageQuality: '50' }, [16, 16]],
    ] as const)('renders with %j', async (more, [width, height]) => {
      const uri = uriOf(image, { contentType: 'image/png', frameNumber: '1', ...more });
      const png = await client.bytes(uri, '*/*');
      expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([width, height]);
    });

    it.each([
      ['as they are', {}, '', [16, 16]],
      ['to the millimetre', { rows: '64', columns: '64' }, '?viewport=64,64', [32, 64]],
    ] as const)(
      'shows pixels that are not square %s, as /rendered does',
      async (_, more, query, size) => {
        const uri = uriOf(oblong, { contentType: 'image/png', ...more });
        for (const path of [uri, `${pathOf(oblong)}/rendered${query}`]) {
          const png = await client.bytes(path, 'image/png');
          // Microsoft's renderings know no viewport.
          const expected = microsoft && path !== uri ? [16, 16] : size;
          expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual(expected);
        }
      },
    );

    it('gives the file of what has no picture, to those who do not insist on one', async () => {
      for (const more of [{}, { contentType: 'image/jpeg,application/dicom' }]) {
        const response = await client.get(uriOf(plan, more));
        expect(Buffer.from(await response.arrayBuffer())).toEqual(plan.file);
      }
      await client.refusal(await client.get(uriOf(plan, { contentType: 'image/jpeg' })), 404);
    });

    it.each([
      ['requestType', { requestType: 'QIDO' }],
      ['studyUID', { studyUID: '' }],
      ['series', { seriesUID: 'x' }],
      ['transferSyntax', { ...dicom, transferSyntax: '1.2\r\n' + 'x' }],
      ['contentType', { contentType: 'picture' }],
      ['frameNumber', { frameNumber: '0' }],
      ['frameNumber', { ...dicom, frameNumber: '1' }],
      ['rows', { rows: '0' }],
      ['region', { region: '0,0,2,1' }],
      ['region', { region: '0.5,0,0.5,1' }],
      ['windowWidth', { windowCenter: '5' }],
      ['anonymize', { anonymize: 'yes' }],
      ['presentationUID', { presentationUID: '1.2.3' }],
    ] as const)('refuses a wrong %s: %j', async (name, more) => {
      expect(await client.refusal(await client.get(uriOf(image, more)), 400)).toContain(name);
    });

    it('answers 404 to what is not stored, and 406 to what cannot be had', async () => {
      const gone = uriOf({ ...image, instance: fresh() }, dicom);
      await client.refusal(await client.get(gone), 404);
      await client.refusal(await client.get(uriOf(image, { frameNumber: '3' })), 404);
      await client.refusal(await client.get(uriOf(image, { contentType: 'text/plain' })), 406);
    });
  });
});
