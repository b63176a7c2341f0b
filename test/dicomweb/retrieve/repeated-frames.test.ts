import { describe, expect, it } from '@jest/globals';
import { RepeatedFrames } from '../../../src/dicomweb/retrieve/repeated-frames.js';

/** Takes a whole list, several frames at a time, and counts what was made. */
async function take(list: readonly number[], most?: number) {
  const repeated = new RepeatedFrames(list, most);
  const made: number[] = [];
  const taken: Uint8Array[] = [];
  for (let at = 0; at < list.length; at += 4) {
    const some = list.slice(at, at + 4).map(
      async (frame) =>
        await repeated.take(frame, async () => {
          made.push(frame);
          return await Promise.resolve(Uint8Array.of(frame, frame));
        }),
    );
    taken.push(...(await Promise.all(some)));
  }
  expect(taken.map(([first]) => first)).toEqual(list);
  return made;
}

describe('RepeatedFrames', () => {
  it('makes 7 001 repeats of a frame once', async () => {
    expect(await take(new Array<number>(7001).fill(3))).toEqual([3]);
  });

  it('makes each frame of a list that is repeated once', async () => {
    const list = [1, 2, 3, 4, 5, 6, 7];
    expect(await take([...list, ...list.toReversed(), 9])).toEqual([...list, 9]);
  });

  it('keeps no more than there is room for', async () => {
    const list = [1, 2, 3, 4, 1, 2, 3, 4];
    expect(await take(list, 4)).toEqual([1, 2, 3, 4, 3, 4]);
  });

  it('tells of a failure, and makes the frame again at its next turn', async () => {
    const repeated = new RepeatedFrames([1, 1]);
    const failing = repeated.take(1, async () => await Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    const bytes = Uint8Array.of(1);
    expect(await repeated.take(1, async () => await Promise.resolve(bytes))).toBe(bytes);
  });

  it('knows which frames are shared', () => {
    const repeated = new RepeatedFrames([1, 2, 1]);
    expect([1, 2, 3].map((frame) => repeated.isShared(frame))).toEqual([true, false, false]);
  });
});
