/** The files to import: found in folders, and looked into far enough to know what they are. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Part10Reader } from '../../src/dicom/part10/part10.js';

/** A file that looks like DICOM. */
export interface LocalFile {
  readonly path: string;
  readonly bytes: number;
  /** Changes when the file does. */
  readonly modified: number;
  /** Its UIDs, as far as they could be read. */
  readonly study?: string;
  readonly series?: string;
  readonly instance?: string;
  /** Whether it is the directory of a medium (DICOMDIR, PS3.10 §8.6), which no archive stores. */
  readonly isDirectory: boolean;
}

/** Behind a preamble of 128 bytes (PS3.10 §7.1). */
const magic = 'DICM';
const magicAt = 128;
/** Media Storage Directory Storage (PS3.4 annex I). */
const directoryClass = '1.2.840.10008.1.3.10';
/** UIDs stand near the beginning; whose do not is sent by itself. */
const readAheadBytes = 1024 * 1024;

/**
 * The files below the given files and folders, as absolute paths, in order of their names.
 *
 * @throws Error of the file system for a path that is not there.
 */
export async function listFiles(paths: readonly string[]): Promise<readonly string[]> {
  const files: string[] = [];
  for (const path of paths) {
    const root = resolve(path);
    if (!(await stat(root)).isDirectory()) {
      files.push(root);
      continue;
    }
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    const below = entries.filter((entry) => entry.isFile());
    for (const { parentPath, name } of below) files.push(join(parentPath, name));
  }
  return files.sort();
}

/**
 * Looks into a file.
 *
 * @returns `undefined` when it does not look like DICOM.
 * @throws Error of the file system when it cannot be read.
 */
export async function look(path: string): Promise<LocalFile | undefined> {
  const handle = await open(path);
  try {
    const { size: bytes, mtimeMs: modified } = await handle.stat();
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(magic.length), {
      position: magicAt,
    });
    if (buffer.toString('latin1', 0, bytesRead) !== magic) return undefined;
    return { path, bytes, modified, ...(await identify(path)) };
  } finally {
    await handle.close();
  }
}

async function identify(
  path: string,
): Promise<Pick<LocalFile, 'study' | 'series' | 'instance' | 'isDirectory'>> {
  const reader = new Part10Reader();
  const source = createReadStream(path, { end: readAheadBytes - 1 });
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      await reader.push(chunk);
      if (reader.identityComplete) break;
    }
  } catch {
    // The service says what is wrong with it.
  }
  const unpadded = (uid: string | undefined) => uid?.replace(/[ \0]+$/, '');
  const study = unpadded(reader.identity.study);
  const series = unpadded(reader.identity.series);
  const instance = unpadded(reader.identity.instance);
  return {
    isDirectory: unpadded(reader.meta?.mediaStorageSOPClassUID) === directoryClass,
    ...(study !== undefined && { study }),
    ...(series !== undefined && { series }),
    ...(instance !== undefined && { instance }),
  };
}
