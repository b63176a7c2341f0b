import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PNG } from 'pngjs';
import { gifWriter } from '../../../../src/dicom/pixel/render/formats/encode-gif.js';
import { encodeJp2 } from '../../../../src/dicom/pixel/render/formats/encode-jp2.js';
import { encodeJpeg } from '../../../../src/dicom/pixel/render/formats/encode-jpeg.js';
import { encodePng } from '../../../../src/dicom/pixel/render/formats/encode-png.js';
import type { Picture } from '../../../../src/dicom/pixel/render/picture.js';
import { srgbProfile } from '../../../../src/dicom/pixel/render/srgb-profile.js';

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  getFrameInfo(): { width: number; height: number; componentCount: number };
}

const load = createRequire(__filename);

async function decoded(specifier: string, name: string, bytes: Uint8Array) {
  const codec = await (
    load(specifier) as () => Promise<Readonly<Record<string, new () => Decoder>>>
  )();
  const DecoderClass = codec[name];
  if (DecoderClass === undefined) throw new Error(`no ${name}`);
  const decoder = new DecoderClass();
  decoder.getEncodedBuffer(bytes.length).set(bytes);
  decoder.decode();
  const { width, height, componentCount } = decoder.getFrameInfo();
  return { width, height, componentCount, data: Array.from(decoder.getDecodedBuffer()) };
}

const jpeg = async (bytes: Uint8Array) =>
  await decoded('@cornerstonejs/codec-libjpeg-turbo-8bit/wasmjs', 'JPEGDecoder', bytes);

/** A gentle slope, so that JPEG does well on it. */
function slope(width: number, height: number, channels: 1 | 3): Picture {
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) => {
    const pixel = Math.floor(at / channels);
    return (pixel % width) * 3 + Math.floor(pixel / width) * 2 + (at % channels) * 20;
  });
  return { width, height, channels, data };
}

const pictures = fc
  .record({
    width: fc.integer({ min: 1, max: 40 }),
    height: fc.integer({ min: 1, max: 40 }),
    channels: fc.constantFrom<1 | 3>(1, 3),
  })
  .chain(({ width, height, channels }) =>
    fc
      .uint8Array({
        minLength: width * height * channels,
        maxLength: width * height * channels,
      })
      .map((data): Picture => ({ width, height, channels, data })),
  );

/** The colours as a PNG reader has them, without its opacity. */
function opaque({ data }: PNG, channels: 1 | 3): number[] {
  return Array.from(data).filter((_, at) => at % 4 < channels);
}

describe('encodePng', () => {
  it('writes what another implementation reads back', async () => {
    await fc.assert(
      fc.asyncProperty(pictures, async (picture) => {
        const read = PNG.sync.read(Buffer.from(await encodePng(picture)));
        expect([read.width, read.height]).toEqual([picture.width, picture.height]);
        expect(opaque(read, picture.channels)).toEqual(Array.from(picture.data));
      }),
    );
  });

  it('carries a profile in colour pictures alone', async () => {
    const color = Buffer.from(await encodePng(slope(8, 8, 3), srgbProfile));
    expect(color.includes('iCCP')).toBe(true);
    expect(opaque(PNG.sync.read(color), 3)).toEqual(Array.from(slope(8, 8, 3).data));
    const grey = Buffer.from(await encodePng(slope(8, 8, 1), srgbProfile));
    expect(grey.includes('iCCP')).toBe(false);
  });
});

describe('encodeJpeg', () => {
  it.each([1, 3] as const)('writes %d channels close to the picture', async (channels) => {
    const picture = slope(33, 21, channels);
    const read = await jpeg(await encodeJpeg(picture, 95));
    expect(read).toMatchObject({ width: 33, height: 21, componentCount: channels });
    const worst = Math.max(
      ...read.data.map((level, at) => Math.abs(level - (picture.data[at] ?? 0))),
    );
    expect(worst).toBeLessThan(12);
  });

  it.each([
    [2, 2],
    [1, 1],
    [1, 63],
    [7, 9],
    [20, 3],
  ])('writes a tiny picture of %d × %d', async (width, height) => {
    for (const channels of [1, 3] as const) {
      for (const quality of [50, 95]) {
        const picture = slope(width, height, channels);
        const read = await jpeg(await encodeJpeg(picture, quality));
        expect(read).toMatchObject({ width, height, componentCount: channels });
        const off = read.data.map((level, at) => Math.abs(level - (picture.data[at] ?? 0)));
        expect(Math.max(...off)).toBeLessThan(quality === 95 ? 12 : 30);
      }
    }
  });

  it('writes noise at the best quality, which is larger than the picture', async () => {
    const noise = (channels: 1 | 3): Picture => ({
      width: 16,
      height: 16,
      channels,
      data: Uint8Array.from({ length: 256 * channels }, (_, at) => (at * 7919) % 251),
    });
    for (const channels of [1, 3] as const) {
      expect(await jpeg(await encodeJpeg(noise(channels), 100))).toMatchObject({ width: 16 });
    }
  });

  it('is smaller at a lower quality', async () => {
    const [low, high] = await Promise.all(
      [10, 100].map(async (quality) => (await encodeJpeg(slope(64, 64, 3), quality)).length),
    );
    expect(low).toBeLessThan(high ?? 0);
  });

  it('carries a profile in one segment, or several', async () => {
    const long = new Uint8Array(150_000).fill(5);
    for (const profile of [srgbProfile, long]) {
      const bytes = Buffer.from(await encodeJpeg(slope(16, 16, 3), 90, profile));
      const pieces = bytes.toString('latin1').split('ICC_PROFILE\0').length - 1;
      expect(pieces).toBe(Math.ceil(profile.length / 65_519));
      expect(await jpeg(bytes)).toMatchObject({ width: 16, height: 16 });
    }
  });

  it('refuses pictures that are too long for it', async () => {
    const long = { width: 65_501, height: 1, channels: 1, data: new Uint8Array(65_501) } as const;
    await expect(encodeJpeg(long, 90)).rejects.toMatchObject({ code: 'pixel-data-unsupported' });
  });
});

describe('encodeJp2', () => {
  it.each([1, 3] as const)('writes %d channels without loss', async (channels) => {
    const picture = slope(33, 5, channels);
    const bytes = Buffer.from(await encodeJp2(picture));
    expect(bytes.subarray(4, 12).toString('hex')).toBe('6a5020200d0a870a');
    const codestream = bytes.subarray(bytes.indexOf('jp2c') + 4);
    const read = await decoded('@cornerstonejs/codec-openjpeg/wasmjs', 'J2KDecoder', codestream);
    expect(read).toEqual({
      width: 33,
      height: 5,
      componentCount: channels,
      data: Array.from(picture.data),
    });
  });
});

describe('gifWriter', () => {
  it('writes every frame with its delay, and repeats', () => {
    const gif = gifWriter(40);
    for (const level of [0, 128, 255]) {
      gif.add({ width: 2, height: 2, channels: 1, data: new Uint8Array(4).fill(level) });
    }
    const bytes = Buffer.from(gif.finish());
    expect(bytes.subarray(0, 10).toString('latin1')).toBe('GIF89a\x02\0\x02\0');
    expect(bytes.includes('NETSCAPE2.0')).toBe(true);
    // A graphic control extension before each frame, with 4 hundredths of a second.
    const controls = bytes.toString('hex').match(/21f904..0400/g) ?? [];
    expect(controls).toHaveLength(3);
    expect(bytes.at(-1)).toBe(0x3b);
  });

  it('writes colours', () => {
    const gif = gifWriter(100);
    gif.add(slope(16, 16, 3));
    expect(Buffer.from(gif.finish()).subarray(0, 6).toString('latin1')).toBe('GIF89a');
  });
});

describe('srgbProfile', () => {
  it('is as long as its header says, and holds its elements', () => {
    const profile = Buffer.from(srgbProfile);
    expect(profile.readUInt32BE(0)).toBe(profile.length);
    expect(profile.toString('latin1', 36, 40)).toBe('acsp');
    const count = profile.readUInt32BE(128);
    expect(count).toBe(9);
    for (let at = 0; at < count; at++) {
      const offset = profile.readUInt32BE(136 + at * 12);
      const length = profile.readUInt32BE(140 + at * 12);
      expect(offset % 4).toBe(0);
      expect(offset + length).toBeLessThanOrEqual(profile.length);
    }
  });
});
