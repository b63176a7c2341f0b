import { describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import { defaultPixelLimits } from '../../../../src/dicom/pixel/pixel-limits.js';
import { runRenderJob, type RenderJob } from '../../../../src/dicom/pixel/render/render-job.js';
import type { TransferSyntaxUID } from '../../../../src/dicom/uid.js';
import { imagePixels, presentation } from '../../../support/dicom/frames.js';

const from = '1.2.840.10008.1.2.1' as TransferSyntaxUID;
const stored = imagePixels({ rows: 8, columns: 8 });

function job(levels: readonly number[], format: 'png' | 'gif'): RenderJob {
  const window = { center: 127.5, width: 255, shape: 'LINEAR_EXACT' } as const;
  return {
    frames: levels.map((level) => ({
      payload: new Uint8Array(64).fill(level),
      presentation: presentation({ voi: { kind: 'window', window } }),
    })),
    stored,
    from,
    request: { format, quality: 90, frameTime: 50 },
  };
}

describe('runRenderJob', () => {
  it('makes a picture of one frame', async () => {
    const bytes = await runRenderJob(job([99], 'png'), defaultPixelLimits);
    expect(PNG.sync.read(Buffer.from(bytes)).data[0]).toBe(99);
  });

  it('makes an animation of several', async () => {
    const bytes = await runRenderJob(job([0, 128, 255], 'gif'), defaultPixelLimits);
    expect(
      Buffer.from(bytes)
        .toString('hex')
        .match(/21f904..0500/g),
    ).toHaveLength(3);
  });

  it('is the same after the trip to a worker', async () => {
    const sent = structuredClone(job([10], 'png'));
    expect(await runRenderJob(sent, defaultPixelLimits)).toEqual(
      await runRenderJob(job([10], 'png'), defaultPixelLimits),
    );
  });

  it('keeps to the limits', async () => {
    await expect(runRenderJob(job([1], 'png'), { frameBytes: 63 })).rejects.toMatchObject({
      code: 'pixel-data-too-large',
    });
    const wide = {
      ...job([1], 'png'),
      request: { format: 'png', quality: 90, viewport: { width: 16_384, height: 16_384 } },
    } as const;
    await expect(runRenderJob(wide, defaultPixelLimits)).rejects.toMatchObject({
      code: 'pixel-data-too-large',
    });
  });

  it('needs a frame', async () => {
    await expect(runRenderJob(job([], 'png'), defaultPixelLimits)).rejects.toThrow(RangeError);
  });
});
