/**
 * Writes a ZIP archive (ISO/IEC 21320-1, APPNOTE 6.3.4) while its entries stream by, of any size: with
 * the fields of ZIP64 where an entry, the archive or the number of entries needs them. Entries are not
 * made smaller: pixel data hardly would be.
 */
import { crc32 } from 'node:zlib';
import { ServiceError } from '../../../errors.js';

/** One file of an archive. */
export interface ZipEntry {
  /** Path within the archive: ASCII, with `/` between folders. */
  readonly name: string;
  readonly modified: Date;
  readonly body: AsyncIterable<Uint8Array>;
  /** Bytes of the body, where known; a body of another length aborts the archive. */
  readonly length?: number;
}

/** What the central directory says of an entry. */
interface Written {
  readonly name: Buffer;
  readonly time: number;
  readonly date: number;
  readonly crc: number;
  readonly size: number;
  readonly packedSize: number;
  readonly offset: number;
}

const limit16 = 0xffff;
const limit32 = 0xffffffff;
const version = { plain: 20, zip64: 45 } as const;
const madeByUnix = 3 << 8;
/** Sizes and checksum follow the entry, which is not known before it has passed. */
const sizesFollow = 1 << 3;
/**
 * Deflate, though all its blocks are of the stored kind: unlike plainly stored entries they end by
 * themselves, which readers of streams need where the size comes behind.
 */
const deflate = 8;
const mostInBlock = 0xffff;
const blockHeaderBytes = 5;
const regularFile = (0o100644 << 16) >>> 0;
/** Central records are gathered into pieces of this size. */
const pieceBytes = 64 * 1024;

function dosTime(moment: Date): { readonly time: number; readonly date: number } {
  const year = Math.min(Math.max(moment.getUTCFullYear(), 1980), 2107) - 1980;
  return {
    time:
      (moment.getUTCHours() << 11) | (moment.getUTCMinutes() << 5) | (moment.getUTCSeconds() >> 1),
    date: (year << 9) | ((moment.getUTCMonth() + 1) << 5) | moment.getUTCDate(),
  };
}

/** Fields of 2, 4 or 8 bytes, little-endian. */
function fields(...values: readonly (readonly [bytes: 2 | 4 | 8, value: number])[]): Buffer {
  const buffer = Buffer.alloc(values.reduce((sum, [bytes]) => sum + bytes, 0));
  let at = 0;
  for (const [bytes, value] of values) {
    if (bytes === 2) buffer.writeUInt16LE(value, at);
    else if (bytes === 4) buffer.writeUInt32LE(value, at);
    else buffer.writeBigUInt64LE(BigInt(value), at);
    at += bytes;
  }
  return buffer;
}

/** The extra field that holds what has no room in the record itself. */
function zip64Extra(...values: readonly number[]): Buffer {
  if (values.length === 0) return Buffer.alloc(0);
  const content = values.map((value) => [8, value] as const);
  return fields([2, 1], [2, values.length * 8], ...content);
}

/** Bytes of a body of known length once it is cut into blocks, of which only the last is not full. */
function packedLength(length: number): number {
  return length + blockHeaderBytes * (Math.floor(length / mostInBlock) + 1);
}

function localHeader(
  { name, time, date }: Pick<Written, 'name' | 'time' | 'date'>,
  isLarge: boolean,
): Buffer {
  const extra = isLarge ? zip64Extra(0, 0) : zip64Extra();
  const size = isLarge ? limit32 : 0;
  const head = fields(
    [4, 0x04034b50],
    [2, isLarge ? version.zip64 : version.plain],
    [2, sizesFollow],
    [2, deflate],
    [2, time],
    [2, date],
    [4, 0],
    [4, size],
    [4, size],
    [2, name.length],
    [2, extra.length],
  );
  return Buffer.concat([head, name, extra]);
}

/** Readers tell its width by how much they have read, whatever the header said of a length unknown. */
function descriptor({ crc, size, packedSize }: Written): Buffer {
  const width = packedSize >= limit32 ? 8 : 4;
  return fields([4, 0x08074b50], [4, crc], [width, packedSize], [width, size]);
}

function centralRecord({ name, time, date, crc, size, packedSize, offset }: Written): Buffer {
  const large = [size, packedSize, offset].filter((value) => value >= limit32);
  const extra = zip64Extra(...large);
  const needed = large.length > 0 ? version.zip64 : version.plain;
  const head = fields(
    [4, 0x02014b50],
    [2, madeByUnix | version.zip64],
    [2, needed],
    [2, sizesFollow],
    [2, deflate],
    [2, time],
    [2, date],
    [4, crc],
    [4, Math.min(packedSize, limit32)],
    [4, Math.min(size, limit32)],
    [2, name.length],
    [2, extra.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, regularFile],
    [4, Math.min(offset, limit32)],
  );
  return Buffer.concat([head, name, extra]);
}

function endOfArchive(entries: number, offset: number, size: number): Buffer {
  const isLarge = entries >= limit16 || offset >= limit32 || size >= limit32;
  const zip64 = fields(
    [4, 0x06064b50],
    [8, 44],
    [2, madeByUnix | version.zip64],
    [2, version.zip64],
    [4, 0],
    [4, 0],
    [8, entries],
    [8, entries],
    [8, size],
    [8, offset],
    [4, 0x07064b50],
    [4, 0],
    [8, offset + size],
    [4, 1],
  );
  const end = fields(
    [4, 0x06054b50],
    [2, 0],
    [2, 0],
    [2, Math.min(entries, limit16)],
    [2, Math.min(entries, limit16)],
    [4, Math.min(size, limit32)],
    [4, Math.min(offset, limit32)],
    [2, 0],
  );
  return isLarge ? Buffer.concat([zip64, end]) : end;
}

function block(bytes: Uint8Array, isLast: boolean): readonly Uint8Array[] {
  const header = Buffer.alloc(blockHeaderBytes);
  header.writeUInt8(isLast ? 1 : 0);
  header.writeUInt16LE(bytes.length, 1);
  header.writeUInt16LE(~bytes.length & limit16, 3);
  return [header, bytes];
}

/** A body as a deflated stream of blocks that hold it as it is (RFC 1951 §3.2.4). */
async function* inBlocks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  let rest: Uint8Array = new Uint8Array();
  for await (const chunk of body) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const full: (readonly Uint8Array[])[] = [];
    let at = 0;
    for (; bytes.length - at >= mostInBlock; at += mostInBlock) {
      full.push(block(bytes.subarray(at, at + mostInBlock), false));
    }
    rest = bytes.subarray(at);
    if (full.length > 0) yield Buffer.concat(full.flat());
  }
  yield Buffer.concat(block(rest, true));
}

/** Records of the central directory, held in few pieces. */
class CentralDirectory {
  readonly #pieces: Buffer[] = [];
  #recent: Buffer[] = [];
  #recentBytes = 0;
  entries = 0;
  size = 0;

  add(written: Written): void {
    const record = centralRecord(written);
    this.#recent.push(record);
    this.#recentBytes += record.length;
    this.entries += 1;
    this.size += record.length;
    if (this.#recentBytes >= pieceBytes) this.#gather();
  }

  pieces(): readonly Buffer[] {
    this.#gather();
    return this.#pieces;
  }

  #gather(): void {
    if (this.#recentBytes > 0) this.#pieces.push(Buffer.concat(this.#recent));
    this.#recent = [];
    this.#recentBytes = 0;
  }
}

/**
 * Writes each entry as it is asked for, then the central directory. Of entries only what that
 * directory says is held, some 80 bytes each. When the consumer stops early, the body being written
 * and `entries` are returned.
 *
 * @throws ServiceError `storage-corrupt` when a body is shorter or longer than its stated length;
 *   and whatever `entries` throws.
 */
export async function* writeZip(
  entries: AsyncIterable<ZipEntry>,
): AsyncGenerator<Uint8Array, void, undefined> {
  const directory = new CentralDirectory();
  let offset = 0;
  for await (const entry of entries) {
    const name = Buffer.from(entry.name, 'latin1');
    const { time, date } = dosTime(entry.modified);
    const isLarge = packedLength(entry.length ?? 0) >= limit32;
    const header = localHeader({ name, time, date }, isLarge);
    yield header;
    let crc = 0;
    let size = 0;
    async function* measured(): AsyncGenerator<Uint8Array, void, undefined> {
      for await (const chunk of entry.body) {
        crc = crc32(chunk, crc);
        size += chunk.length;
        yield chunk;
      }
    }
    yield* inBlocks(measured());
    if (entry.length !== undefined && entry.length !== size) {
      throw new ServiceError(
        'storage-corrupt',
        `A file was announced with ${entry.length} bytes and had ${size}.`,
      );
    }
    const packedSize = packedLength(size);
    const written = { name, time, date, crc, size, packedSize, offset };
    const tail = descriptor(written);
    yield tail;
    directory.add(written);
    offset += header.length + packedSize + tail.length;
  }
  yield* directory.pieces();
  yield endOfArchive(directory.entries, offset, directory.size);
}
