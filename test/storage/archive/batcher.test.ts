import { describe, expect, it } from '@jest/globals';
import { Batcher } from '../../../src/storage/archive/batcher.js';

/** A batcher whose flushes end when the test says so. */
function held(fits: (batch: readonly number[], item: number) => boolean = () => true) {
  const batches: { readonly items: readonly number[]; end: (error?: Error) => void }[] = [];
  const batcher = new Batcher<number, string>({
    flush: async (items) =>
      await new Promise((resolve, reject) => {
        batches.push({
          items,
          end: (error) => {
            if (error === undefined) resolve(items.map((item) => `did ${item}`));
            else reject(error);
          },
        });
      }),
    fits,
  });
  return { batcher, batches };
}

const turn = async () => await new Promise((resolve) => setImmediate(resolve));

describe('Batcher', () => {
  it('sends together what is handed in at the same moment', async () => {
    const { batcher, batches } = held();
    const all = Promise.all([1, 2, 3].map(async (item) => await batcher.add(item)));
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3]]);
    batches[0]?.end();
    expect(await all).toEqual(['did 1', 'did 2', 'did 3']);
  });

  it('sends together what has waited while a flush was on its way, one flush at a time', async () => {
    const { batcher, batches } = held();
    const first = batcher.add(1);
    await turn();
    const others = [batcher.add(2)];
    await turn();
    others.push(batcher.add(3));
    await turn();
    expect(batches).toHaveLength(1);
    batches[0]?.end();
    expect(await first).toBe('did 1');
    await turn();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3]]);
    batches[1]?.end();
    expect(await Promise.all(others)).toEqual(['did 2', 'did 3']);
  });

  it('keeps an error to the batch that it befell, and goes on', async () => {
    const { batcher, batches } = held((batch) => batch.length < 2);
    const results = Promise.allSettled([1, 2, 3].map(async (item) => await batcher.add(item)));
    await turn();
    batches[0]?.end(new Error('lost'));
    await turn();
    batches[1]?.end();
    expect((await results).map(({ status }) => status)).toEqual([
      'rejected',
      'rejected',
      'fulfilled',
    ]);
    await turn();
    expect(batcher.idle).toBe(true);
    const later = batcher.add(4);
    await turn();
    batches[2]?.end();
    expect(await later).toBe('did 4');
  });

  it('ends a batch before what does not fit, and always takes the first', async () => {
    const { batcher, batches } = held(
      (batch, item) => [...batch, item].reduce((a, b) => a + b) <= 5,
    );
    void Promise.all([9, 2, 3, 1].map(async (item) => await batcher.add(item)));
    for (let flush = 0; flush < 3; flush++) {
      await turn();
      batches[flush]?.end();
    }
    expect(batches.map(({ items }) => items)).toEqual([[9], [2, 3], [1]]);
  });

  it('takes along what has come in during a flush, as much as fits, in the order of the line', async () => {
    const flushes: number[][] = [];
    let goOn: () => void = () => undefined;
    const batcher = new Batcher<number, string>({
      flush: async (batch, join) => {
        await new Promise<void>((resolve) => (goOn = resolve));
        const all = [...batch, ...join()];
        expect(join()).toEqual([]);
        flushes.push(all);
        return all.map((item) => `did ${item}`);
      },
      fits: (batch) => batch.length < 3,
    });
    const results = [batcher.add(1)];
    await turn();
    results.push(...[2, 3, 4].map(async (item) => await batcher.add(item)));
    goOn();
    expect(await Promise.all(results.slice(0, 3))).toEqual(['did 1', 'did 2', 'did 3']);
    await turn();
    goOn();
    expect(await results[3]).toBe('did 4');
    expect(flushes).toEqual([[1, 2, 3], [4]]);
  });

  it('tells whether it is idle', async () => {
    const { batcher, batches } = held();
    expect(batcher.idle).toBe(true);
    const one = batcher.add(1);
    expect(batcher.idle).toBe(false);
    await turn();
    batches[0]?.end();
    await one;
    await turn();
    expect(batcher.idle).toBe(true);
  });

  it('rejects an item that a flush has left without a result', async () => {
    const batcher = new Batcher<number, string>({
      flush: async (items) => await Promise.resolve(items.slice(1).map(String)),
      fits: () => true,
    });
    const results = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
  });
});
