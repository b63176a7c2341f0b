/** Bulk data in a transfer syntax that the request names (PS3.18 §8.7.3), one for each profile. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import {
  fresh,
  onEveryFace,
  pathOf,
  sample,
  type Client,
  type Sample,
} from '../support/conformance.js';
import { element, ramp, syntaxes } from '../support/part10-builder.js';
import { pixelsOf } from '../support/dicom/pixel-frames.js';

const inParts = 'multipart/related; type="application/octet-stream"';
const asStored = `${inParts}; transfer-syntax=*`;
const octetStream = 'application/octet-stream';

onEveryFace((client) => {
  describe('GET bulk data in a transfer syntax (PS3.18 §8.7.3)', () => {
    const { microsoft } = client.face;
    const frames = [ramp(512), Buffer.from(ramp(512)).reverse()] as const;
    const value = Buffer.concat(frames);
    const two = element('00280008', 'IS', '2');
    const pixels = pixelsOf({ rows: 16, columns: 16, bitsAllocated: 16 });
    const study = fresh();
    const plain = sample({ study, overrides: [two], pixelData: { native: value } });
    const big = sample({
      study,
      series: plain.series,
      transferSyntaxUID: syntaxes.bigEndian,
      overrides: [two],
      pixelData: { native: Buffer.from(value).swap16() },
    });
    let packed: Sample;
    const levels = () => [
      pathOf(packed),
      pathOf({ study, series: plain.series }),
      pathOf({ study }),
    ];
    const typesOf = (parts: Awaited<ReturnType<Client['parts']>>) => [
      ...new Set(parts.map(({ headers }) => headers['Content-Type'])),
    ];
    const bodiesOf = (parts: Awaited<ReturnType<Client['parts']>>) =>
      parts.map(({ body }) => body.toString('hex')).toSorted();
    const hex = (...bodies: readonly Buffer[]) =>
      bodies.map((body) => body.toString('hex')).toSorted();

    beforeAll(async () => {
      const fragments: Buffer[] = [];
      for (const bytes of frames) {
        const { bytes: coded } = await encodeFrame(
          { pixels, bytes },
          syntaxes.rle as TransferSyntaxUID,
        );
        fragments.push(Buffer.concat([coded, Buffer.alloc(coded.length % 2)]));
      }
      packed = sample({
        study,
        series: plain.series,
        transferSyntaxUID: syntaxes.rle,
        overrides: [two],
        pixelData: { fragments },
      });
      await client.storeAny(plain, big, packed);
    });

    it('decodes the value of compressed pixel data by default, alone and as one part', async () => {
      const url = `${pathOf(packed)}/bulkdata/7FE00010`;
      const type = `${octetStream}; transfer-syntax=${syntaxes.explicit}`;
      for (const accept of [octetStream, `${octetStream}; transfer-syntax=${syntaxes.explicit}`]) {
        const response = await client.get(url, accept);
        expect(response.headers.get('content-type')).toBe(type);
        expect(Buffer.from(await response.arrayBuffer())).toEqual(value);
      }
      expect(await client.parts(url, inParts)).toEqual([
        { headers: { 'Content-Type': type, 'Content-Location': client.url(url) }, body: value },
      ]);
    });

    it('compresses the frames of a native value for those who ask for that', async () => {
      const accept = `multipart/related; type="image/dicom-rle"; transfer-syntax=${syntaxes.rle}`;
      const parts = await client.parts(`${pathOf(plain)}/bulkdata/7FE00010`, accept);
      expect(parts.map(({ headers }) => headers)).toEqual(
        [1, 2].map((frame) => ({
          'Content-Type': `image/dicom-rle; transfer-syntax=${syntaxes.rle}`,
          'Content-Location': client.url(`${pathOf(plain)}/frames/${frame}`),
        })),
      );
      expect(parts).toEqual(await client.parts(`${pathOf(plain)}/frames/1,2`, accept));
    });

    it('sends all values and all frames decoded, in little endian', async () => {
      for (const [at, path] of levels().entries()) {
        const instances = at === 0 ? 1 : 3;
        const values = await client.parts(`${path}/bulkdata`, inParts);
        expect(bodiesOf(values)).toEqual(hex(...Array.from({ length: instances }, () => value)));
        const parts = await client.parts(`${path}/pixeldata`, inParts);
        const all = Array.from({ length: instances }, () => frames).flat();
        expect(bodiesOf(parts)).toEqual(hex(...all));
        expect(typesOf(parts)).toEqual([`${octetStream}; transfer-syntax=${syntaxes.explicit}`]);
      }
    });

    it('accepts an explicit transfer syntax of pixel data, and sends that', async () => {
      for (const path of levels()) {
        const named = await client.parts(
          `${path}/pixeldata`,
          `${inParts}; transfer-syntax=${syntaxes.explicit}`,
        );
        expect(named).toEqual(await client.parts(`${path}/pixeldata`, inParts));
        const accept = `multipart/related; type="image/jls"; transfer-syntax=${syntaxes.jpegLs}`;
        const response = await client.get(`${path}/pixeldata`, accept);
        await response.arrayBuffer();
        expect(response.headers.get('content-type')).toContain('type="image/jls"');
        const parts = await client.parts(`${path}/pixeldata`, accept);
        expect(typesOf(parts)).toEqual([`image/jls; transfer-syntax=${syntaxes.jpegLs}`]);
      }
    });

    it('labels no compressed frame as plain bytes', async () => {
      if (microsoft) return;
      for (const path of levels()) {
        for (const accept of [asStored, '*/*']) {
          for (const name of ['bulkdata', 'pixeldata']) {
            const parts = await client.parts(`${path}/${name}`, accept);
            const rle = parts.filter(({ headers }) =>
              headers['Content-Type']?.includes(syntaxes.rle),
            );
            expect(rle).toHaveLength(2);
            expect(typesOf(rle)).toEqual([`image/dicom-rle; transfer-syntax=${syntaxes.rle}`]);
            expect(JSON.stringify(typesOf(parts))).not.toContain(syntaxes.bigEndian);
          }
        }
      }
    });

    it('refuses before the first byte what one of the instances cannot be had in', async () => {
      const baseline = `multipart/related; type="image/jpeg"; transfer-syntax=${syntaxes.jpegBaseline}`;
      for (const path of levels()) {
        await client.refusal(await client.get(`${path}/pixeldata`, baseline), 406);
      }
      await client.refusal(await client.get(`${pathOf({ study: fresh() })}/pixeldata`, 'a/b'), 406);
      await client.refusal(await client.get(`${pathOf({ study: fresh() })}/bulkdata`, 'a/b'), 406);
    });
  });

  describe('GET pixel data of 1-bit pixels', () => {
    it('gives each frame its own bits alone, from a byte on', async () => {
      const one = sample({
        overrides: [
          element('00280008', 'IS', '3'),
          element('00280010', 'US', 3),
          element('00280011', 'US', 4),
          element('00280100', 'US', 1),
          element('00280101', 'US', 1),
          element('00280102', 'US', 0),
        ],
        pixelData: { native: Buffer.from([1, 2, 3, 4, 5, 0]), vr: 'OB' },
      });
      await client.store(one);
      const parts = await client.parts(`${pathOf(one)}/pixeldata`, inParts);
      expect(parts.map(({ body }) => [...body])).toEqual([
        [1, 2],
        [48, 0],
        [4, 5],
      ]);
    });
  });
});
