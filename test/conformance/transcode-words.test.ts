/** Samples that share bytes or words with others, in other transfer syntaxes (PS3.5 §8.1.1, §A.3). */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { everyFrame } from '../../src/dicom/frames.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import { decodeFrame } from '../../src/dicom/pixel/decode-frame.js';
import type { ImagePixels } from '../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import { onEveryFace, pathOf, sample } from '../support/conformance.js';
import { element, ramp, syntaxes } from '../support/part10-builder.js';

const dicom = (syntax: string) => `application/dicom; transfer-syntax=${syntax}`;
const bits = (allocated: number) => [
  element('00280100', 'US', allocated),
  element('00280101', 'US', allocated),
  element('00280102', 'US', allocated - 1),
];
const size = (rows: number, columns: number, frames: number) => [
  element('00280008', 'IS', String(frames)),
  element('00280010', 'US', rows),
  element('00280011', 'US', columns),
];

const pixels: ImagePixels = {
  rows: 3,
  columns: 3,
  samplesPerPixel: 1,
  photometricInterpretation: 'MONOCHROME2',
  planarConfiguration: 0,
  bitsAllocated: 8,
  bitsStored: 8,
  highBit: 7,
  pixelRepresentation: 0,
};

/** What a file says, and its data set as it is once inflated. */
async function inflatedOf(file: Buffer) {
  const { frames, meta } = await parsePart10(file);
  // The group length of the file meta information, after preamble, prefix and its own 8 + 4 bytes.
  const start = 144 + file.readUInt32LE(140);
  const rest = file.subarray(start);
  const deflated = meta.transferSyntaxUID === syntaxes.deflated;
  return { frames, meta, dataSet: deflated ? inflateRawSync(rest) : rest };
}

onEveryFace((client) => {
  describe('GET an instance of an odd number of bytes in big-endian words', () => {
    const overrides = (frames: number) => [...bits(8), ...size(3, 3, frames)];

    it('encodes a single frame to its last sample', async () => {
      const samples = Buffer.from([1, 2, 3, 4, 5, 6, 7, 8, 9, 0]);
      const one = sample({
        transferSyntaxUID: syntaxes.bigEndian,
        overrides: overrides(1),
        pixelData: { native: Buffer.from(samples).swap16() },
      });
      await client.store(one);
      const file = await client.bytes(pathOf(one), dicom(syntaxes.rle));
      const { frames, meta } = await parsePart10(file);
      const [runs = []] = frames === undefined ? [] : everyFrame(frames);
      const payload = Buffer.concat(
        runs.map(({ offset, length }) => file.subarray(offset, offset + length)),
      );
      const frame = await decodeFrame(payload, pixels, meta.transferSyntaxUID, defaultPixelLimits);
      expect([...frame.bytes]).toEqual([...samples.subarray(0, 9)]);
    });

    it('does not offer to encode frames that share words', async () => {
      const two = sample({
        transferSyntaxUID: syntaxes.bigEndian,
        overrides: overrides(2),
        pixelData: { native: ramp(18) },
      });
      await client.store(two);
      await client.refusal(await client.get(pathOf(two), dicom(syntaxes.rle)), 406);
      const file = await client.bytes(pathOf(two), dicom(syntaxes.explicit));
      expect(file.subarray(-18)).toEqual(ramp(18).swap16());
    });
  });

  describe('GET an instance of single bits', () => {
    /** Four frames of 7 × 5 pixels, 18 bytes: each frame shares a byte with the next. */
    const packed = ramp(18);
    const native = [syntaxes.implicit, syntaxes.explicit, syntaxes.deflated, syntaxes.bigEndian];

    it.each(native)('keeps the bits of frames that share bytes, stored in %s', async (from) => {
      const one = sample({
        transferSyntaxUID: from,
        overrides: [...bits(1), ...size(7, 5, 4)],
        pixelData: { native: from === syntaxes.bigEndian ? Buffer.from(packed).swap16() : packed },
      });
      const response = await client.stow([one.file]);
      await response.arrayBuffer();
      expect(response.ok).toBe(true);
      const notSent: readonly string[] = client.face.microsoft ? [] : [syntaxes.implicit];
      for (const to of native.filter((uid) => ![...notSent, syntaxes.bigEndian].includes(uid))) {
        const file = await client.bytes(pathOf(one), dicom(to));
        const { frames, meta, dataSet } = await inflatedOf(file);
        expect(meta.transferSyntaxUID).toBe(to);
        expect(frames).toMatchObject({ kind: 'native', frames: 4, frameBits: 35, length: 18 });
        expect(dataSet.subarray(-18)).toEqual(packed);
      }
      // What would need each frame from a byte boundary on is not offered.
      await client.refusal(await client.get(pathOf(one), dicom(syntaxes.rle)), 406);
    });

    it('joins frames that do not fill whole bytes', async () => {
      const masks = [0b10101, 0b11011, 0b00111];
      const one = sample({
        transferSyntaxUID: '1.2.840.10008.1.2.8.1',
        overrides: [...bits(1), ...size(1, 5, 3)],
        pixelData: {
          fragments: masks.map((mask) => {
            const deflated = deflateRawSync(Uint8Array.of(mask));
            return Buffer.concat([deflated, Buffer.alloc(deflated.length % 2)]);
          }),
        },
      });
      await client.store(one);
      const file = await client.bytes(pathOf(one), dicom(syntaxes.explicit));
      const joined = 0b00111_11011_10101;
      expect(file.subarray(-2)).toEqual(Buffer.from([joined & 0xff, joined >> 8]));
      expect((await parsePart10(file)).frames).toMatchObject({
        frameBits: 5,
        frames: 3,
        length: 2,
      });
    });
  });
});
