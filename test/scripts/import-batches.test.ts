import { describe, expect, it } from '@jest/globals';
import { batchesOf } from '../../scripts/import/batches.js';
import { inParallel } from '../../scripts/import/in-parallel.js';
import type { LocalFile } from '../../scripts/import/local-files.js';

describe('batchesOf', () => {
  async function split(
    files: readonly Partial<LocalFile>[],
  ): Promise<readonly (readonly string[])[]> {
    async function* each() {
      for (const [index, file] of files.entries()) {
        yield {
          path: String(index),
          bytes: 1,
          modified: 0,
          isDirectory: false,
          instance: `1.${index}`,
          ...file,
        };
        await Promise.resolve();
      }
    }
    const batches = [];
    for await (const batch of batchesOf(each(), { files: 3, bytes: 10 })) {
      batches.push(batch.map(({ path }) => path));
    }
    return batches;
  }

  it('cuts by number', async () => {
    expect(await split([{}, {}, {}, {}])).toEqual([['0', '1', '2'], ['3']]);
  });

  it('cuts by size, and sends what is larger by itself', async () => {
    expect(await split([{ bytes: 6 }, { bytes: 5 }, { bytes: 5 }, { bytes: 99 }, {}])).toEqual([
      ['0'],
      ['1', '2'],
      ['3'],
      ['4'],
    ]);
  });

  it('keeps files of one UID apart', async () => {
    expect(await split([{ instance: '9' }, {}, { instance: '9' }])).toEqual([['0', '1'], ['2']]);
  });
});

describe('inParallel', () => {
  it('has as many at work as it may, and all in the end', async () => {
    let atWork = 0;
    let most = 0;
    const done: number[] = [];
    await inParallel([1, 2, 3, 4, 5], 2, async (value) => {
      most = Math.max(most, ++atWork);
      await new Promise(setImmediate);
      atWork -= 1;
      done.push(value);
    });
    expect(most).toBe(2);
    expect(done.sort()).toEqual([1, 2, 3, 4, 5]);
  });

  it('ends with the first error, and begins nothing after it', async () => {
    const begun: number[] = [];
    const work = async (value: number) => {
      begun.push(value);
      await new Promise(setImmediate);
      throw new Error(`no ${value}`);
    };
    await expect(inParallel([1, 2, 3, 4, 5], 2, work)).rejects.toThrow('no 1');
    expect(begun).toEqual([1, 2]);
  });
});
