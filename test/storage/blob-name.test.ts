import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { blobNameFault } from '../../src/storage/blob-name.js';
import { connectStorage } from '../../src/storage/azure/connect.js';
import { hostileNames } from './contract/hostile-names.js';

describe('blobNameFault', () => {
  it.each(hostileNames)('refuses %j', (name) => {
    expect(blobNameFault(name)).toEqual(expect.any(String));
  });

  it.each([
    'a',
    'a/b.dcm',
    'Doe^Jane/1 .dcm',
    'a%20b.dcm',
    '100%',
    '...',
    'a/..b',
    '/a//b',
    'é/日本',
  ])('takes %j', (name) => {
    expect(blobNameFault(name)).toBeUndefined();
  });

  it('says nothing of the name', () => {
    expect(blobNameFault('Doe/../x')).not.toContain('Doe');
  });
});

/** Pieces that paths are made of, and what normalisers and decoders stumble over. */
const pieces = fc.constantFrom(
  ...[
    '.',
    '..',
    '/',
    '\\',
    '%',
    '%2e',
    '%2F',
    '%5c',
    '%252e',
    '%25',
    '%c0%ae',
    '%00',
    'a',
    'é',
    ' ',
  ],
  ...[
    'instances',
    'import',
    '?',
    '#',
    '\0',
    '\r\n',
    '\ud800',
    ';',
    ':',
    '//',
    '@',
    '%zz',
    '\u2215',
  ],
);
const names = fc.oneof(
  fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 40 }),
);

/** Every path that a reader could make of that of a request, decoding it up to three times. */
function readings(account: string, url: string): readonly string[] {
  const paths = [new URL(url, account).pathname];
  for (let times = 0; times < 3; times += 1) {
    const last = paths.at(-1) ?? '';
    try {
      const decoded = decodeURIComponent(last);
      // What would begin a query is a part of the name here.
      paths.push(new URL(`http://a${decoded.replace(/[?#]/g, '_')}`).pathname);
    } catch {
      break;
    }
  }
  return paths;
}

describe('the blob adapter', () => {
  const requested: string[] = [];
  const server = createServer((request, response) => {
    requested.push(request.url ?? '');
    request.resume();
    response.writeHead(404, { 'x-ms-error-code': 'BlobNotFound' }).end();
  });
  let account = '';

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    account = `http://127.0.0.1:${(server.address() as AddressInfo).port}/account`;
  });

  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });

  it('requests nothing outside of the container, whatever the name', async () => {
    const key = Buffer.from('key').toString('base64');
    const { blobs } = connectStorage({
      connectionString: `DefaultEndpointsProtocol=http;AccountName=account;AccountKey=${key};BlobEndpoint=${account};TableEndpoint=${account}`,
    });
    await fc.assert(
      fc.asyncProperty(names, async (name) => {
        requested.length = 0;
        const outcome = blobs.get('import', name);
        if (blobNameFault(name) !== undefined) {
          await expect(outcome).rejects.toThrow(RangeError);
          expect(requested).toEqual([]);
          return;
        }
        expect(await outcome).toBeUndefined();
        expect(requested).toHaveLength(1);
        for (const path of requested.flatMap((url) => readings(account, url))) {
          expect(path.startsWith('/account/import/')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
