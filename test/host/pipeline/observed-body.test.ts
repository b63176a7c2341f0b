import { describe, expect, it } from '@jest/globals';
import { observeBody, type BodyEnd } from '../../../src/host/pipeline/observed-body.js';
import { bytes, collect, watched } from '../../support/byte-streams.js';

function observed(source: AsyncIterable<Uint8Array>) {
  const ends: BodyEnd[] = [];
  let runs = 0;
  const body = observeBody(source, {
    onEnd: (end) => ends.push(end),
    within: (work) => {
      runs += 1;
      return work();
    },
  });
  return { body, ends, runs: () => runs };
}

describe('observeBody', () => {
  it('passes chunks on as they are asked for, and counts their bytes', async () => {
    const source = watched([bytes('one'), bytes('three')]);
    const { body, ends, runs } = observed(source);
    expect(source.pulled()).toBe(0);
    expect((await collect(body)).toString()).toBe('onethree');
    expect(ends).toEqual([{ outcome: 'complete', bytes: 8 }]);
    expect(runs()).toBe(3);
  });

  it('returns the source when it is left, and tells so once', async () => {
    const source = watched([bytes('one'), bytes('two')]);
    const { body, ends } = observed(source);
    await body.next();
    await body.return?.();
    expect(source.returned()).toBe(true);
    expect(await body.next()).toEqual({ done: true, value: undefined });
    expect(ends).toEqual([{ outcome: 'aborted', bytes: 3 }]);
  });

  it('fails as its source fails, and tells why', async () => {
    const error = new Error('blob gone');
    const { body, ends } = observed(watched([bytes('1')], error));
    await body.next();
    await expect(body.next()).rejects.toBe(error);
    expect(ends).toEqual([{ outcome: 'failed', bytes: 1, error }]);
  });
});
