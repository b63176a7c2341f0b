/** Retrieve of frames (PS3.18 §10.4.1.1.6): native, encapsulated and deflated, in the order asked. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import { fresh, onEveryDeployment, pathOf, sample } from '../support/conformance.js';
import { element, ramp, syntaxes, type SampleSpec } from '../support/part10-builder.js';

const asStored = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';

/** Bytes that look like the codestream of a frame. */
function codestream(mark: number, length: number): Buffer {
  return Buffer.concat([
    Buffer.from([0xff, 0xd8, 0xff, mark]),
    Buffer.alloc(length - 6, mark),
    Buffer.from([0xff, 0xd9]),
  ]);
}

const frames = [codestream(0xc1, 20), codestream(0xc2, 40), codestream(0xc3, 30)] as const;
const threeFrames = element('00280008', 'IS', '3');
const nativeFrames = [0, 1, 2].map((mark) => Buffer.alloc(512, ramp(mark + 16))) as [
  Buffer,
  Buffer,
  Buffer,
];

interface Pixels extends SampleSpec {
  readonly name: string;
  readonly expected: readonly Buffer[];
}

const pixels: readonly Pixels[] = [
  {
    name: 'native',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.explicit,
    pixelData: { native: Buffer.concat(nativeFrames) },
    expected: nativeFrames,
  },
  {
    name: 'native big endian',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.bigEndian,
    pixelData: { native: Buffer.concat(nativeFrames) },
    expected: nativeFrames,
  },
  {
    name: 'deflated',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.deflated,
    pixelData: { native: Buffer.concat(nativeFrames) },
    expected: nativeFrames,
  },
  {
    name: 'encapsulated with an empty offset table, a fragment per frame',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.jpegBaseline,
    pixelData: { fragments: frames },
    expected: frames,
  },
  {
    name: 'encapsulated with an offset table, several fragments per frame',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.jpegBaseline,
    pixelData: {
      fragments: [
        frames[0].subarray(0, 8),
        frames[0].subarray(8),
        frames[1],
        frames[2].subarray(0, 10),
        frames[2].subarray(10, 20),
        frames[2].subarray(20),
      ],
      offsetTable: [0, 36, 84],
    },
    expected: frames,
  },
  {
    name: 'encapsulated without an offset table, several fragments per frame',
    overrides: [threeFrames],
    transferSyntaxUID: syntaxes.jpegBaseline,
    pixelData: {
      fragments: [frames[0], frames[1].subarray(0, 24), frames[1].subarray(24), frames[2]],
    },
    expected: frames,
  },
];

onEveryDeployment((client) => {
  describe('GET frames', () => {
    /** For tests that only read. */
    const single = sample();

    beforeAll(async () => {
      await client.store(single);
    });

    it.each(pixels)('gives the frames of pixel data that is $name', async (spec) => {
      const one = sample(spec);
      const path = `${pathOf(one)}/frames`;
      await client.store(one);
      const bodies = async (list: string) =>
        (await client.parts(`${path}/${list}`, asStored)).map(({ body }) => body);
      // Web services send no big endian (PS3.18 §8.7.3): samples of two bytes are turned round.
      const isTurned = !client.face.microsoft && spec.transferSyntaxUID === syntaxes.bigEndian;
      const [first, second, third] = isTurned
        ? spec.expected.map((frame) => Buffer.from(frame).swap16())
        : spec.expected;
      expect(await bodies('1')).toEqual([first]);
      expect(await bodies('2')).toEqual([second]);
      expect(await bodies('1,2,3')).toEqual([first, second, third]);
      expect(await bodies('3%2C1')).toEqual([third, first]);
      expect(await bodies('2,2')).toEqual([second, second]);
      expect(
        await client.bytes(`${path}/3`, 'application/octet-stream; transfer-syntax=*'),
      ).toEqual(third);
      await client.refusal(await client.get(`${path}/4`, asStored), 404);
      await client.refusal(await client.get(`${path}/1,4`, asStored), 404);
    });

    it('starts frames of single bits on a byte, without bits of their neighbours', async () => {
      // Three frames of 3 × 3 pixels, set where frames are odd; they lie in 27 bits of four bytes.
      const one = sample({
        overrides: [
          threeFrames,
          element('00280010', 'US', 3),
          element('00280011', 'US', 3),
          element('00280100', 'US', 1),
          element('00280101', 'US', 1),
          element('00280102', 'US', 0),
        ],
        transferSyntaxUID: syntaxes.explicit,
        pixelData: { native: Buffer.from([0xff, 0x01, 0xfc, 0x07]) },
      });
      await client.store(one);
      const [full, empty] = [Buffer.from([0xff, 0x01]), Buffer.from([0x00, 0x00])];
      const bodies = async (path: string, accept: string) =>
        (await client.parts(`${pathOf(one)}/${path}`, accept)).map(({ body }) => body);
      expect(await bodies('frames/1,2,3,3', asStored)).toEqual([full, empty, full, full]);
      const alone = `${pathOf(one)}/frames/3`;
      const octets = 'application/octet-stream; transfer-syntax=*';
      expect(await client.bytes(alone, octets)).toEqual(full);
      const second = await client.send('GET', alone, {
        headers: { accept: octets, range: 'bytes=1-1' },
      });
      expect(second.status).toBe(206);
      expect(Buffer.from(await second.arrayBuffer())).toEqual(full.subarray(1));
      expect(await bodies('pixeldata', asStored)).toEqual([full, empty, full]);
    });

    it('says of each part where and in which syntax it is', async () => {
      const one = sample({
        overrides: [threeFrames],
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: frames },
      });
      await client.store(one);
      const list = `${pathOf(one)}/frames/3,1`;
      const answer = await client.get(list, asStored);
      const { byteLength } = await answer.arrayBuffer();
      expect(answer.headers.get('content-length')).toBe(String(byteLength));
      const parts = await client.parts(list, asStored);
      expect(parts.map(({ headers }) => headers)).toEqual(
        [3, 1].map((frame) => ({
          'Content-Type': `${client.face.microsoft ? 'application/octet-stream' : 'image/jpeg'}; transfer-syntax=${syntaxes.jpegBaseline}`,
          'Content-Location': client.url(`${pathOf(one)}/frames/${frame}`),
        })),
      );
    });

    it.each([
      ['OHIF', 'multipart/related; type="application/octet-stream"; transfer-syntax="*"'],
      ['cornerstone', 'multipart/related; type=application/octet-stream; transfer-syntax=*'],
      ['dicomweb-client for Python', 'multipart/related; type="*/*"'],
      ['dicomweb-client', 'multipart/related; type="application/octet-stream"'],
      ['old microscopy viewers', '*/*'],
      [
        'MONAI',
        `multipart/related; type="application/octet-stream"; transfer-syntax=${syntaxes.explicit}`,
      ],
    ])('answers %s', async (_client, accept) => {
      const [part, ...others] = await client.parts(`${pathOf(single)}/frames/1`, accept);
      expect(others).toEqual([]);
      expect(part?.body).toEqual(ramp(512));
      expect(part?.headers['Content-Type']).toBe(
        `application/octet-stream; transfer-syntax=${syntaxes.explicit}`,
      );
    });

    it('gives compressed frames by their image type', async () => {
      const one = sample({
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [frames[0]] },
      });
      await client.store(one);
      const accept = 'multipart/related; type="image/jpeg"';
      const [part] = await client.parts(`${pathOf(one)}/frames/1`, accept);
      expect(part?.headers['Content-Type']).toBe(
        `image/jpeg; transfer-syntax=${syntaxes.jpegBaseline}`,
      );
      expect(part?.body).toEqual(frames[0]);
    });

    it.each(['0', '-1', '1.5', 'a', '1,', ',', '1,,2', '1;2', '0,1', '%20'])(
      'refuses the frame list %p, of an instance that is there or not',
      async (list) => {
        for (const path of [pathOf(single), pathOf({ ...single, instance: fresh() })]) {
          const response = await client.get(`${path}/frames/${list}`, asStored);
          expect(await client.refusal(response, 400)).toMatch(/frame/);
        }
      },
    );

    it('answers 404 for an instance that is not there, and for one without pixel data', async () => {
      const one = sample({ pixelData: null });
      await client.store(one);
      await client.refusal(await client.get(`${pathOf(one)}/frames/1`, asStored), 404);
      const gone = pathOf({ ...one, instance: fresh() });
      await client.refusal(await client.get(`${gone}/frames/1`, asStored), 404);
    });

    it('answers 404 for an empty frame, and no 5xx wherever it is asked for', async () => {
      const one = sample({
        overrides: [threeFrames],
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [frames[0], Buffer.alloc(0), frames[2]] },
      });
      const alone = sample({
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [Buffer.alloc(0)] },
      });
      await client.store(one, alone);
      for (const path of [`${pathOf(one)}/frames/2`, `${pathOf(alone)}/frames/1`]) {
        for (const accept of [asStored, 'multipart/related; type="application/octet-stream"']) {
          await client.refusal(await client.get(path, accept), 404);
        }
        const rendered = await client.get(`${path}/rendered`, 'image/jpeg');
        await client.refusal(rendered, 406);
      }
      for (const path of ['', '/rendered', '/pixeldata', '/bulkdata/7FE00010', '/bulkdata']) {
        for (const { study, series, instance } of [one, alone]) {
          const response = await client.get(pathOf({ study, series, instance }) + path);
          await response.arrayBuffer();
          expect([200, 404, 406]).toContain(response.status);
        }
      }
    });

    it('refuses two frames as a single part', async () => {
      const one = sample({
        overrides: [threeFrames],
        pixelData: { native: Buffer.concat(nativeFrames) },
      });
      await client.store(one);
      const response = await client.get(
        `${pathOf(one)}/frames/1,2`,
        'application/octet-stream; transfer-syntax=*',
      );
      await client.refusal(response, client.face.microsoft ? 400 : 406);
    });

    it('answers 406 to what no frame comes in before it looks for the instance', async () => {
      const gone = pathOf({ ...single, instance: fresh() });
      await client.refusal(await client.get(`${gone}/frames/1`, 'text/html'), 406);
      await client.refusal(await client.get(gone, 'image/png'), 406);
    });

    it('answers 406 to a media type that it cannot give', async () => {
      const response = await client.get(
        `${pathOf(single)}/frames/1`,
        'multipart/related; type="video/mp4"',
      );
      expect(await client.refusal(response, 406)).toContain('application/octet-stream');
    });
  });
});
