/**
 * What cannot be served: the right status, a body that says what and where, a request id, and
 * nothing left behind in any store.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Archive } from '../../../src/storage/archive/archive.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { Client, faces, fresh, pathOf, sample, until } from '../../support/conformance.js';
import { begin, responseOf, sendRaw } from '../../support/http-client.js';
import { writeParts } from '../../support/multipart.js';
import { chunksOf, ramp } from '../../support/part10-builder.js';
import { hosts, startService, type Service } from '../../support/service.js';

const limits = { requestBytes: 200_000, instanceBytes: 100_000, parts: 5 };

const multipart = 'multipart/related; type="application/dicom"; boundary=abc';
const uid = '1.2.3';

const badUids = [
  '1.2.x',
  'notAStudyInstanceUid',
  '1.2.',
  '1'.repeat(65),
  '1.2-3',
  '%2e%2e%20',
  '..%2F..',
];

/** Where a UID of a path may be wrong. */
const pathsWith = (bad: string) => [
  { position: 'study', path: `/studies/${bad}` },
  { position: 'study', path: `/studies/${bad}/metadata` },
  { position: 'study', path: `/studies/${bad}/series` },
  { position: 'study', path: `/studies/${bad}/instances` },
  { position: 'study', path: `/studies/${bad}/series/${uid}/instances/${uid}` },
  { position: 'series', path: `/studies/${uid}/series/${bad}` },
  { position: 'series', path: `/studies/${uid}/series/${bad}/metadata` },
  { position: 'series', path: `/studies/${uid}/series/${bad}/instances` },
  { position: 'series', path: `/studies/${uid}/series/${bad}/instances/${uid}` },
  { position: 'instance', path: `/studies/${uid}/series/${uid}/instances/${bad}` },
  { position: 'instance', path: `/studies/${uid}/series/${uid}/instances/${bad}/metadata` },
  { position: 'instance', path: `/studies/${uid}/series/${uid}/instances/${bad}/frames/1` },
];

const everyPath = badUids.slice(0, 1).flatMap(pathsWith);
/** Every place with one bad UID, and every bad UID in one place: one parser reads them all. */
const badPaths = [
  ...everyPath,
  ...badUids.slice(1).flatMap((bad) => pathsWith(bad).filter(({ path }) => path.endsWith('/1'))),
];

const contentTypes = [
  undefined,
  'application/json',
  'application/dicom+json',
  'text/plain',
  'multipart/form-data; boundary=abc',
  'multipart/related',
  'multipart/related; type="application/dicom"',
  'multipart/related; type="application/dicom"; boundary=""',
  'multipart/related; type="application/dicom+json"; boundary=abc',
  'nonsense',
];

/** A good body of two parts, and where it may be cut. */
function cutsOf(body: Buffer) {
  const firstHeaders = body.indexOf('Content-Type');
  const firstFile = body.indexOf('\r\n\r\n') + 4;
  const secondBoundary = body.indexOf('\r\n--abc\r\n', firstFile);
  const secondFile = body.indexOf('\r\n\r\n', secondBoundary) + 4;
  return {
    'before anything': 0,
    'inside the first boundary': 3,
    'behind the first boundary': firstHeaders,
    'inside the headers of a part': firstHeaders + 5,
    'behind a header line': firstFile - 2,
    'behind the headers of a part': firstFile,
    'inside the preamble': firstFile + 64,
    'inside the file meta information': firstFile + 180,
    'inside the pixel data': secondBoundary - 100,
    'behind a file': secondBoundary,
    'inside the second boundary': secondBoundary + 5,
    'inside the headers of the second part': secondFile - 10,
    'inside the second file': secondFile + 300,
    'before the closing boundary': body.length - '\r\n--abc--\r\n'.length,
    'inside the closing boundary': body.length - '-\r\n'.length,
  };
}

const cutNames = Object.keys(cutsOf(writeParts([], 'abc'))) as (keyof ReturnType<typeof cutsOf>)[];

describe.each(hosts)('on the %s host', (host) => {
  let running: Service | undefined;
  const blobs = new MemoryBlobStore();
  /** Not those of the log, in which earlier stores are noted as done with in their own time. */
  let transactions = 0;
  const tables = new MemoryTableStore({
    onCall: ({ operation, target }) => {
      if (operation === 'transact' && target !== 'log') transactions += 1;
    },
  });
  const archive = new Archive({ tables, blobs });

  const service = () => {
    if (running === undefined) throw new Error('The service has not started.');
    return running;
  };

  beforeAll(async () => {
    running = await startService({
      host,
      limits,
      services: async () => await Promise.resolve({ ...service().services, archive }),
    });
  });

  afterAll(async () => {
    await running?.stop();
    await archive.close();
  });

  const blobNames = () => [...blobs.names('instances'), ...blobs.names('derived')];

  /** Runs what must not store anything, and waits until no trace of it is left. */
  async function leavingNothing(act: () => Promise<void>): Promise<void> {
    // What follows earlier stores comes to its end.
    await archive.close();
    const before = { blobs: blobNames(), transactions };
    await act();
    await until(() => blobNames().length <= before.blobs.length);
    expect(blobNames()).toEqual(before.blobs);
    expect(transactions).toBe(before.transactions);
  }

  describe.each(faces)('at the URLs of $name', (face) => {
    const client = new Client(face, service);

    /** Posts what must be refused; resolves to the words of the refusal. */
    async function refused(
      status: number,
      body: Uint8Array | ReadableStream<Uint8Array>,
      contentType: string | undefined,
      study?: string,
    ): Promise<string> {
      let text = '';
      await leavingNothing(async () => {
        const response = await client.post(
          study,
          body,
          contentType === undefined ? {} : { 'Content-Type': contentType },
        );
        text = await client.refusal(response, status);
      });
      return text;
    }

    describe('a UID in the path that is none', () => {
      it.each(badPaths)('is refused: $path', async ({ position, path }) => {
        const text = await client.refusal(await client.get(path), 400);
        expect(text).toContain(position);
      });

      it.each(everyPath)('is refused when deleting: $path', async ({ path }) => {
        const response = await client.send('DELETE', path);
        await client.refusal(response, /\/(metadata|series|instances|1)$/.test(path) ? 405 : 400);
      });

      it('is refused when storing', async () => {
        const body = writeParts([], 'abc');
        expect(await refused(400, body, multipart, 'notAStudyInstanceUid')).toContain('study');
      });
    });

    describe('a content type that holds no DICOM files', () => {
      it.each(contentTypes)('is refused: %s', async (contentType) => {
        const { file } = sample();
        const text = await refused(415, file, contentType);
        expect(text).toMatch(/Content-Type|boundary|type/);
      });

      it('is refused in any part, and the parts before it are not stored', async () => {
        const good = sample();
        const body = writeParts(
          [
            { headers: ['Content-Type: application/dicom'], body: good.file },
            { headers: ['Content-Type: application/json'], body: Buffer.from('{}') },
          ],
          'abc',
        );
        expect(await refused(415, body, multipart)).toContain('Part 2');
        expect(await client.isThere(good.study)).toBe(false);
      });
    });

    describe('an Accept header that cannot be satisfied', () => {
      it.each([
        '/studies',
        '/series',
        '/instances',
        `/studies/${uid}/series`,
        `/studies/${uid}/instances`,
        `/studies/${uid}/series/${uid}/instances`,
        `/studies/${uid}/metadata`,
        `/studies/${uid}/series/${uid}/metadata`,
        `/studies/${uid}/series/${uid}/instances/${uid}/metadata`,
      ])('is refused by %s', async (path) => {
        for (const accept of ['image/png', 'application/dicom', 'application/data', '*/*;q=0']) {
          const text = await client.refusal(await client.get(path, accept), 406);
          expect(text).toContain('application/dicom+json');
        }
      });

      it('is refused by a store, which then stores nothing', async () => {
        const { file } = sample();
        await leavingNothing(async () => {
          const response = await client.stow([file], { headers: { Accept: 'image/png' } });
          expect(await client.refusal(response, 406)).toContain('application/dicom+json');
        });
      });

      it('is refused by every retrieve of files and frames', async () => {
        const one = sample({ pixelData: { native: ramp(512) } });
        await client.store(one);
        const { study, series } = one;
        for (const level of [{ study }, { study, series }, one]) {
          const response = await client.get(pathOf(level), 'image/png');
          expect(await client.refusal(response, 406)).toContain('application/dicom');
        }
        const response = await client.get(`${pathOf(one)}/frames/1`, 'text/html');
        expect(await client.refusal(response, 406)).toContain('application/octet-stream');
      });
    });

    describe('a resource or method that there is not', () => {
      it.each(['/nothing', '/studies/1.2/nothing', '/studies/1.2/series/1.3/instances/1.4/x/y'])(
        'is 404: %s',
        async (path) => {
          await client.refusal(await client.get(path), 404);
        },
      );

      it.each([
        ['PUT', '/series'],
        ['POST', '/instances'],
        ['DELETE', '/studies'],
        ['PATCH', `/studies/${uid}`],
        ['POST', `/studies/${uid}/metadata`],
      ])('is 405 and names the methods: %s %s', async (method, path) => {
        const response = await client.send(method, path);
        expect(response.headers.get('allow')).toMatch(/GET/);
        await client.refusal(response, 405);
      });
    });

    describe('a multipart body that is malformed', () => {
      it.each(cutNames)('is refused when it is cut %s', async (name) => {
        const [first, second] = [sample(), sample()];
        const parts = [first, second].map(({ file }) => ({
          headers: ['Content-Type: application/dicom'],
          body: file,
        }));
        const body = writeParts(parts, 'abc');
        const text = await refused(400, body.subarray(0, cutsOf(body)[name]), multipart);
        expect(text).toMatch(/at byte \d+/);
        expect(await client.isThere(first.study)).toBe(false);
      });

      it.each([
        ['a header line without a colon', 'Content-Type application/dicom'],
        ['a header line without a name', ': application/dicom'],
        ['headers without end', `X-Long: ${'x'.repeat(20_000)}`],
      ])('is refused for %s, with the part and the byte', async (_what, line) => {
        const [first, second] = [sample(), sample()];
        const body = writeParts(
          [
            { headers: ['Content-Type: application/dicom'], body: first.file },
            { headers: [line], body: second.file },
          ],
          'abc',
        );
        expect(await refused(400, body, multipart)).toMatch(/[Pp]art 2 .*at byte \d+/);
        expect(await client.isThere(first.study)).toBe(false);
      });

      it('is refused when its boundary is another than announced', async () => {
        const body = writeParts([{ headers: [], body: sample().file }], 'xyz');
        expect(await refused(400, body, multipart)).toMatch(/boundary/);
      });
    });

    describe('a body beyond a limit', () => {
      const large = Buffer.alloc(limits.requestBytes + 1);
      const streamed = (bytes: Uint8Array) =>
        ReadableStream.from<Uint8Array>(chunksOf(bytes, 5000));

      it('is refused by its Content-Length', async () => {
        expect(await refused(413, large, multipart)).toContain(String(limits.requestBytes));
      });

      it('is refused when it comes in chunks', async () => {
        const good = sample();
        const files = Array.from({ length: 4 }, () => Buffer.alloc(limits.instanceBytes / 2));
        const parts = [good.file, ...files].map((body) => ({
          headers: ['Content-Type: application/dicom'],
          body,
        }));
        const body = streamed(writeParts(parts, 'abc'));
        expect(await refused(413, body, multipart)).toContain(String(limits.requestBytes));
        expect(await client.isThere(good.study)).toBe(false);
      });

      it('is refused when one instance is too large', async () => {
        const good = sample();
        const { file } = sample({ pixelData: { native: Buffer.alloc(limits.instanceBytes) } });
        const body = writeParts(
          [good.file, file].map((bytes) => ({
            headers: ['Content-Type: application/dicom'],
            body: bytes,
          })),
          'abc',
        );
        expect(await refused(413, body, multipart)).toContain(String(limits.instanceBytes));
        expect(await client.isThere(good.study)).toBe(false);
      });

      it('is refused when it has too many parts', async () => {
        const parts = Array.from({ length: limits.parts + 1 }, () => ({
          headers: ['Content-Type: application/dicom'],
          body: sample().file,
        }));
        expect(await refused(413, writeParts(parts, 'abc'), multipart)).toContain(
          String(limits.parts),
        );
      });
    });

    describe('an upload that breaks off', () => {
      // One with a length never gets here: the Functions host waits for all of it.
      const forms = host === 'local' ? ['with a length', 'in chunks'] : ['in chunks'];
      it.each(forms)('leaves nothing: %s', async (form) => {
        const study = fresh();
        const [first, second] = [sample({ study }), sample({ study })];
        const body = writeParts(
          [first, second].map(({ file }) => ({
            headers: ['Content-Type: application/dicom'],
            body: file,
          })),
          'abc',
        );
        const ended = () => service().log.filter(({ event }) => event === 'request').length;
        const before = ended();
        await leavingNothing(async () => {
          const outgoing = begin(client.url('/studies'), {
            method: 'POST',
            headers: {
              'Content-Type': multipart,
              ...(form === 'with a length'
                ? { 'Content-Length': body.length }
                : { 'Transfer-Encoding': 'chunked' }),
            },
          });
          outgoing.on('error', () => undefined);
          const closed = new Promise((resolve) => outgoing.once('close', resolve));
          outgoing.write(body.subarray(0, body.length - 300));
          // The first file is whole and in its blob when the client goes.
          await until(() => blobNames().some((name) => name.includes(study)));
          outgoing.destroy();
          await closed;
          await until(() => ended() > before);
        });
        expect(await client.isThere(study)).toBe(false);
      });
    });

    describe('a request that HTTP itself refuses', () => {
      it('is 400 when its header is malformed', async () => {
        const answer = await sendRaw(
          service().baseUrl,
          `GET ${face.prefix}/studies HTTP/1.1\r\nHost: localhost\r\nBroken\r\n\r\n`,
        );
        expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      });
    });

    it('the id that a client gives its request is in the answer', async () => {
      const outgoing = begin(client.url('/studies/1.2.x'), {
        headers: { 'X-Request-Id': 'request-of-the-test' },
      }).end();
      const incoming = await responseOf(outgoing);
      incoming.resume();
      expect(incoming.statusCode).toBe(400);
      expect(incoming.headers['x-request-id']).toBe('request-of-the-test');
    });
  });
});
