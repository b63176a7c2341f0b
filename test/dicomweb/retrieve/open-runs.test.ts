import { describe, expect, it } from '@jest/globals';
import { Readable } from 'node:stream';
import type { ByteRun } from '../../../src/dicom/frames.js';
import { openRuns, readAll } from '../../../src/dicomweb/retrieve/open-runs.js';
import type { RequestContext } from '../../../src/dicomweb/route.js';
import type { InstanceRecord } from '../../../src/storage/archive/records.js';

const file = Buffer.alloc(4_000_000, Buffer.from(Array.from({ length: 251 }, (_, at) => at)));

/** A context whose archive has the one file, and counts how often it is read. */
function contextOf(reads: ByteRun[]): RequestContext {
  return {
    services: {
      archive: {
        files: {
          open: async (_partition: string, _record: unknown, range: ByteRun) => {
            reads.push(range);
            const bytes = file.subarray(range.offset, range.offset + range.length);
            return await Promise.resolve({ body: Readable.from([bytes]) });
          },
        },
      },
    },
    partition: 'one',
    signal: new AbortController().signal,
  } as unknown as RequestContext;
}

const record = { transferSyntax: '1.2.840.10008.1.2.4.50' } as unknown as InstanceRecord;

async function read(runs: readonly ByteRun[]) {
  const reads: ByteRun[] = [];
  const bytes = await readAll(await openRuns(contextOf(reads), record, runs));
  const expected = Buffer.concat(
    runs.map(({ offset, length }) => file.subarray(offset, offset + length)),
  );
  expect(Buffer.from(bytes).equals(expected)).toBe(true);
  return reads;
}

describe('openRuns', () => {
  it('reads runs together that lie close, in any order', async () => {
    const runs = [
      { offset: 100, length: 10 },
      { offset: 118, length: 10 },
      { offset: 50_000, length: 10 },
      { offset: 8, length: 10 },
    ];
    expect(await read(runs)).toEqual([
      { offset: 100, length: 28 },
      { offset: 50_000, length: 10 },
      { offset: 8, length: 10 },
    ]);
  });

  // Copying what is there for each of them would take a minute.
  it('gathers 240 000 fragments in one walk', async () => {
    const runs = Array.from({ length: 240_000 }, (_, at) => ({ offset: at * 16 + 8, length: 8 }));
    expect(await read(runs)).toEqual([{ offset: 8, length: 240_000 * 16 - 8 }]);
  });
});
