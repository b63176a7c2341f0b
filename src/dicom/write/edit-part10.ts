/**
 * Gives attributes of a stored Part 10 file other values while it streams past: all other bytes are as they were,
 * lengths and encodings of sequences included. For what has to stay the same file but for a few values.
 */
import { createInflateRaw } from 'node:zlib';
import { detectEncoding } from '../part10/encoding.js';
import {
  implicitLittleEndian,
  itemDelimiterTag,
  itemTag,
  readHeader,
  sequenceDelimiterTag,
  shortestHeader,
  undefinedLength,
  type ElementHeader,
  type Encoding,
} from '../part10/header.js';
import { limitExceeded, type Part10Limits } from '../part10/limits.js';
import { pixelDataTags, type Tag } from '../tag.js';
import { ByteSource } from './byte-source.js';
import { damaged } from './damaged.js';
import { encodeElement } from './encode-element.js';
import { encodeFileMeta, readFileMeta } from './file-meta.js';
import { longHeader } from './long-header.js';
import { Output } from './output.js';
import type { NewValue } from './rewrite.js';
import { deflated, through } from './through.js';

/** From a byte of the (inflated) file on, everything lies so many bytes later than it did. */
export interface Move {
  readonly from: number;
  readonly by: number;
}

/**
 * The file with the changes.
 *
 * @param source - the file as it was stored.
 * @param changes - of the instance itself, not of items: the new value, or `undefined` to leave the attribute out.
 *   Their tags come before those of pixel data.
 * @param onMove - told of each move, in ascending order.
 * @throws ServiceError `storage-corrupt` for a file that is not as it was when it was stored.
 */
export async function* editedPart10(
  source: AsyncIterable<Uint8Array>,
  changes: ReadonlyMap<Tag, NewValue | undefined>,
  limits: Part10Limits,
  onMove: (move: Move) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = new ByteSource(source);
  try {
    const meta = await readFileMeta(file, limits);
    const { transferSyntax } = meta;
    const encoded = encodeFileMeta(meta, transferSyntax.uid);
    onMove({ from: 0, by: encoded.length - file.position });
    yield encoded;
    if (!transferSyntax.deflated) {
      yield* editedDataSet(file, transferSyntax, changes, limits, onMove);
      return;
    }
    const inflated = new ByteSource(through(file.rest(), createInflateRaw()), file.position);
    try {
      yield* deflated(editedDataSet(inflated, transferSyntax, changes, limits, onMove));
    } finally {
      await inflated.close();
    }
  } finally {
    await file.close();
  }
}

/** An element in the encoding of the data set around it; what is written is short text. */
function encode(tag: Tag, { vr, value }: NewValue, encoding: Encoding): Buffer {
  const bytes = encodeElement(tag, vr, value, encoding.explicitVR);
  if (encoding.bigEndian) {
    for (const at of [0, 2, 6]) bytes.subarray(at, at + 2).swap16();
  }
  return bytes;
}

/** The header of the next element or item, which stays where it is. */
async function nextHeader(source: ByteSource, encoding: Encoding): Promise<ElementHeader> {
  const header =
    readHeader(source.peek(shortestHeader), encoding) ?? (await longHeader(source, encoding));
  if (header === undefined) throw damaged('ends within a header', source.position);
  return header;
}

async function* editedDataSet(
  source: ByteSource,
  assumed: Encoding,
  changes: ReadonlyMap<Tag, NewValue | undefined>,
  limits: Part10Limits,
  onMove: (move: Move) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const output = new Output();
  const pending = [...changes].sort(([a], [b]) => (a < b ? -1 : 1));
  let encoding = assumed;
  /** Writes new values of attributes that come before a tag, or have it; answers how many bytes that were. */
  const writeUpTo = (tag: string): number => {
    let length = 0;
    for (let next = pending[0]; next !== undefined && next[0] <= tag; next = pending[0]) {
      pending.shift();
      const [changed, to] = next;
      const bytes = to === undefined ? Buffer.alloc(0) : encode(changed, to, encoding);
      output.push(bytes);
      length += bytes.length;
    }
    return length;
  };

  for (let isFirst = true; await source.fill(shortestHeader); isFirst = false) {
    const first = source.peek(shortestHeader);
    // Some media writers fill the last block with nulls.
    if (!isFirst && first.every((byte) => byte === 0)) break;
    if (isFirst) encoding = detectEncoding(assumed, first);
    const header = await nextHeader(source, encoding);
    const start = source.position;
    const written = writeUpTo(header.tag);
    if (pixelDataTags.has(header.tag)) {
      if (written > 0) onMove({ from: start, by: written });
      break;
    }
    const isLeft = changes.has(header.tag);
    for await (const run of element(source, header, encoding, limits, 0)) {
      if (isLeft) continue;
      output.push(run);
      if (output.full) yield output.flush();
    }
    const by = written - (isLeft ? source.position - start : 0);
    if (by !== 0) onMove({ from: isLeft ? source.position : start, by });
  }
  const end = source.position;
  const written = writeUpTo('FFFFFFFF');
  if (written > 0) onMove({ from: end, by: written });
  yield output.flush();
  yield* source.rest();
}

/** Header and value of an element, as they are. */
async function* element(
  source: ByteSource,
  header: ElementHeader,
  encoding: Encoding,
  limits: Part10Limits,
  depth: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield source.take(header.size);
  if (header.length === undefinedLength) yield* items(source, header, encoding, limits, depth);
  else yield* source.runs(header.length);
}

/** The items of an element of undefined length and their delimiter; fragments are items as well. */
async function* items(
  source: ByteSource,
  { vr }: ElementHeader,
  around: Encoding,
  limits: Part10Limits,
  depth: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (depth >= limits.nestingDepth) throw limitExceeded('nestingDepth', limits);
  // PS3.5 §6.2.2: the items of a value that is unknown are in implicit VR little endian.
  const encoding = vr === 'UN' ? implicitLittleEndian : around;
  for (;;) {
    if (!(await source.fill(shortestHeader))) {
      throw damaged('ends within a sequence', source.position);
    }
    const { tag, length } = await nextHeader(source, encoding);
    if (tag !== itemTag && tag !== itemDelimiterTag && tag !== sequenceDelimiterTag) {
      throw damaged('has an element where an item should be', source.position);
    }
    yield source.take(shortestHeader);
    if (tag === sequenceDelimiterTag) return;
    if (tag === itemDelimiterTag) continue;
    if (length !== undefinedLength) yield* source.runs(length);
    else if (yield* item(source, encoding, limits, depth)) return;
  }
}

/** The elements of an item of undefined length; answers whether its sequence ended with it. */
async function* item(
  source: ByteSource,
  assumed: Encoding,
  limits: Part10Limits,
  depth: number,
): AsyncGenerator<Uint8Array, boolean, undefined> {
  let encoding = assumed;
  for (let isFirst = true; ; isFirst = false) {
    if (!(await source.fill(shortestHeader))) {
      throw damaged('ends within a sequence', source.position);
    }
    if (isFirst) encoding = detectEncoding(assumed, source.peek(shortestHeader));
    const header = await nextHeader(source, encoding);
    const { tag } = header;
    if (tag === itemDelimiterTag || tag === sequenceDelimiterTag) {
      yield source.take(shortestHeader);
      return tag === sequenceDelimiterTag;
    }
    yield* element(source, header, encoding, limits, depth + 1);
  }
}
