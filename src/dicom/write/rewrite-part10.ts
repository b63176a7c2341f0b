/**
 * Writes a stored Part 10 file in another transfer syntax while it streams past (PS3.10 §7): new file
 * meta information, the data set re-encoded, pixel data decoded or encoded frame by frame.
 */
import { createInflateRaw } from 'node:zlib';
import type { Part10Limits } from '../part10/limits.js';
import { ByteSource } from './byte-source.js';
import { encodeFileMeta, readFileMeta } from './file-meta.js';
import { rewrittenDataSet } from './rewrite-data-set.js';
import type { Rewrite } from './rewrite.js';
import { deflated, through } from './through.js';

/**
 * The file in its new form. Sequences have undefined lengths, group lengths are left out, everything
 * else has the values it had. A chunk may be empty. Memory holds a few chunks and the frames under
 * way, whatever the size. The target is in little endian.
 *
 * @param source - the file as it was stored.
 * @throws ServiceError `storage-corrupt` for a file that is not as it was when it was stored, and what
 *   the transcoding of pixel data throws.
 */
export async function* rewrittenPart10(
  source: AsyncIterable<Uint8Array>,
  rewrite: Rewrite,
  limits: Part10Limits,
): AsyncGenerator<Uint8Array, void, undefined> {
  const file = new ByteSource(source);
  try {
    const meta = await readFileMeta(file, limits);
    yield encodeFileMeta(meta, rewrite.target.uid);
    const dataSet = meta.transferSyntax.deflated
      ? new ByteSource(through(file.rest(), createInflateRaw()), file.position)
      : file;
    try {
      const rewritten = rewrittenDataSet(dataSet, meta.transferSyntax, rewrite, limits);
      yield* rewrite.target.deflated ? deflated(rewritten) : rewritten;
    } finally {
      if (dataSet !== file) await dataSet.close();
    }
  } finally {
    await file.close();
  }
}
