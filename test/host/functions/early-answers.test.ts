/** Answers that do not wait for a body reach a client that reads nothing before it has sent it all. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Authenticator } from '../../../src/host/pipeline/authenticator.js';
import { ServiceError } from '../../../src/errors.js';
import { sendBlindly } from '../../support/http-client.js';
import { hosts, startService, type Service } from '../../support/service.js';

const mebibyte = 1024 ** 2;
const requestBytes = 100 * mebibyte;

/** `Authorization` names the permission, or there is none. */
const access: Authenticator = async (request) => {
  const granted = request.headers.get('authorization');
  if (granted === null) throw new ServiceError('unauthenticated', 'No token.');
  const permission = granted === 'write' ? 'write' : 'read';
  return await Promise.resolve({ grants: new Map([[permission, 'everywhere']] as const) });
};

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
      const answer = await sendBlindly(service().baseUrl, { head, mebibytes, isChunked });
      expect(answer).toMatchObject({ status, text: expect.stringContaining(code) });
      expect(service().pending()).toBe(0);
    });

    it('of 413 arrives', async () => {
      await running?.stop();
      running = await startService({ host, access, limits: { requestBytes: 20 * mebibyte } });
      const sending = { head: store + write + dicom, mebibytes: 21, isChunked };
      const answer = await sendBlindly(service().baseUrl, sending);
      expect(answer).toMatchObject({ status: 413, text: expect.stringContaining('20971520') });
      await running.stop();
      running = await startService({ host, access, limits: { requestBytes } });
    });
  });
});
