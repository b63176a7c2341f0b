import { describe, expect, it } from '@jest/globals';
import { chunksOf, limitBody, streamBody } from '../../src/http/body.js';
import { bytes, collect, watched } from '../support/byte-streams.js';

/** Lets everything that is already on its way happen. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('streamBody', () => {
  it('carries all bytes into a response', async () => {
    const source = watched([bytes('one'), bytes(''), bytes(''), bytes('two')]);
    expect(await new Response(streamBody(source)).text()).toBe('onetwo');
  });

  it('reads nothing ahead of its reader', async () => {
    const source = watched([bytes('1'), bytes('2'), bytes('3')]);
    const reader = streamBody(source).getReader();
    await settled();
    expect(source.pulled()).toBe(0);
    await reader.read();
    await settled();
    expect(source.pulled()).toBe(1);
  });

  it('returns the source when it is cancelled, also before it was read', async () => {
    const read = watched([bytes('1'), bytes('2')]);
    const reader = streamBody(read).getReader();
    await reader.read();
    await reader.cancel();
    expect(read.returned()).toBe(true);
    const unread = watched([bytes('1')]);
    await streamBody(unread).cancel();
    expect(unread.returned()).toBe(true);
  });

  it('fails as its source fails', async () => {
    const failure = new Error('blob gone');
    const reader = streamBody(watched([bytes('1')], failure)).getReader();
    await reader.read();
    await expect(reader.read()).rejects.toBe(failure);
  });
});

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

describe('chunksOf', () => {
  const failing = (error: unknown) =>
    new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(error);
      },
    });

  it('reads a request body', async () => {
    const request = new Request('http://host/', { method: 'POST', body: 'payload' });
    expect((await collect(chunksOf(request.body))).toString()).toBe('payload');
  });

  it('is empty for a request without body', async () => {
    expect(await collect(chunksOf(null))).toHaveLength(0);
  });

  it('cancels the stream when its reader stops', async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(bytes('x'));
      },
      cancel() {
        cancelled = true;
      },
    });
    for await (const chunk of chunksOf(stream)) {
      expect(chunk).toHaveLength(1);
      break;
    }
    expect(cancelled).toBe(true);
    expect(stream.locked).toBe(false);
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
    await expect(collect(chunksOf(failing(error)))).rejects.toMatchObject({
      code: 'client-aborted',
      cause: error,
    });
  });

  it.each([new Error('disk full'), 'text', undefined])('passes %p on', async (error) => {
    await expect(collect(chunksOf(failing(error)))).rejects.toBe(error);
  });
});
