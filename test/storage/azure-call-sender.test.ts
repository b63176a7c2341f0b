import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  createPipelineRequest,
  isRestError,
  type PipelineRequestOptions,
  type PipelineResponse,
} from '@azure/core-rest-pipeline';
import { callSender, type SenderOptions } from '../../src/storage/azure/call-sender.js';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

type Answer = (request: IncomingMessage, response: ServerResponse, body: Buffer) => void;

const reset: Answer = (request) => request.socket.resetAndDestroy();
const ok: Answer = (_, response) => response.end('ok');

/** A server that reads a request and answers it, and what sends to it. */
async function served(answer: Answer, options: Partial<SenderOptions> = {}) {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => answer(request, response, Buffer.concat(chunks)));
  });
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const sender = callSender(url, {
    sockets: 4,
    timeoutMs: 10_000,
    timeoutOf: 'sending',
    ...options,
  });
  const requestOf = (more: Partial<PipelineRequestOptions> = {}) =>
    createPipelineRequest({ url: `${url}/a`, allowInsecureConnection: true, ...more });
  const sendAgain = async (request: ReturnType<typeof requestOf>) =>
    await sender.sendRequest(request, () => {
      throw new Error('It is the last step');
    });
  return {
    server,
    requests,
    requestOf,
    sendAgain,
    send: async (more?: Partial<PipelineRequestOptions>) => await sendAgain(requestOf(more)),
  };
}

const streamed = { streamResponseStatusCodes: new Set([200]) };

function streamOf({ readableStreamBody }: PipelineResponse): Readable {
  if (!(readableStreamBody instanceof Readable)) throw new Error('The answer has no stream');
  return readableStreamBody;
}

async function textOf(response: PipelineResponse): Promise<string> {
  return Buffer.concat(await streamOf(response).toArray()).toString();
}

const given = { name: 'AbortError' };

describe('a call that is sent', () => {
  const bodies = {
    text: 'grüße',
    bytes: Buffer.from('grüße'),
    'an array buffer': new TextEncoder().encode('grüße').buffer,
    'a view': new DataView(new TextEncoder().encode('grüße').buffer),
    'a stream': () => Readable.from([Buffer.from('grü'), Buffer.from('ße')]),
  };

  it.each(Object.entries(bodies))(
    'carries its method, path, headers and body: %s',
    async (_, body) => {
      const { send, requestOf, requests } = await served((_request, response, received) => {
        response.end(received);
      });
      const { headers } = requestOf();
      headers.set('x-ms-meta-A', 'b');
      const answer = await send({ method: 'PUT', body, headers });
      expect(answer).toMatchObject({ status: 200, bodyAsText: 'grüße' });
      const [request] = requests;
      expect(request).toMatchObject({ method: 'PUT', url: '/a', headers: { 'x-ms-meta-a': 'b' } });
      const isStream = typeof body === 'function';
      expect(request?.headers['content-length']).toBe(isStream ? undefined : '7');
    },
  );

  it('says that a write without a body has none', async () => {
    const { send, requests } = await served(ok);
    await send({ method: 'PUT' });
    await send({ method: 'PUT', body: '' });
    expect(requests.map(({ headers }) => headers['content-length'])).toEqual(['0', '0']);
  });

  it('fails when its body does', async () => {
    const { send } = await served(ok);
    const body = new Readable({ read: () => undefined });
    const sending = send({ method: 'PUT', body: () => body });
    body.destroy(new Error('no more'));
    await expect(sending).rejects.toMatchObject({ name: 'RestError', message: 'no more' });
  });

  it.each([
    ['a form', { body: new FormData() }, 'Unrecognized body type'],
    ['a header that is none', { body: 'a' }, 'Invalid character'],
    ['an answer without TLS', { allowInsecureConnection: false }, 'without TLS'],
    ['no URL', { url: 'a' }, 'Invalid URL'],
  ] as const)('is refused with %s, and nothing is sent', async (what, more, message) => {
    const { send, requestOf, requests } = await served(ok);
    const { headers } = requestOf();
    if (what.startsWith('a header')) headers.set('x-a', '\u0000');
    await expect(send({ method: 'PUT', headers, ...more })).rejects.toThrow(message);
    expect(requests).toHaveLength(0);
  });
});

describe('an answer', () => {
  it.each([
    ['GET', 200, 'in chunks, grüße'],
    ['GET', 404, '{"odata.error":{}}'],
    ['POST', 204, ''],
    ['GET', 304, ''],
  ] as const)('to %s of %i is text', async (method, status, text) => {
    const { send } = await served((_, response) => {
      response.writeHead(status, { ETag: '"1"', 'Set-Cookie': ['a', 'b'] });
      const bytes = Buffer.from(text);
      // In the middle of a character.
      for (const part of [bytes.subarray(0, 14), bytes.subarray(14)]) response.write(part);
      response.end();
    });
    const answer = await send({ method });
    expect(answer).toMatchObject({ status, bodyAsText: text });
    expect(answer.headers.get('ETag')).toBe('"1"');
    expect(answer.headers.get('set-cookie')).toBe('a');
  });

  it('to HEAD is its head, and leaves the connection to the next call', async () => {
    const { send, requests } = await served((_, response) => {
      response.writeHead(200, { 'Content-Length': 12 }).end();
    });
    const answer = await send({ method: 'HEAD' });
    expect(answer.bodyAsText).toBeUndefined();
    expect(answer.headers.get('content-length')).toBe('12');
    await send({ method: 'HEAD' });
    expect(new Set(requests.map(({ socket }) => socket)).size).toBe(1);
  });

  it('is a stream of the statuses of which one is asked for, text of others', async () => {
    let status = 200;
    const { send } = await served((_, response) => response.writeHead(status).end('body'));
    expect(await textOf(await send(streamed))).toBe('body');
    status = 404;
    expect(await send(streamed)).toMatchObject({ status: 404, bodyAsText: 'body' });
    const all = { streamResponseStatusCodes: new Set([Number.POSITIVE_INFINITY]) };
    expect(await textOf(await send(all))).toBe('body');
  });

  it('that breaks off in its text fails with a code of its own, also on a kept connection', async () => {
    const answers: Answer[] = [ok];
    const { send, requests } = await served((request, response, body) => {
      const answer = answers.shift();
      if (answer !== undefined) answer(request, response, body);
      else response.write('half', () => request.socket.resetAndDestroy());
    });
    await send();
    const code = 'PARSE_ERROR';
    await expect(send()).rejects.toMatchObject({ name: 'RestError', code });
    expect(requests).toHaveLength(2);
  });
});

describe('a signal', () => {
  /** A signal, what fires it, and how many listen to it. */
  function counted() {
    const controller = new AbortController();
    const { signal } = controller;
    return {
      abortSignal: signal,
      abort: () => controller.abort(),
      count: () => getEventListeners(signal, 'abort').length,
    };
  }

  it('that has fired before sends nothing', async () => {
    const { send, requests } = await served(ok);
    await expect(send({ abortSignal: AbortSignal.abort() })).rejects.toMatchObject(given);
    expect(requests).toHaveLength(0);
  });

  it('ends a call that waits for its answer, and its connection', async () => {
    const { abortSignal, abort, count } = counted();
    const closed: Promise<unknown>[] = [];
    const { send } = await served((request) => {
      closed.push(once(request.socket, 'close'));
      abort();
    });
    await expect(send({ abortSignal })).rejects.toMatchObject(given);
    expect(await Promise.all(closed)).toHaveLength(1);
    expect(count()).toBe(0);
  });

  it('ends a call whose text has begun', async () => {
    const { abortSignal, abort, count } = counted();
    const { send } = await served((_, response) => {
      response.write('half', abort);
    });
    await expect(send({ abortSignal })).rejects.toMatchObject(given);
    expect(count()).toBe(0);
  });

  it('ends a call whose body is on its way', async () => {
    const { abortSignal, abort } = counted();
    const { send, server } = await served(ok);
    server.once('request', abort);
    const body = new Readable({ read: () => undefined });
    body.push('a');
    await expect(send({ method: 'PUT', body, abortSignal })).rejects.toMatchObject(given);
  });

  it('ends a stream that is being read', async () => {
    const { abortSignal, abort, count } = counted();
    const { send } = await served((_, response) => {
      response.write('half');
    });
    const stream = streamOf(await send({ ...streamed, abortSignal }));
    expect(await once(stream, 'data')).toEqual([Buffer.from('half')]);
    const failed = once(stream, 'error');
    abort();
    expect(await failed).toMatchObject([{ code: 'ECONNRESET' }]);
    expect(count()).toBe(0);
  });

  it('is heard by nobody any more when an answer was read', async () => {
    const { abortSignal, count } = counted();
    const { send } = await served(ok);
    await send({ abortSignal });
    await send({ method: 'HEAD', abortSignal });
    const answer = await send({ ...streamed, abortSignal });
    expect(count()).toBe(1);
    const closed = once(streamOf(answer), 'close');
    await textOf(answer);
    await closed;
    expect(count()).toBe(0);
  });
});

describe('the time of a call', () => {
  const timeoutMs = 10_000;

  beforeEach(() => {
    // Those of the sender alone: connections have timers of their own.
    const doNotFake = [
      'nextTick',
      'queueMicrotask',
      'setImmediate',
      'Date',
      'performance',
    ] as const;
    jest.useFakeTimers({ doNotFake: [...doNotFake] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('ends one that is not answered', async () => {
    const { send } = await served(() => jest.advanceTimersByTime(timeoutMs), { timeoutMs });
    await expect(send()).rejects.toMatchObject(given);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends one whose text does not end, and no stream', async () => {
    const responses: ServerResponse[] = [];
    const answers: (() => unknown)[] = [() => undefined, () => jest.advanceTimersByTime(timeoutMs)];
    const { send } = await served((_, response) => {
      responses.push(response);
      response.write('half', () => answers.shift()?.());
    });
    const answer = await send(streamed);
    await expect(send()).rejects.toMatchObject(given);
    responses[0]?.end();
    expect(await textOf(answer)).toBe('half');
  });

  it.each([
    ['sending', 2],
    ['call', 1],
  ] as const)('is that of a %s, of which one is sent again: %i', async (timeoutOf, sendings) => {
    const answers: Answer[] = [reset];
    const { requestOf, sendAgain, requests } = await served(
      (request, response, body) => (answers.shift() ?? ok)(request, response, body),
      { timeoutMs, timeoutOf },
    );
    const request = requestOf();
    await expect(sendAgain(request)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const late = performance.now() + timeoutMs;
    const clock = jest.spyOn(performance, 'now').mockReturnValue(late);
    const second = sendAgain(request);
    if (timeoutOf === 'sending') expect(await second).toMatchObject({ bodyAsText: 'ok' });
    else await expect(second).rejects.toMatchObject(given);
    clock.mockRestore();
    expect(requests).toHaveLength(sendings);
  });
});

describe('a connection that was kept, and is reset', () => {
  /** Answers once on a connection, and as told on the next calls. */
  async function warm(answers: Answer[], options: Partial<SenderOptions> = {}) {
    const made = await served((request, response, body) => {
      (answers.shift() ?? ok)(request, response, body);
    }, options);
    answers.unshift(ok);
    await made.send();
    made.requests.length = 0;
    return made;
  }
  const closed = { name: 'RestError', code: 'ECONNRESET' };

  it('has the call sent again on another, with its body', async () => {
    const { send, requests } = await warm([
      reset,
      (_, response, body) => {
        response.end(body);
      },
    ]);
    expect(await send({ method: 'POST', body: 'abc' })).toMatchObject({ bodyAsText: 'abc' });
    const sockets = new Set<Socket>(requests.map(({ socket }) => socket));
    expect([requests.length, sockets.size]).toEqual([2, 2]);
  });

  it('has it not sent again once more, for that one is fresh', async () => {
    const { send, requests } = await warm([reset, reset]);
    const error = await send().catch((failure: unknown) => failure);
    expect(error).toMatchObject(closed);
    expect(isRestError(error)).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it('has no stream sent again, of which a part is gone', async () => {
    const { send, requests } = await warm([reset]);
    const body = Readable.from([Buffer.from('abc')]);
    await expect(send({ method: 'PUT', body })).rejects.toMatchObject(closed);
    expect(requests).toHaveLength(1);
  });

  it('has nothing sent again that may not be, as whoever made the call says', async () => {
    let asked = 0;
    const { send, requests } = await warm([reset], {
      repeats: () => () => {
        asked += 1;
        return false;
      },
    });
    expect(asked).toBe(0);
    await expect(send()).rejects.toMatchObject(closed);
    expect([asked, requests.length]).toEqual([1, 1]);
  });

  it('is told from a fresh one, of which nobody knows what was done', async () => {
    const { send, requests } = await served(reset);
    await expect(send()).rejects.toMatchObject(closed);
    expect(requests).toHaveLength(1);
  });

  it('has the others that are idle closed', async () => {
    const waiting: ServerResponse[] = [];
    const sockets: Socket[] = [];
    const { send, requests } = await served((request, response, body) => {
      if (sockets.length < 3) {
        sockets.push(request.socket);
        waiting.push(response);
        if (sockets.length === 3) for (const one of waiting) one.end();
      } else if (sockets.includes(request.socket)) reset(request, response, body);
      else response.end();
    });
    await Promise.all([send(), send(), send()]);
    const ends = sockets.map(async (socket) => {
      if (!socket.destroyed) await once(socket, 'close');
    });
    await send();
    await Promise.all(ends);
    expect(requests).toHaveLength(5);
  });
});
