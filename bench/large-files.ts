/** Multi-frame Part 10 files of any size, made while they are sent: never whole, in memory or on disk. */
import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { element, sampleInstance } from '../test/support/part10-builder.js';

export const MiB = 1024 ** 2;
const rows = 512;
const columns = 512;
const bytesPerFrame = rows * columns * 2;
const chunkBytes = MiB / 4;

/** A file of native frames whose pixels are the key stream of a cipher: random, and cheap to make. */
export interface LargeFile {
  readonly study: string;
  readonly instance: string;
  /** Of the pixel data. */
  readonly mebibytes: number;
  readonly key: Uint8Array;
}

/** A new UID under the root for UUIDs (PS3.5 §B.2). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomBytes(16).toString('hex')}`).toString()}`;
}

export function largeFile(study: string, mebibytes: number): LargeFile {
  return { study, instance: newUid(), mebibytes, key: randomBytes(16) };
}

/** The bytes of a file. */
export function* bytesOf({ study, instance, mebibytes, key }: LargeFile): Generator<Uint8Array> {
  const length = mebibytes * MiB;
  yield sampleInstance({
    study,
    series: `${study}.1`,
    instance,
    pixelData: null,
    overrides: [
      element('00280008', 'IS', length / bytesPerFrame),
      element('00280010', 'US', rows),
      element('00280011', 'US', columns),
    ],
  });
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  header.writeUInt32LE(length, 8);
  yield header;
  const pixels = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(chunkBytes);
  for (let left = length; left > 0; left -= chunkBytes) yield pixels.update(zeros);
}

/** SHA-256 of a whole file. */
export function digestOf(file: LargeFile): string {
  const hash = createHash('sha256');
  for (const chunk of bytesOf(file)) hash.update(chunk);
  return hash.digest('hex');
}
