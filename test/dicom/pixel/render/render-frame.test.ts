import { describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import {
  drawFrame,
  pictureOf,
  renderFrame,
} from '../../../../src/dicom/pixel/render/render-frame.js';
import { frameOf, presentation } from '../../../support/dicom/frames.js';

const ramp = frameOf([0, 10, 20, 30], { rows: 2, columns: 2 });

describe('pictureOf', () => {
  it('shows greys through one channel, colours and palettes through three', () => {
    expect(pictureOf(ramp, presentation())).toMatchObject({
      width: 2,
      height: 2,
      channels: 1,
      data: Uint8Array.of(0, 85, 170, 255),
    });
    const rgb = { samplesPerPixel: 3, photometricInterpretation: 'RGB', columns: 1 };
    expect(pictureOf(frameOf([1, 2, 3], rgb), presentation())).toMatchObject({ channels: 3 });
    const palette = {
      first: 0,
      red: Uint8Array.of(1),
      green: Uint8Array.of(2),
      blue: Uint8Array.of(3),
    };
    const indexed = frameOf([0], { photometricInterpretation: 'PALETTE COLOR', columns: 1 });
    expect(pictureOf(indexed, presentation({ palette })).data).toEqual(Uint8Array.of(1, 2, 3));
  });

  it('shows a segmentation of one bit, black and white', () => {
    const bits = frameOf([0b0110], { bitsAllocated: 1 });
    expect(pictureOf(bits, presentation()).data).toEqual(Uint8Array.of(0, 255, 255, 0));
  });

  it('refuses a palette image without its palette, and four samples per pixel', () => {
    const indexed = frameOf([0], { photometricInterpretation: 'PALETTE COLOR', columns: 1 });
    expect(() => pictureOf(indexed, presentation())).toThrow(
      expect.objectContaining({ code: 'pixel-data-corrupt' }),
    );
    expect(() => pictureOf(frameOf([1, 2, 3, 4], { samplesPerPixel: 4 }), presentation())).toThrow(
      expect.objectContaining({ code: 'pixel-data-unsupported' }),
    );
  });
});

describe('drawFrame', () => {
  it('makes pixels square in a viewport, and leaves the unmodified size alone', () => {
    const tall = presentation({ pixelAspect: 2 });
    const viewport = { width: 4, height: 4 };
    expect(drawFrame(ramp, tall, { viewport })).toMatchObject({ width: 2, height: 4 });
    expect(drawFrame(ramp, tall, {})).toMatchObject({ width: 2, height: 2 });
  });

  it('annotates after scaling', () => {
    const annotations = { topLeft: ['X'], bottomLeft: [] };
    const drawn = drawFrame(ramp, presentation(), {
      viewport: { width: 64, height: 64 },
      annotations,
    });
    expect(drawn.width).toBe(64);
    const plain = drawFrame(ramp, presentation(), { viewport: { width: 64, height: 64 } });
    expect(drawn.data).not.toEqual(plain.data);
  });

  it('refuses a region that is not within the image', () => {
    const viewport = { width: 1, height: 1, source: { x: 0, y: 0, width: 3 } };
    expect(() => drawFrame(ramp, presentation(), { viewport })).toThrow(
      expect.objectContaining({ code: 'invalid-query' }),
    );
  });
});

describe('renderFrame', () => {
  it('writes the format that is asked for', async () => {
    const large = frameOf(new Uint8Array(256), { rows: 16, columns: 16 });
    const start = async (format: 'jpeg' | 'png' | 'gif' | 'jp2') => {
      const bytes = await renderFrame(large, presentation(), { format, quality: 90 });
      return Buffer.from(bytes).toString('latin1', 0, 8);
    };
    expect(await start('jpeg')).toMatch(/^\xff\xd8\xff/);
    expect(await start('png')).toMatch(/^\x89PNG/);
    expect(await start('gif')).toMatch(/^GIF89a/);
    expect(await start('jp2')).toMatch(/jP {2}$/);
  });

  it('shows the window that is asked for', async () => {
    const window = { center: 15, width: 10, shape: 'LINEAR_EXACT' } as const;
    const bytes = await renderFrame(ramp, presentation(), { format: 'png', quality: 90, window });
    const { data } = PNG.sync.read(Buffer.from(bytes));
    expect([0, 4, 8, 12].map((at) => data[at])).toEqual([0, 0, 255, 255]);
  });
});
