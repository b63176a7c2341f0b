/**
 * Measures what the conversion of one frame holds, beside what `job-memory.ts` says that it may:
 * `npm run bench:jobs`. Each frame is of one value, so that a small payload stands for it, as in an
 * attack, and is converted in a process of its own. Exits 1 when one holds more.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { encodeFrame } from '../src/dicom/pixel/encode-frame.js';
import type { ImagePixels } from '../src/dicom/pixel/image-pixels.js';
import { jobBytes } from '../src/dicom/pixel/job-memory.js';
import { defaultPixelLimits } from '../src/dicom/pixel/pixel-limits.js';
import { transcodeFrame } from '../src/dicom/pixel/transcode-frame.js';
import type { TransferSyntaxUID } from '../src/dicom/uid.js';
import { MiB } from './large-files.js';
import { residentBytes } from './process-memory.js';

const uids = {
  native: '1.2.840.10008.1.2.1',
  deflated: '1.2.840.10008.1.2.8.1',
  rle: '1.2.840.10008.1.2.5',
  'JPEG 8-bit': '1.2.840.10008.1.2.4.50',
  'JPEG lossless': '1.2.840.10008.1.2.4.70',
  'JPEG-LS': '1.2.840.10008.1.2.4.80',
  'JPEG 2000': '1.2.840.10008.1.2.4.90',
  HTJ2K: '1.2.840.10008.1.2.4.201',
} as const;
type Syntax = keyof typeof uids;

interface Job {
  readonly from: Syntax;
  readonly to: Syntax;
  readonly side: number;
  readonly bits: number;
}

const jobs: readonly Job[] = [
  { from: 'deflated', to: 'native', side: 10_950, bits: 8 },
  { from: 'deflated', to: 'rle', side: 10_950, bits: 8 },
  { from: 'deflated', to: 'JPEG-LS', side: 10_950, bits: 8 },
  { from: 'deflated', to: 'JPEG 2000', side: 8000, bits: 8 },
  { from: 'deflated', to: 'HTJ2K', side: 8000, bits: 8 },
  { from: 'deflated', to: 'JPEG lossless', side: 8000, bits: 16 },
  { from: 'deflated', to: 'JPEG 8-bit', side: 8000, bits: 8 },
  { from: 'rle', to: 'native', side: 8000, bits: 16 },
  { from: 'JPEG-LS', to: 'native', side: 8000, bits: 8 },
  { from: 'JPEG lossless', to: 'native', side: 6000, bits: 16 },
  { from: 'JPEG 8-bit', to: 'native', side: 8000, bits: 8 },
  { from: 'JPEG 2000', to: 'native', side: 6000, bits: 16 },
  { from: 'HTJ2K', to: 'native', side: 6000, bits: 16 },
  { from: 'native', to: 'JPEG-LS', side: 6000, bits: 16 },
  { from: 'native', to: 'JPEG 2000', side: 6000, bits: 16 },
];

const uidOf = (syntax: Syntax) => uids[syntax] as TransferSyntaxUID;

function pixelsOf(side: number, bits: number): ImagePixels {
  return {
    rows: side,
    columns: side,
    samplesPerPixel: 1,
    photometricInterpretation: 'MONOCHROME2',
    planarConfiguration: 0,
    bitsAllocated: bits,
    bitsStored: bits,
    highBit: bits - 1,
    pixelRepresentation: 0,
  };
}

async function payloadOf({ from, side, bits }: Job): Promise<Uint8Array> {
  const bytes = Buffer.alloc((side * side * bits) / 8);
  if (from === 'native') return bytes;
  if (from === 'deflated') return deflateRawSync(bytes);
  return (await encodeFrame({ pixels: pixelsOf(side, bits), bytes }, uidOf(from))).bytes;
}

async function convert({ from, to, side, bits }: Job, payload: Uint8Array): Promise<void> {
  const stored = pixelsOf(side, bits);
  const syntaxes = { from: uidOf(from), to: uidOf(to) };
  const whole = { payload, stored, ...syntaxes, describedBy: 'new-header' } as const;
  await transcodeFrame(whole, defaultPixelLimits);
}

/** The most that this process has held since `forgetPeak`, bytes (Linux). */
function peakBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

const forgetPeak = () => writeFileSync('/proc/self/clear_refs', '5');

/** In a process of its own: makes the payload, or converts it and prints how much memory that took. */
async function act(what: string, job: Job, file: string): Promise<void> {
  if (what === 'make') {
    writeFileSync(file, await payloadOf(job));
    return;
  }
  const small = { ...job, side: 64 };
  await convert(small, await payloadOf(small));
  const payload = readFileSync(file);
  globalThis.gc?.();
  const before = residentBytes(process.pid);
  forgetPeak();
  await convert(job, payload);
  console.log(peakBytes() - before);
}

function measure(): void {
  const folder = mkdtempSync(path.join(tmpdir(), 'pixel-jobs-'));
  const file = path.join(folder, 'payload');
  const run = (...more: readonly string[]) =>
    execFileSync(process.execPath, ['--expose-gc', __filename, ...more], { encoding: 'utf8' });
  console.log('| from | to | frame | payload, KiB | computed, MiB | held, MiB |');
  console.log('| ---- | -- | ----- | -----------: | ------------: | --------: |');
  for (const [index, { from, to, side, bits }] of jobs.entries()) {
    run('make', String(index), file);
    const held = Number(run('convert', String(index), file));
    const { length } = readFileSync(file);
    const computed = jobBytes(length, pixelsOf(side, bits), [uids[from], uids[to]]);
    const numbers = [length / 1024, computed / MiB, held / MiB].map((value) => value.toFixed(0));
    const over = held > computed ? ' more than computed' : '';
    console.log(
      `| ${[from, to, `${side} × ${side}, ${bits} bits`, ...numbers].join(' | ')} |${over}`,
    );
    if (over !== '') process.exitCode = 1;
  }
  rmSync(folder, { recursive: true });
}

const [, , what, index, file] = process.argv;
const job = jobs[Number(index)];
if (what === undefined) measure();
else if (job !== undefined && file !== undefined) void act(what, job, file);
