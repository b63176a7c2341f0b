/** File meta information (PS3.10 §7.1) of a stored file, read to be written again. */
import { vrOf } from '../dictionary.js';
import { readHeader, shortestHeader } from '../part10/header.js';
import { limitExceeded, type Part10Limits } from '../part10/limits.js';
import type { Tag } from '../tag.js';
import { transferSyntaxOf, type TransferSyntax } from '../transfer-syntax.js';
import type { TransferSyntaxUID } from '../uid.js';
import type { VR } from '../vr.js';
import type { ByteSource } from './byte-source.js';
import { damaged } from './damaged.js';
import { encodeElement } from './encode-element.js';
import { longHeader } from './long-header.js';

interface MetaElement {
  readonly tag: Tag;
  readonly vr: VR;
  readonly value: Buffer;
}

export interface FileMetaElements {
  /** Preamble and `DICM`. */
  readonly prefix: Buffer;
  /** Everything but the group length. */
  readonly elements: readonly MetaElement[];
  /** How the data set that follows is encoded. */
  readonly transferSyntax: TransferSyntax;
}

const prefixBytes = 132;
const groupLengthTag = '00020000' as Tag;
const transferSyntaxTag = '00020010';
const encoding = { explicitVR: true, bigEndian: false };

function syntaxIn(elements: readonly MetaElement[]): TransferSyntax | undefined {
  const element = elements.find(({ tag }) => tag === transferSyntaxTag);
  return element && transferSyntaxOf(element.value.toString('latin1').replace(/[ \0]+$/, ''));
}

/**
 * Reads up to where the data set starts.
 *
 * @throws ServiceError `storage-corrupt` | `dicom-limit-exceeded`
 */
export async function readFileMeta(
  source: ByteSource,
  limits: Part10Limits,
): Promise<FileMetaElements> {
  const prefix = Buffer.from(await source.read(prefixBytes));
  const elements: MetaElement[] = [];
  let endByGroupLength = 0;
  while (await source.fill(shortestHeader)) {
    // Deflated bytes could look like one more element; only there the group length is believed.
    if (source.position === endByGroupLength && syntaxIn(elements)?.deflated === true) break;
    if (source.peek(2).readUInt16LE() !== 2) break;
    const header =
      readHeader(source.peek(shortestHeader), encoding) ?? (await longHeader(source, encoding));
    if (header === undefined) throw damaged('has broken meta information', source.position);
    const { tag, length, size } = header;
    if (source.position + length > limits.headerBytes) {
      throw limitExceeded('headerBytes', limits, { tag, offset: source.position });
    }
    await source.skip(size);
    const value = Buffer.from(await source.read(length));
    if (tag !== groupLengthTag) elements.push({ tag, vr: header.vr ?? vrOf(tag) ?? 'UN', value });
    else if (length === 4) endByGroupLength = source.position + value.readUInt32LE();
  }
  const transferSyntax = syntaxIn(elements);
  if (transferSyntax === undefined) throw damaged('names no transfer syntax', source.position);
  return { prefix, elements, transferSyntax };
}

/** Writes it for a data set in another transfer syntax: group length and UID are new. */
export function encodeFileMeta(meta: FileMetaElements, transferSyntax: TransferSyntaxUID): Buffer {
  const group = Buffer.concat(
    meta.elements.map(({ tag, vr, value }) =>
      tag === transferSyntaxTag
        ? encodeElement(tag, 'UI', Buffer.from(transferSyntax, 'latin1'), true)
        : encodeElement(tag, vr, value, true),
    ),
  );
  const length = Buffer.alloc(4);
  length.writeUInt32LE(group.length);
  return Buffer.concat([meta.prefix, encodeElement(groupLengthTag, 'UL', length, true), group]);
}
