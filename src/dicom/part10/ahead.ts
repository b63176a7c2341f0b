/** What stands ahead of the cursor in a data set: the header of an element, or nulls. */
import type { ChunkCursor } from './cursor.js';
import {
  longestHeader,
  readHeader,
  shortestHeader,
  type ElementHeader,
  type Encoding,
} from './header.js';

const zeros = Buffer.alloc(64 * 1024);

/** The header ahead, of which the shortest form has been reached; `undefined` when more bytes are needed. */
export function headerAhead(cursor: ChunkCursor, encoding: Encoding): ElementHeader | undefined {
  const header = readHeader(cursor.bytes, encoding, cursor.at);
  if (header !== undefined || !cursor.reach(longestHeader)) return header;
  return readHeader(cursor.bytes, encoding, cursor.at);
}

/** Whether the shortest header that is ahead is made of nulls. */
export function isZeroAhead({ bytes, at }: ChunkCursor): boolean {
  return bytes[at] === 0 && isZero(bytes.subarray(at, at + shortestHeader));
}

/** Whether all bytes are null. Compares whole runs: a file may be padded with as many as it likes. */
export function isZero(bytes: Buffer): boolean {
  if (bytes.length > 0 && bytes[0] !== 0) return false;
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const run = bytes.subarray(at, at + zeros.length);
    if (!run.equals(zeros.subarray(0, run.length))) return false;
  }
  return true;
}
