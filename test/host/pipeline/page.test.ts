import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { blobOriginOf, noPage, readPage, type WebPage } from '../../../src/host/pipeline/page.js';
import { hosts, startService } from '../../support/service.js';
import { asResponse } from '../../support/host/web-response.js';

const settings = {
  version: '1.2.3',
  signIn: null,
  shareDays: null,
  directUploadBytes: null,
  ohif: false,
};
let directory: string;
let page: WebPage;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'page-'));
  writeFileSync(path.join(directory, 'index.html'), '<!doctype html><title>Studies</title>');
  writeFileSync(path.join(directory, 'page-ABCD2345.js'), 'export {};');
  writeFileSync(path.join(directory, '.sources'), 'digest');
  page = readPage(
    directory,
    () => ['https://login.example.org'],
    () => settings,
  );
});

afterAll(() => rmSync(directory, { recursive: true }));

const ask = (at: string, headers = {}) => {
  const found = page(at, new Request(`http://localhost:7071${at}`, { headers }));
  return found && asResponse(found);
};

describe('readPage', () => {
  it('answers at the root, under a policy without inline code', async () => {
    const response = ask('/');
    expect(await response?.text()).toContain('<title>Studies</title>');
    expect(response?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = response?.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("script-src 'self';");
    expect(policy).toContain("connect-src 'self' https://login.example.org;");
    expect(policy).not.toContain('unsafe');
  });

  it('lets files named by their content be kept for good, and asks again for the root', () => {
    expect(ask('/web/page-ABCD2345.js')?.headers.get('cache-control')).toContain('immutable');
    expect(ask('/')?.headers.get('cache-control')).toBe('no-cache');
  });

  it('answers 304 to who has the file', () => {
    const etag = ask('/')?.headers.get('etag') ?? '';
    expect(ask('/', { 'If-None-Match': etag })?.status).toBe(304);
    expect(ask('/', { 'If-None-Match': '"other"' })?.status).toBe(200);
  });

  it.each(['/web/', '/web/index.html', '/web/.sources', '/web/../package.json', '/studies'])(
    'knows nothing at %s',
    (at) => {
      expect(ask(at)).toBeUndefined();
    },
  );

  it('tells the page how to sign in', async () => {
    expect(await ask('/web/settings.json')?.json()).toEqual(settings);
  });

  it('is no page where none was built', () => {
    expect(
      readPage(
        path.join(directory, 'nowhere'),
        () => [],
        () => settings,
      ),
    ).toBe(noPage);
  });
});

describe('blobOriginOf', () => {
  it.each([
    ['UseDevelopmentStorage=true', 'http://127.0.0.1:10000'],
    ['AccountName=a;AccountKey=k', 'https://a.blob.core.windows.net'],
    [
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k;EndpointSuffix=core.usgovcloudapi.net',
      'https://a.blob.core.usgovcloudapi.net',
    ],
    [
      'AccountName=devstoreaccount1;BlobEndpoint=http://127.0.0.1:4711/devstoreaccount1;',
      'http://127.0.0.1:4711',
    ],
    ['SharedAccessSignature=sv', undefined],
  ])('finds that of %s', (connectionString, origin) => {
    expect(blobOriginOf({ kind: 'connection-string', connectionString })).toBe(origin);
  });

  it('finds that of an account that is used with an identity', () => {
    const blobServiceUri = 'https://a.blob.core.windows.net';
    const tableServiceUri = 'https://a.table.core.windows.net';
    expect(blobOriginOf({ kind: 'identity', blobServiceUri, tableServiceUri })).toBe(
      blobServiceUri,
    );
    expect(blobOriginOf(undefined)).toBeUndefined();
  });
});

describe.each(hosts)('the page on the %s host', (host) => {
  it('is at the root, for who has no token too, and leaves the API where it is', async () => {
    const service = await startService({ host, access: 'locked', page: () => page });
    try {
      const root = await fetch(`${service.baseUrl}/`);
      expect(root.status).toBe(200);
      expect(root.headers.get('content-type')).toContain('text/html');
      expect(await root.text()).toContain('<title>Studies</title>');
      const script = await fetch(`${service.baseUrl}/web/page-ABCD2345.js`);
      expect(await script.text()).toBe('export {};');
      expect((await fetch(`${service.baseUrl}/studies`)).status).toBe(401);
      expect((await fetch(`${service.baseUrl}/`, { method: 'HEAD' })).status).toBe(200);
      expect((await fetch(`${service.baseUrl}/`, { method: 'POST' })).status).toBe(404);
    } finally {
      await service.stop();
    }
  });
});
