import { describe, expect, it } from '@jest/globals';
import { deflateRawSync } from 'node:zlib';
import { jobBytes, mostJobBytes } from '../../../src/dicom/pixel/job-memory.js';
import { defaultPixelLimits } from '../../../src/dicom/pixel/pixel-limits.js';
import { transcodeFrame } from '../../../src/dicom/pixel/transcode-frame.js';
import type { TransferSyntaxUID } from '../../../src/dicom/uid.js';
import { syntaxes } from '../../support/part10-builder.js';
import { pixelsOf } from '../../support/dicom/pixel-frames.js';

describe('what a job may hold', () => {
  it('is told from attributes: samples, their copies, and the planes of a wavelet', () => {
    const pixels = pixelsOf({ rows: 10, columns: 10, bitsAllocated: 16 });
    expect(jobBytes(50, pixels, [syntaxes.rle, syntaxes.explicit])).toBe(50 + 600);
    expect(jobBytes(50, pixels, [syntaxes.rle, syntaxes.htj2k])).toBe(50 + 1500);
    expect(jobBytes(50, pixels, [syntaxes.rle, syntaxes.jpegLossless])).toBe(50 + 1200);
    expect(jobBytes(50, pixels, [syntaxes.jpegLs, syntaxes.explicit])).toBe(50 + 1200);
  });

  it('allows what the decoders allow: 64 Mi samples of 16 bits as JPEG 2000', () => {
    const pixels = pixelsOf({ rows: 8192, columns: 8192, bitsAllocated: 16 });
    expect(jobBytes(0, pixels, [syntaxes.jpeg2000])).toBeLessThanOrEqual(mostJobBytes);
  });

  it('refuses a small deflated frame that would take more, before it is inflated', async () => {
    const stored = pixelsOf({ rows: 11_000, columns: 12_000 });
    const job = {
      // No frame at all: whoever inflated it would find it damaged.
      payload: deflateRawSync(Buffer.alloc(10)),
      stored,
      from: '1.2.840.10008.1.2.8.1' as TransferSyntaxUID,
      describedBy: 'stored-attributes',
    } as const;
    const to = (uid: string) =>
      transcodeFrame({ ...job, to: uid as TransferSyntaxUID }, defaultPixelLimits);
    await expect(to(syntaxes.htj2k)).rejects.toMatchObject({ code: 'pixel-data-too-large' });
    await expect(to(syntaxes.explicit)).rejects.toMatchObject({ code: 'pixel-data-corrupt' });
  });
});
