/**
 * Encodes and decodes a frame in every transfer syntax with the codecs of a package, and prints as
 * JSON which brought it back: `node test/support/run-typescript.mjs test/infra/try-codecs.ts FOLDER`.
 */
import { createRequire } from 'node:module';
import path from 'node:path';
import type * as Codecs from '../../src/dicom/pixel/codecs.js';
import type * as Decoding from '../../src/dicom/pixel/decode-frame.js';
import type * as Encoding from '../../src/dicom/pixel/encode-frame.js';
import { defaultPixelLimits } from '../../src/dicom/pixel/pixel-limits.js';
import { picture, pixelsOf } from '../support/dicom/pixel-frames.js';

async function main(app: string): Promise<void> {
  const load = createRequire(path.join(app, 'package.json'));
  const pixel = path.join(app, 'dist/src/dicom/pixel');
  const encoding = load(path.join(pixel, 'encode-frame.js')) as typeof Encoding;
  const decoding = load(path.join(pixel, 'decode-frame.js')) as typeof Decoding;
  const { encodableSyntaxes } = load(path.join(pixel, 'codecs.js')) as typeof Codecs;
  const frame = picture(pixelsOf({ rows: 16, columns: 16 }));
  const before = new Set(Object.keys(require.cache));
  const outcomes: Record<string, string> = {};
  for (const syntax of encodableSyntaxes) {
    const { bytes, pixels } = await encoding.encodeFrame(frame, syntax);
    const decoded = await decoding.decodeFrame(bytes, pixels, syntax, defaultPixelLimits);
    outcomes[syntax] = decoded.bytes.length === frame.bytes.length ? 'back' : 'another length';
  }
  const loaded = Object.keys(require.cache).filter((file) => !before.has(file));
  const strays = loaded.filter((file) => path.relative(app, file).startsWith('..'));
  console.log(JSON.stringify({ outcomes, strays }));
}

void main(path.resolve(process.argv[2] ?? ''));
