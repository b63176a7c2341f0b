import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { noPage, readPage, type Page } from '../../../src/host/pipeline/page.js';
import { asResponse } from '../../support/web-response.js';

const settings = { version: '1.2.3', signIn: null, shareDays: null, ohif: false };
let directory: string;
let page: Page;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'page-'));
  writeFileSync(path.join(directory, 'index.html'), '<!doctype html><title>Studies</title>');
  writeFileSync(path.join(directory, 'page-ABCD2345.js'), 'export {};');
  writeFileSync(path.join(directory, '.sources'), 'digest');
  page = readPage(directory, ['https://login.example.org'], settings);
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
    expect(readPage(path.join(directory, 'nowhere'), [], settings)).toBe(noPage);
  });
});
