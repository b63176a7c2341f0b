/**
 * Re-encodes a data set as its bytes stream past (PS3.5 §7, Annex A): implicit or explicit VR, either
 * byte order, sequences of either form become explicit or implicit VR little endian. Values are never
 * gathered, so memory does not grow with them; nested sequences have a stack of their own.
 */
import { signedByPixels } from '../dictionary.js';
import { detectEncoding, resolveVR } from '../part10/encoding.js';
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
import { pixelDataTag, type Tag } from '../tag.js';
import { traitsOf, type VR } from '../vr.js';
import type { ByteSource } from './byte-source.js';
import { damaged } from './damaged.js';
import {
  encodeElement,
  encodeHeader,
  encodeMark,
  even,
  paddingOf,
  swapped,
} from './encode-element.js';
import { longHeader } from './long-header.js';
import { Output } from './output.js';
import { rewrittenPixelData } from './rewrite-pixel-data.js';
import type { NewValue, Rewrite } from './rewrite.js';

interface Level {
  readonly kind: 'data-set' | 'sequence';
  /** Of what is read; items of a file may differ from what is around them. */
  encoding: Encoding;
  /** Of what is written. */
  readonly explicitVR: boolean;
  /** Whether a delimiter ends what is read, not `bound`. */
  readonly open: boolean;
  readonly bound: number;
  /** Read past, not written. */
  muted: boolean;
  started: boolean;
  signed: boolean;
}

const pixelRepresentationTag = '00280103';
const iconTag = '00880200';

/** Lengths of groups and of the rest of the file: wrong after any change, and retired. */
function isLengthOfMore(tag: Tag): boolean {
  return tag.endsWith('0000') || tag === '00080001';
}

/**
 * Re-encodes the data set that `source` has from its position on.
 *
 * @param encoding - as the transfer syntax of the file says.
 * @throws ServiceError `storage-corrupt` | `dicom-limit-exceeded`, and what the transcoding of pixel
 *   data throws.
 */
export async function* rewrittenDataSet(
  source: ByteSource,
  encoding: Encoding,
  rewrite: Rewrite,
  limits: Part10Limits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const output = new Output();
  const pending = [...(rewrite.changes ?? new Map<Tag, NewValue | undefined>())].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const root: Level = {
    kind: 'data-set',
    encoding,
    explicitVR: rewrite.target.explicitVR,
    open: true,
    bound: Infinity,
    muted: false,
    started: false,
    signed: rewrite.signedPixels ?? false,
  };
  const stack: Level[] = [root];

  const write = (level: Level, bytes: Uint8Array): void => {
    if (!level.muted) output.push(bytes);
  };
  const close = (): void => {
    const level = stack.pop();
    if (level === undefined) return;
    write(
      level,
      encodeMark(level.kind === 'sequence' ? sequenceDelimiterTag : itemDelimiterTag, 0),
    );
    if (stack.length === 1) output.release();
  };
  /** Writes new values of attributes that come before `tag`, or at its place. */
  const writeChanges = (tag: string): void => {
    for (let next = pending[0]; next !== undefined && next[0] <= tag; next = pending[0]) {
      pending.shift();
      const [changed, to] = next;
      if (to) output.push(encodeElement(changed, to.vr, to.value, root.explicitVR));
    }
  };
  const open = (
    level: Level,
    kind: Level['kind'],
    header: ElementHeader,
    inner: Partial<Level>,
  ) => {
    const isOpen = header.length === undefinedLength;
    if (stack.length / 2 > limits.nestingDepth) throw limitExceeded('nestingDepth', limits);
    stack.push({
      kind,
      encoding: level.encoding,
      explicitVR: level.explicitVR,
      open: isOpen,
      bound: isOpen ? level.bound : source.position + header.length,
      muted: level.muted,
      started: false,
      signed: level.signed,
      ...inner,
    });
  };

  /** A value of known length: its bytes in little endian, padded. */
  async function* value(level: Level, { tag, vr: named, length }: ElementHeader, vr: VR) {
    const { bigEndian } = level.encoding;
    const { wordBytes } = traitsOf(named ?? vr);
    const isSamples = level === root && tag === pixelDataTag && wordBytes === 2;
    const sampleBytes = isSamples ? (rewrite.sampleBytes ?? 1) : 1;
    const word = bigEndian ? Math.max(wordBytes, sampleBytes) : 1;
    write(level, encodeHeader(tag, vr, even(length), level.explicitVR));
    for await (const run of source.runs(length, Math.max(word, 2))) {
      if (tag === pixelRepresentationTag && run.length === 2) {
        level.signed = run.readUInt8(bigEndian ? 1 : 0) === 1;
      }
      write(level, word === 1 ? run : swapped(run, word));
      if (output.full) yield output.flush();
    }
    if (length % 2 === 1) write(level, paddingOf(vr));
  }

  /** Fragments that are no frames of the instance: as they are, or not at all. */
  async function* fragments(level: Level, tag: Tag) {
    if (output.heldBytes > 0) {
      // The icon is compressed in a way that the new transfer syntax does not have.
      output.takeBack();
      for (const around of stack.slice(1)) around.muted = true;
    }
    write(level, encodeHeader(tag, 'OB', undefinedLength, level.explicitVR));
    while (await source.fill(shortestHeader)) {
      const header = readHeader(source.take(shortestHeader), level.encoding);
      if (header?.tag !== itemTag) break;
      write(level, encodeMark(itemTag, even(header.length)));
      for await (const run of source.runs(header.length)) {
        write(level, run);
        if (output.full) yield output.flush();
      }
      if (header.length % 2 === 1) write(level, Buffer.alloc(1));
    }
    write(level, encodeMark(sequenceDelimiterTag, 0));
  }

  async function* element(level: Level, header: ElementHeader) {
    const { tag, length, vr: named } = header;
    const isRoot = level === root;
    if (isRoot) {
      writeChanges(tag);
      if (tag === pixelDataTag && rewrite.pixelData !== undefined) {
        yield output.flush();
        yield* rewrittenPixelData(source, header, rewrite.pixelData, root.explicitVR);
        return;
      }
    }
    const left =
      isLengthOfMore(tag) ||
      (isRoot && (tag.startsWith('0002') || rewrite.changes?.has(tag) === true));
    const target = left ? { ...level, muted: true } : level;
    const resolved = resolveVR(header, level.encoding);
    const implied = level.signed && named === undefined && signedByPixels(tag) ? 'SS' : resolved;
    const isOpen = length === undefinedLength;
    const bulk = named !== undefined && named !== 'UN' && traitsOf(named).kind === 'bulk';
    if (isOpen && (tag === pixelDataTag || bulk)) {
      yield* fragments(target, tag);
    } else if (isOpen && named === 'UN') {
      // PS3.5 §6.2.2: the items of such a value are in implicit VR little endian, and stay so.
      write(target, encodeHeader(tag, 'UN', length, level.explicitVR));
      open(target, 'sequence', header, { encoding: implicitLittleEndian, explicitVR: false });
    } else if (isOpen || implied === 'SQ') {
      const mayGo = isRoot && tag === iconTag && rewrite.pixelData !== undefined;
      if (mayGo && length > 0) output.hold();
      write(target, encodeHeader(tag, 'SQ', length === 0 ? 0 : undefinedLength, level.explicitVR));
      if (length > 0) open(target, 'sequence', header, {});
    } else {
      yield* value(target, header, named ?? implied);
      level.signed = target.signed;
    }
  }

  async function* inDataSet(level: Level, header: ElementHeader) {
    const { tag } = header;
    const isSequenceEnd = tag === sequenceDelimiterTag;
    if (tag !== itemDelimiterTag && !isSequenceEnd) {
      if (tag.startsWith('FFFE')) throw damaged('has an item where none can be', source.position);
      yield* element(level, header);
    } else if (level.open && stack.length > 1) {
      // A delimiter where none is due stands at the end of an item of defined length: passed over.
      close();
      if (isSequenceEnd) close();
    }
  }

  const inSequence = (level: Level, header: ElementHeader): void => {
    const { tag, length } = header;
    if (tag === sequenceDelimiterTag) {
      if (level.open) close();
    } else if (tag === itemTag) {
      write(level, encodeMark(itemTag, length === 0 ? 0 : undefinedLength));
      if (length > 0) open(level, 'data-set', header, {});
    } else if (tag !== itemDelimiterTag) {
      throw damaged('has an element where an item should be', source.position);
    }
  };

  for (;;) {
    let level = stack.at(-1) ?? root;
    while (level !== root && source.position >= level.bound) {
      close();
      level = stack.at(-1) ?? root;
    }
    if (!(await source.fill(shortestHeader))) break;
    const first = source.peek(shortestHeader);
    // Some media writers fill the last block with nulls.
    if (level === root && root.started && first.every((byte) => byte === 0)) break;
    if (level.kind === 'data-set' && !level.started) {
      level.encoding = detectEncoding(level.encoding, first);
      level.started = true;
    }
    const header = readHeader(first, level.encoding) ?? (await longHeader(source, level.encoding));
    if (header === undefined) throw damaged('ends within a header', source.position);
    source.take(header.size);
    if (level.kind === 'sequence') inSequence(level, header);
    else yield* inDataSet(level, header);
    if (output.full) yield output.flush();
    else if (output.heldBytes > limits.headerBytes) {
      output.takeBack();
      for (const around of stack.slice(1)) around.muted = true;
    }
  }
  if (stack.length > 1) throw damaged('ends within a sequence', source.position);
  writeChanges('FFFFFFFF');
  yield output.flush();
}
