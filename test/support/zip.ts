/**
 * Reads ZIP archives for tests, by code of its own: from the end of the archive to its directory and
 * from there to the entries, as readers of files do.
 */
import { crc32, inflateRawSync } from 'node:zlib';

/** What the directory of an archive says of a file. */
export interface ListedFile {
  readonly name: string;
  readonly size: number;
  readonly packedSize: number;
  readonly crc: number;
  readonly offset: number;
}

const max16 = 0xffff;
const max32 = 0xffffffff;

function signed(bytes: Buffer, at: number, signature: number, what: string): void {
  if (bytes.readUInt32LE(at) !== signature) throw new Error(`No ${what} at ${at}`);
}

/** Where the directory starts and how many files it has, from an archive without a comment. */
function directoryOf(tail: Buffer): { readonly offset: number; readonly files: number } {
  const end = tail.length - 22;
  signed(tail, end, 0x06054b50, 'end of directory');
  const files = tail.readUInt16LE(end + 10);
  const offset = tail.readUInt32LE(end + 16);
  const size = tail.readUInt32LE(end + 12);
  if (files < max16 && offset < max32 && size < max32) return { offset, files };
  const locator = end - 20;
  signed(tail, locator, 0x07064b50, 'locator');
  const large = locator - 56;
  signed(tail, large, 0x06064b50, 'large end of directory');
  return {
    offset: Number(tail.readBigUInt64LE(large + 48)),
    files: Number(tail.readBigUInt64LE(large + 32)),
  };
}

/**
 * The files that an archive lists.
 *
 * @param tail - the end of the archive, with all of its directory.
 * @param start - where in the archive `tail` starts.
 */
export function listZip(tail: Buffer, start = 0): readonly ListedFile[] {
  const { offset: directory, files } = directoryOf(tail);
  const listed: ListedFile[] = [];
  let at = directory - start;
  while (listed.length < files) {
    signed(tail, at, 0x02014b50, 'directory entry');
    const nameBytes = tail.readUInt16LE(at + 28);
    const extraBytes = tail.readUInt16LE(at + 30);
    const extra = at + 46 + nameBytes;
    let next = extra + 4;
    const large = (value: number): number => {
      if (value < max32) return value;
      if (tail.readUInt16LE(extra) !== 1) throw new Error('No extra field for large sizes');
      next += 8;
      return Number(tail.readBigUInt64LE(next - 8));
    };
    const size = large(tail.readUInt32LE(at + 24));
    const packedSize = large(tail.readUInt32LE(at + 20));
    const offset = large(tail.readUInt32LE(at + 42));
    const name = tail.toString('latin1', at + 46, at + 46 + nameBytes);
    listed.push({ name, size, packedSize, crc: tail.readUInt32LE(at + 16), offset });
    at = extra + extraBytes;
  }
  return listed;
}

/** The files of an archive by name, each held against its checksum and the header before it. */
export function readZip(archive: Buffer): Readonly<Record<string, Buffer>> {
  const files = listZip(archive).map(({ name, size, packedSize, crc, offset }) => {
    signed(archive, offset, 0x04034b50, 'file header');
    const nameBytes = archive.readUInt16LE(offset + 26);
    const start = offset + 30 + nameBytes + archive.readUInt16LE(offset + 28);
    if (archive.toString('latin1', offset + 30, offset + 30 + nameBytes) !== name) {
      throw new Error(`Another name in the header of ${name}`);
    }
    const bytes = inflateRawSync(archive.subarray(start, start + packedSize));
    if (bytes.length !== size || crc32(bytes) !== crc) throw new Error(`${name} is damaged`);
    signed(archive, start + packedSize, 0x08074b50, 'descriptor');
    return [name, bytes] as const;
  });
  return Object.fromEntries(files);
}
