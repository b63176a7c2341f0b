/** Remembers, from run to run, which files are in which service: one JSON line a file. */
import { open, readFile } from 'node:fs/promises';
import type { LocalFile } from './local-files.js';

export interface Journal {
  /** Whether the file is in the service, as it is now. */
  has(file: Pick<LocalFile, 'path' | 'bytes' | 'modified'>): boolean;
  /** Notes files that are in the service. */
  add(files: readonly LocalFile[]): Promise<void>;
  close(): Promise<void>;
}

async function linesOf(path: string): Promise<readonly string[]> {
  try {
    return (await readFile(path, 'utf8')).split('\n');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/**
 * Opens a journal, or begins one. A line that broke off when a run died is nobody's key.
 *
 * @param url of the service.
 */
export async function openJournal(path: string, url: string): Promise<Journal> {
  const known = new Set(await linesOf(path));
  const handle = await open(path, 'a');
  const lineOf = ({
    path: file,
    bytes,
    modified,
  }: Pick<LocalFile, 'path' | 'bytes' | 'modified'>) =>
    JSON.stringify([url, file, bytes, modified]);
  // Begins on a line of its own, whatever came before.
  await handle.appendFile('\n');
  return {
    has: (file) => known.has(lineOf(file)),
    add: async (files) => {
      if (files.length > 0)
        await handle.appendFile(files.map((file) => `${lineOf(file)}\n`).join(''));
    },
    close: async () => {
      await handle.close();
    },
  };
}
