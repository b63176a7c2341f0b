/** Cuts the frames of an instance out of its stream and writes what they have been turned into. */
import type { ByteRun } from '../frames.js';
import {
  implicitLittleEndian,
  itemTag,
  readHeader,
  sequenceDelimiterTag,
  shortestHeader,
  undefinedLength,
  type ElementHeader,
} from '../part10/header.js';
import type { ByteSource } from './byte-source.js';
import { damaged } from './damaged.js';
import { encodeHeader, encodeMark, even } from './encode-element.js';
import { joinedBits } from './joined-bits.js';
import type { PixelDataRewrite } from './rewrite.js';

const nothing = Buffer.alloc(0);

/** The payload of each frame in turn. */
async function* payloads(
  source: ByteSource,
  frames: Iterable<readonly ByteRun[]>,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (const runs of frames) {
    // Of its own memory, which may be handed to another thread.
    const payload = new Uint8Array(runs.reduce((sum, { length }) => sum + length, 0));
    let filled = 0;
    for (const { offset, length } of runs) {
      if (offset < source.position) {
        throw damaged('has other frames than its index', source.position);
      }
      await source.skip(offset - source.position);
      for await (const run of source.runs(length)) {
        payload.set(run, filled);
        filled += run.length;
      }
    }
    yield payload;
  }
}

/** Reads on to where the fragments end, from the end of one of them. */
async function skipFragments(source: ByteSource): Promise<void> {
  while (await source.fill(shortestHeader)) {
    const header = readHeader(source.take(shortestHeader), implicitLittleEndian);
    if (header?.tag !== itemTag) return;
    await source.skip(header.length);
  }
}

/**
 * The pixel data element in its new form (PS3.5 §8, §A.4), from its header on; `source` is left after
 * the element that it has. Fragments are preceded by an empty offset table, since their lengths are
 * not known ahead.
 *
 * @param header - of the element as it is read.
 * @throws ServiceError `storage-corrupt` when frames do not add up to the length announced.
 */
export async function* rewrittenPixelData(
  source: ByteSource,
  { tag, length }: ElementHeader,
  { frames, vr, nativeLength, frameBits, transcode }: PixelDataRewrite,
  explicitVR: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const end = length === undefinedLength ? undefined : source.position + length;
  const announced = nativeLength === undefined ? undefinedLength : even(nativeLength);
  yield encodeHeader(tag, nativeLength === undefined ? 'OB' : vr, announced, explicitVR);
  if (nativeLength === undefined) yield encodeMark(itemTag, 0);
  let written = 0;
  const made = transcode(payloads(source, frames));
  for await (const frame of frameBits === undefined ? made : joinedBits(made, frameBits)) {
    written += frame.length;
    if (nativeLength === undefined) yield encodeMark(itemTag, even(frame.length));
    else if (written > nativeLength) break;
    yield frame;
    if (nativeLength === undefined && frame.length % 2 === 1) yield Buffer.alloc(1);
  }
  if (nativeLength === undefined) yield encodeMark(sequenceDelimiterTag, 0);
  else if (written !== nativeLength) {
    throw damaged('has frames that differ in size', source.position);
  } else yield nativeLength % 2 === 1 ? Buffer.alloc(1) : nothing;
  if (end === undefined) await skipFragments(source);
  else await source.skip(end - source.position);
}
