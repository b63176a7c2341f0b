/** Answers that do not wait for a body reach a client that reads nothing before it has sent it all. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Authenticator } from '../../src/host/authenticator.js';
import { ServiceError } from '../../src/errors.js';
import { openSocket } from '../support/http-client.js';
import { hosts, startService, type Service } from '../support/service.js';

const mebibyte = 1024 ** 2;
const requestBytes = 100 * mebibyte;

/** `Authorization` names the permission, or there is none. */
const access: Authenticator = async (request) => {
  const granted = request.headers.get('authorization');
  if (granted === null) throw new ServiceError('unauthenticated', 'No token.');
  const permission = granted === 'write' ? 'write' : 'read';
  return await Promise.resolve({ grants: new Map([[permission, 'everywhere']] as const) });
};

interface Sending {
  readonly head: string;
  readonly mebibytes: number;
  readonly isChunked: boolean;
}

/** Sends a whole request, and only then looks for the answer. */
async function sendBlindly(
  service: Service,
  { head, mebibytes, isChunked }: Sending,
): Promise<{ readonly status: number; readonly text: string }> {
  const socket = await openSocket(service.baseUrl);
  const send = async (data: string | Uint8Array) => {
    if (!socket.write(data)) await once(socket, 'drain');
  };
  const framing = isChunked
    ? 'Transfer-Encoding: chunked'
    : `Content-Length: ${mebibytes * mebibyte}`;
  await send(`${head}Host: service.example\r\n${framing}\r\n\r\n`);
  const chunk = new Uint8Array(mebibyte);
  for (let count = 0; count < mebibytes; count += 1) {
    if (isChunked) await send(`${mebibyte.toString(16)}\r\n`);
    await send(chunk);
    if (isChunked) await send('\r\n');
  }
  if (isChunked) await send('0\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = answer.toString();
  return { status: Number(text.split(' ')[1]), text };
}

const store = 'POST /studies HTTP/1.1\r\n';
const write = 'Authorization: write\r\n';
const dicom = 'Content-Type: multipart/related; type="application/dicom"; boundary=b\r\n';

const unreadable = [
  400,
  'invalid-header',
  `${store}${write}${dicom}X-Odd: a\x01b\r\n`,
  20,
] as const;

describe.each(hosts)('on the %s host, an answer', (host) => {
  let running: Service | undefined;
  const service = () => {
    if (running === undefined) throw new Error('The service has not started.');
    return running;
  };

  beforeAll(async () => {
    running = await startService({ host, access, limits: { requestBytes } });
  });
  afterAll(async () => {
    await running?.stop();
  });

  describe.each([
    ['with a length', false],
    ['in chunks', true],
  ])('to a body %s', (_, isChunked) => {
    it.each<readonly [number, string, string, number]>([
      [401, 'unauthenticated', store + dicom, 100],
      [403, 'forbidden', `${store}Authorization: read\r\n${dicom}`, 20],
      [404, 'route-not-found', `POST /nowhere HTTP/1.1\r\n${write}`, 20],
      [415, 'unsupported-media-type', `${store}${write}Content-Type: text/plain\r\n`, 20],
      [406, 'not-acceptable', `${store}${write}${dicom}Accept: image/png\r\n`, 20],
      // The local host ends a connection whose head is not HTTP.
      ...(host === 'functions' ? [unreadable] : []),
    ])('of %i %s arrives', async (status, code, head, mebibytes) => {
      const answer = await sendBlindly(service(), { head, mebibytes, isChunked });
      expect(answer).toMatchObject({ status, text: expect.stringContaining(code) });
      expect(service().pending()).toBe(0);
    });

    it('of 413 arrives', async () => {
      await running?.stop();
      running = await startService({ host, access, limits: { requestBytes: 20 * mebibyte } });
      const sending = { head: store + write + dicom, mebibytes: 21, isChunked };
      const answer = await sendBlindly(service(), sending);
      expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('20971520') });
      await running.stop();
      running = await startService({ host, access, limits: { requestBytes } });
    });
  });
});
