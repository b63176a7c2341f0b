import { describe, expect, it } from '@jest/globals';
import { limitBody, receivedBody } from '../../src/http/body.js';
import { bytes, collect, watched } from '../support/byte-streams.js';

describe('limitBody', () => {
  it('passes a body of exactly the limit', async () => {
    const body = limitBody(watched([bytes('123'), bytes('45')]), 5);
    expect((await collect(body)).toString()).toBe('12345');
  });

  it('refuses a larger one before passing the excess, and returns the source', async () => {
    const source = watched([bytes('123'), bytes('456'), bytes('789')]);
    const passed: string[] = [];
    const reading = (async () => {
      for await (const chunk of limitBody(source, 5)) passed.push(Buffer.from(chunk).toString());
    })();
    await expect(reading).rejects.toMatchObject({
      code: 'payload-too-large',
      facts: { limit: 'maxBodyBytes', limitValue: 5 },
    });
    expect(passed).toEqual(['123']);
    expect(source.pulled()).toBe(2);
    expect(source.returned()).toBe(true);
  });
});

describe('receivedBody', () => {
  const received = (source: AsyncIterable<Uint8Array> | null, told: number[] = []) =>
    receivedBody(source, 7, (count) => told.push(count));

  it('reads a request body, and tells of its bytes', async () => {
    const told: number[] = [];
    const source = watched([bytes('pay'), bytes('load')]);
    expect((await collect(received(source, told))).toString()).toBe('payload');
    expect(told).toEqual([3, 4]);
  });

  it('is empty for a request without body', async () => {
    expect(await collect(received(null))).toHaveLength(0);
  });

  it('refuses a larger one before passing the excess, and returns the source', async () => {
    const told: number[] = [];
    const source = watched([bytes('1234'), bytes('5678'), bytes('9')]);
    await expect(collect(received(source, told))).rejects.toMatchObject({
      code: 'payload-too-large',
      facts: { limit: 'maxBodyBytes', limitValue: 7 },
    });
    expect(told).toEqual([4]);
    expect(source.returned()).toBe(true);
  });

  it('returns the source when its reader stops', async () => {
    const source = watched([bytes('1'), bytes('2')]);
    for await (const chunk of received(source)) {
      expect(chunk).toHaveLength(1);
      break;
    }
    expect(source.returned()).toBe(true);
  });

  it.each([
    ['a reset', Object.assign(new Error('aborted'), { code: 'ECONNRESET' })],
    ['an abort', new DOMException('This operation was aborted', 'AbortError')],
    [
      'a stream that closed early',
      Object.assign(new Error('x'), { code: 'ERR_STREAM_PREMATURE_CLOSE' }),
    ],
    ['a reset in the cause', new TypeError('terminated', { cause: { code: 'UND_ERR_SOCKET' } })],
  ])('takes %s for a client that has gone', async (_what, error) => {
    await expect(collect(received(watched([], error)))).rejects.toMatchObject({
      code: 'client-aborted',
      cause: error,
    });
  });

  it('passes other errors on', async () => {
    const error = new Error('disk full');
    await expect(collect(received(watched([], error)))).rejects.toBe(error);
  });
});
