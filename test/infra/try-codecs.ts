/**
 * Encodes and decodes a frame in every transfer syntax in the worker of a package, with its codecs, and prints as
 * JSON which brought it back: `node test/support/run-typescript.mjs test/infra/try-codecs.ts FOLDER`.
 */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { encodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { defaultPixelLimits as limits } from '../../src/dicom/pixel/pixel-limits.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import { createPixelWorkers, defaultQueue } from '../../src/host/workers/pixel-workers.js';
import { picture, pixelsOf } from '../support/dicom/pixel-frames.js';

const native = '1.2.840.10008.1.2.1' as TransferSyntaxUID;

async function main(app: string): Promise<void> {
  const script = path.join(app, 'dist/src/host/workers/pixel-worker.js');
  const pixels = createPixelWorkers({
    ...defaultQueue,
    startWorker: () => new Worker(script, { workerData: { limits } }),
    workers: 1,
    timeoutMilliseconds: 60_000,
  });
  const { signal } = new AbortController();
  const { bytes, pixels: stored } = picture(pixelsOf({ rows: 16, columns: 16 }));
  const outcomes: Record<string, string> = {};
  for (const syntax of encodableSyntaxes) {
    const encoded = await pixels.transcode(
      {
        ...{ payload: Uint8Array.from(bytes), stored, from: native, to: syntax },
        describedBy: 'new-header',
      },
      signal,
    );
    const decoded = await pixels.transcode(
      {
        ...{ payload: encoded.bytes, stored: encoded.pixels, from: syntax },
        ...{ to: native, describedBy: 'new-header' },
      },
      signal,
    );
    outcomes[syntax] = decoded.bytes.length === bytes.length ? 'back' : 'another length';
  }
  await pixels.close();
  console.log(JSON.stringify(outcomes));
}

void main(path.resolve(process.argv[2] ?? ''));
