/** The file SHA256SUMS of a folder, in the form that `sha256sum --check` reads. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';

const fileName = 'SHA256SUMS';

export interface Checksums {
  /** By path within the folder, with `/`. */
  readonly sums: ReadonlyMap<string, string>;
  add(file: string, sum: string): Promise<void>;
  remove(file: string): void;
  /** Ends the file; each path is in it once, the last sum of it. */
  close(): Promise<void>;
}

/** The SHA-256 of a file, in hex. @throws Error of the file system. */
export async function checksumOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

function linesOf(sums: Iterable<readonly [string, string]>): string {
  return [...sums].map(([file, sum]) => `${sum}  ${file}\n`).join('');
}

/** Opens the sums of a folder, or begins them. @throws Error of the file system. */
export async function openChecksums(folder: string): Promise<Checksums> {
  const name = path.join(folder, fileName);
  const before = await readFile(name, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  const sums = new Map<string, string>();
  for (const [, sum = '', file = ''] of before.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)) {
    sums.set(file, sum);
  }
  const handle = await open(name, 'a');
  // Begins on a line of its own, whatever a run that died has left.
  if (before !== '' && !before.endsWith('\n')) await handle.appendFile('\n');
  return {
    sums,
    add: async (file, sum) => {
      sums.set(file, sum);
      await handle.appendFile(linesOf([[file, sum]]));
    },
    remove: (file) => {
      sums.delete(file);
    },
    close: async () => {
      await handle.close();
      await writeFile(`${name}.new`, linesOf([...sums].sort(([a], [b]) => (a < b ? -1 : 1))));
      await rename(`${name}.new`, name);
    },
  };
}
