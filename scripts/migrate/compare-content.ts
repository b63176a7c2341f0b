/**
 * Whether two files that differ in their bytes hold the same: the same attributes, and the same pixels once they are
 * decoded. So it is where a server sends an instance in another transfer syntax than the one that was copied before.
 */
import { readFile, stat } from 'node:fs/promises';
import { stringifyDataSet, toDataSet } from '../../src/dicom/json.js';
import type { DataSet } from '../../src/dicom/data-set.js';
import { parsePart10 } from '../../src/dicom/part10/part10.js';
import { imagePixelsOf } from '../../src/dicom/pixel/image-pixels.js';
import { frameIn } from '../rendering/read-frame.js';

/** Larger files are not read into memory; they count as different. */
const mostBytes = 512 * 1024 ** 2;

/** What another transfer syntax may change besides the pixels (PS3.5 §8.2, PS3.3 §C.7.6.3). */
const codingTags = /^(?:00280004|00280006|00282110|00282112|00282114|7FE0....)$/;

/** The data set as text without what depends on how the pixels are coded. */
function attributesText(dataSet: DataSet): string {
  const kept = Object.entries(dataSet).filter(([tag]) => !codingTags.test(tag));
  return stringifyDataSet(Object.fromEntries(kept));
}

async function read(path: string) {
  const file = await readFile(path);
  const { meta, dataSet: raw, bulk, frames } = await parsePart10(file);
  const dataSet = toDataSet(raw);
  const values = bulk
    .filter(({ path: attribute }) => !attribute.startsWith('7FE0'))
    .map(({ path: attribute, offset, length }) => ({
      attribute,
      bytes: file.subarray(offset, offset + length),
    }));
  return { file, dataSet, values, frames, transferSyntax: meta.transferSyntax };
}

type Content = Awaited<ReturnType<typeof read>>;

async function haveSamePixels(one: Content, other: Content): Promise<boolean> {
  const [stored, otherStored] = [imagePixelsOf(one.dataSet), imagePixelsOf(other.dataSet)];
  const { frames } = one;
  const { frames: otherFrames } = other;
  if (frames === undefined || otherFrames === undefined) return frames === otherFrames;
  if (stored === undefined || otherStored === undefined) return false;
  if (frames.frames !== otherFrames.frames) return false;
  for (let number = 1; number <= frames.frames; number += 1) {
    const [left, right] = await Promise.all([
      frameIn(one.file, { ...one, frames, stored }, number),
      frameIn(other.file, { ...other, frames: otherFrames, stored: otherStored }, number),
    ]);
    const { photometricInterpretation } = left.pixels;
    if (photometricInterpretation !== right.pixels.photometricInterpretation) return false;
    if (Buffer.compare(left.bytes, right.bytes) !== 0) return false;
  }
  return true;
}

/**
 * Compares attributes, long values and decoded pixels. What cannot be read or decoded counts as different.
 *
 * @param paths - of two Part 10 files.
 */
export async function haveSameContent(...paths: readonly [string, string]): Promise<boolean> {
  const sizes = await Promise.all(paths.map(async (path) => (await stat(path)).size));
  if (sizes.some((size) => size > mostBytes)) return false;
  try {
    const [one, other] = await Promise.all([read(paths[0]), read(paths[1])]);
    if (one.transferSyntax.deflated || other.transferSyntax.deflated) return false;
    if (attributesText(one.dataSet) !== attributesText(other.dataSet)) return false;
    const areValuesSame =
      one.values.length === other.values.length &&
      one.values.every(({ attribute, bytes }, at) => {
        const value = other.values[at];
        return value?.attribute === attribute && Buffer.compare(bytes, value.bytes) === 0;
      });
    return areValuesSame && (await haveSamePixels(one, other));
  } catch {
    return false;
  }
}
