/** Row 10: a JPEG 2000 frame as a PNG picture, beside the codec alone on the same bytes. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encodeFrame } from '../../src/dicom/pixel/encode-frame.js';
import type { ImagePixels } from '../../src/dicom/pixel/image-pixels.js';
import { runRenderJob } from '../../src/dicom/pixel/render/render-job.js';
import type { TransferSyntaxUID } from '../../src/dicom/uid.js';
import { readConfig } from '../../src/host/config.js';
import type { Context, Part } from './context.js';
import { rateOf } from './load.js';
import { inTurns, summarise, type Row } from './row.js';

const size = 512;
const perRound = 30;
const jpeg2000 = '1.2.840.10008.1.2.4.90' as TransferSyntaxUID;

const stored: ImagePixels = {
  rows: size,
  columns: size,
  samplesPerPixel: 1,
  photometricInterpretation: 'MONOCHROME2',
  planarConfiguration: 0,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  pixelRepresentation: 0,
};

/** A smooth picture with the noise of a CT in its lowest bits. */
function picture(): Uint8Array {
  const samples = new Uint16Array(size * size);
  let seed = 1;
  for (let at = 0; at < samples.length; at++) {
    const [x, y] = [(at % size) - size / 2, Math.floor(at / size) - size / 2];
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    samples[at] = 1000 + 800 * Math.cos((x * x + y * y) / 9000) + (seed % 24);
  }
  return new Uint8Array(samples.buffer);
}

interface Decoder {
  getEncodedBuffer(length: number): Uint8Array;
  decode(): void;
  getDecodedBuffer(): Uint8Array;
  delete(): void;
}
type Codec = () => Promise<{ readonly J2KDecoder: new () => Decoder }>;

async function measure({ rounds, progress }: Context): Promise<readonly Row[]> {
  progress('decode and render JPEG 2000');
  const { bytes } = await encodeFrame({ pixels: stored, bytes: picture() }, jpeg2000);
  const limits = readConfig({}).limits.pixels;
  const job = {
    frames: [
      {
        payload: bytes,
        presentation: {
          samples: 'integer',
          modality: { kind: 'rescale', slope: 1, intercept: -1024 },
          voi: { kind: 'window', window: { center: 40, width: 800, shape: 'LINEAR' } },
          inverse: false,
          pixelAspect: 1,
        },
      },
    ],
    stored,
    from: jpeg2000,
    request: { format: 'png', quality: 100 },
  } as const;
  const load = createRequire(__filename);
  const { J2KDecoder } = await (
    load('@cornerstonejs/codec-openjpeg/decodewasmjs') as (options: object) => ReturnType<Codec>
  )({
    wasmBinary: readFileSync(load.resolve('@cornerstonejs/codec-openjpeg/decodewasm')),
    print: () => undefined,
  });
  const all = await inTurns(
    rounds,
    async () => await rateOf(1, perRound, async () => await runRenderJob(job, limits)),
    async () =>
      await rateOf(1, perRound, async () => {
        const decoder = new J2KDecoder();
        decoder.getEncodedBuffer(bytes.length).set(bytes);
        decoder.decode();
        const length = decoder.getDecodedBuffer().length;
        decoder.delete();
        return await Promise.resolve(length);
      }),
  );
  return [
    {
      number: '10',
      work: `decode ${size}×${size} of 16-bit JPEG 2000 (${Math.round(bytes.length / 1024)} KiB) and render PNG`,
      against: 'the codec alone',
      unit: 'frames/s',
      ...summarise(all),
      goal: { atLeast: 0.7 },
    },
  ];
}

export const render: Part = { name: 'render', rounds: 5, measure };
