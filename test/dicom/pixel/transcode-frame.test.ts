import { describe, expect, it } from '@jest/globals';
import { decodeFrame } from '../../../src/dicom/pixel/decode-frame.js';
import { encodableSyntaxes } from '../../../src/dicom/pixel/codecs.js';
import { encodeFrame } from '../../../src/dicom/pixel/encode-frame.js';
import type { ImagePixels } from '../../../src/dicom/pixel/image-pixels.js';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import { rgbOf } from '../../../src/dicom/pixel/render/color.js';
import { transcodeFrame } from '../../../src/dicom/pixel/transcode-frame.js';
import type { TransferSyntaxUID } from '../../../src/dicom/uid.js';
import { syntaxes } from '../../support/part10-builder.js';
import { frameOf, picture, pixelsOf } from '../../support/dicom/pixel-frames.js';

const uids = syntaxes as Readonly<Record<keyof typeof syntaxes, TransferSyntaxUID>>;

async function forNewHeader(
  payload: Uint8Array,
  stored: ImagePixels,
  from: TransferSyntaxUID,
  to: TransferSyntaxUID,
) {
  const job = { payload, stored, from, to, describedBy: 'new-header' } as const;
  return await transcodeFrame(job, defaultPixelLimits);
}

describe('transcodeFrame', () => {
  it('hands on a frame that is in the target syntax already, whatever it is', async () => {
    const payload = Uint8Array.of(1, 2, 3);
    const stored = pixelsOf();
    const { bytes, pixels } = await forNewHeader(payload, stored, uids.mpeg4, uids.mpeg4);
    expect(bytes).toBe(payload);
    expect(pixels).toBe(stored);
  });

  it('turns big endian words round', async () => {
    const stored = pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16 });
    const { bytes } = await forNewHeader(
      Uint8Array.of(1, 2, 3, 4),
      stored,
      uids.bigEndian,
      uids.implicit,
    );
    expect([...bytes]).toEqual([2, 1, 4, 3]);
  });

  it('gives both pixels of a pair their chroma before they are compressed', async () => {
    const stored = pixelsOf({
      rows: 1,
      columns: 2,
      samplesPerPixel: 3,
      photometricInterpretation: 'YBR_FULL_422',
    });
    const { bytes, pixels } = await forNewHeader(
      Uint8Array.of(10, 20, 30, 40),
      stored,
      uids.explicit,
      uids.rle,
    );
    expect(pixels).toEqual({
      ...stored,
      photometricInterpretation: 'YBR_FULL',
      planarConfiguration: 1,
    });
    const full = frameOf(
      { ...stored, photometricInterpretation: 'YBR_FULL' },
      [10, 30, 40, 20, 30, 40],
    );
    expect(bytes).toEqual((await encodeFrame(full, uids.rle)).bytes);
  });

  it.each(['new-header', 'stored-attributes'] as const)(
    'leaves full luminance and chrominance of JPEG as they are, described by the %s',
    async (describedBy) => {
      const frame = picture(pixelsOf({ samplesPerPixel: 3 }));
      const { bytes: payload } = await encodeFrame(frame, uids.jpegBaseline);
      const stored = { ...frame.pixels, photometricInterpretation: 'YBR_FULL' };
      const job = { payload, stored, from: uids.jpegBaseline, to: uids.explicit, describedBy };
      const { bytes, pixels } = await transcodeFrame(job, defaultPixelLimits);
      expect(pixels).toEqual(stored);
      const shown = rgbOf({ pixels, bytes });
      const off = shown.map((level, at) => Math.abs(level - (frame.bytes[at] ?? 0)));
      expect(off.reduce((sum, one) => sum + one, 0) / off.length).toBeLessThan(12);
    },
  );

  it('refuses a frame by itself whose samples are wider than its attributes say', async () => {
    const wide = picture(pixelsOf({ bitsAllocated: 16, bitsStored: 12 }));
    const { bytes: payload } = await encodeFrame(wide, uids.jpegLs);
    const stored = pixelsOf();
    const job = { payload, stored, from: uids.jpegLs, to: uids.explicit } as const;
    await expect(
      transcodeFrame({ ...job, describedBy: 'stored-attributes' }, defaultPixelLimits),
    ).rejects.toMatchObject({ code: 'pixel-data-corrupt' });
    const asFile = await transcodeFrame({ ...job, describedBy: 'new-header' }, defaultPixelLimits);
    expect(asFile.pixels).toMatchObject({ bitsAllocated: 16 });
  });

  it('refuses what the target cannot hold', async () => {
    const deep = picture(pixelsOf({ bitsAllocated: 16 }));
    await expect(
      forNewHeader(deep.bytes, deep.pixels, uids.explicit, uids.jpegBaseline),
    ).rejects.toMatchObject({ code: 'pixel-data-unsupported' });
  });
});

describe('encodableSyntaxes', () => {
  it('names what encodeFrame encodes', async () => {
    const frame = picture(pixelsOf());
    for (const uid of encodableSyntaxes) {
      expect((await encodeFrame(frame, uid)).pixels).toEqual(frame.pixels);
    }
    await expect(encodeFrame(frame, uids.mpeg4)).rejects.toMatchObject({
      code: 'pixel-data-unsupported',
    });
    expect(encodableSyntaxes).toEqual([
      uids.implicit,
      uids.explicit,
      uids.deflated,
      uids.jpegBaseline,
      uids.jpegLossless,
      uids.jpegLs,
      uids.jpeg2000,
      uids.htj2k,
      '1.2.840.10008.1.2.4.202',
      '1.2.840.10008.1.2.4.203',
      uids.rle,
    ]);
  });

  it('makes native frames of the bytes themselves', async () => {
    const frame = picture(pixelsOf());
    const { bytes } = await encodeFrame(frame, uids.deflated);
    expect(bytes).toBe(frame.bytes);
    const decoded = await decodeFrame(bytes, frame.pixels, uids.explicit, defaultPixelLimits);
    expect(Buffer.from(decoded.bytes)).toEqual(frame.bytes);
  });
});
