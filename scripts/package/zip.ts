/** Zips a folder: the little of the format (APPNOTE 6.3) that a package needs, without a dependency. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { crc32, deflateRawSync } from 'node:zlib';
import { filesIn } from './prune.js';

const localHeader = 0x04034b50;
const centralHeader = 0x02014b50;
const endOfCentral = 0x06054b50;
const version = 20;
const utf8Names = 0x0800;
const deflated = 8;
/** Midnight of 1980-01-01, so that equal packages are equal bytes. */
const date = 0x0021;
/** A regular file that all may read, as Unix has it, in the upper half. */
const attributes = (0o100644 << 16) >>> 0;

interface Entry {
  readonly name: Buffer;
  /** Fields that both headers of a file share, from the version on. */
  readonly shared: Buffer;
  readonly data: Buffer;
}

function entryOf(folder: string, file: string): Entry {
  const content = readFileSync(file);
  const data = deflateRawSync(content, { level: 9 });
  const name = Buffer.from(path.relative(folder, file).split(path.sep).join('/'));
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(version, 0);
  shared.writeUInt16LE(utf8Names, 2);
  shared.writeUInt16LE(deflated, 4);
  shared.writeUInt16LE(date, 8);
  shared.writeUInt32LE(crc32(content), 10);
  shared.writeUInt32LE(data.length, 14);
  shared.writeUInt32LE(content.length, 18);
  shared.writeUInt16LE(name.length, 22);
  return { name, shared, data };
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function centralOf({ name, shared }: Entry, offset: number): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt32LE(centralHeader, 0);
  // Made on Unix, whose rights the attributes are.
  head.writeUInt16LE((3 << 8) | version, 4);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(attributes, 6);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([head, shared, tail, name]);
}

/** The zip of all files below a folder, in the order of their names. */
export function zipFolder(folder: string): Buffer {
  const entries = [...filesIn(folder)].sort().map((file) => entryOf(folder, file));
  const bodies: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const body = Buffer.concat([signature(localHeader), entry.shared, entry.name, entry.data]);
    central.push(centralOf(entry, offset));
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(endOfCentral, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...bodies, directory, end]);
}
