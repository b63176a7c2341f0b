import { describe, expect, it } from '@jest/globals';
import { decodeFrame } from '../../../src/dicom/pixel/decode-frame.js';
import { encodableSyntaxes, encodeFrame } from '../../../src/dicom/pixel/encode-frame.js';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import { transcodeFrame } from '../../../src/dicom/pixel/transcode-frame.js';
import type { TransferSyntaxUID } from '../../../src/dicom/uid.js';
import { syntaxes } from '../../support/part10-builder.js';
import { frameOf, picture, pixelsOf } from '../../support/pixel-frames.js';

const uids = syntaxes as Readonly<Record<keyof typeof syntaxes, TransferSyntaxUID>>;

describe('transcodeFrame', () => {
  it('hands on a frame that is in the target syntax already, whatever it is', async () => {
    const payload = Uint8Array.of(1, 2, 3);
    const stored = pixelsOf();
    const { bytes, pixels } = await transcodeFrame(
      payload,
      stored,
      uids.mpeg4,
      uids.mpeg4,
      defaultPixelLimits,
    );
    expect(bytes).toBe(payload);
    expect(pixels).toBe(stored);
  });

  it('turns big endian words round', async () => {
    const stored = pixelsOf({ rows: 1, columns: 2, bitsAllocated: 16 });
    const { bytes } = await transcodeFrame(
      Uint8Array.of(1, 2, 3, 4),
      stored,
      uids.bigEndian,
      uids.implicit,
      defaultPixelLimits,
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
    const { bytes, pixels } = await transcodeFrame(
      Uint8Array.of(10, 20, 30, 40),
      stored,
      uids.explicit,
      uids.rle,
      defaultPixelLimits,
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

  it('refuses what the target cannot hold', async () => {
    const deep = picture(pixelsOf({ bitsAllocated: 16 }));
    await expect(
      transcodeFrame(deep.bytes, deep.pixels, uids.explicit, uids.jpegBaseline, defaultPixelLimits),
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
