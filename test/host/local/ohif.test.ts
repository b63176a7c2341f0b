import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readOhif } from '../../../src/host/local/ohif.js';
import { readConfig } from '../../../src/host/config.js';
import { noPage, pageOf, type WebPage } from '../../../src/host/pipeline/page.js';
import { asResponse } from '../../support/host/web-response.js';

let directory: string;
let ohif: WebPage;

beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'ohif-'));
  mkdirSync(path.join(directory, 'assets'));
  writeFileSync(path.join(directory, 'index.html'), '<!doctype html><title>OHIF</title>');
  writeFileSync(path.join(directory, 'app.js'), 'run();');
  writeFileSync(path.join(directory, 'assets/logo.svg'), '<svg/>');
  writeFileSync(path.join(directory, 'app-config.js'), 'window.config = {};\n');
  writeFileSync(path.join(directory, '.version'), '3');
  ohif = readOhif({ directory });
});

afterAll(() => rmSync(directory, { recursive: true }));

function ask(asked: string, headers: Readonly<Record<string, string>> = {}, page = ohif) {
  const found = page(asked, { headers: new Headers(headers) });
  return found && asResponse(found);
}

describe('readOhif', () => {
  it('serves its files with a policy that lets nothing in from other hosts', async () => {
    const script = ask('/viewer/app.js');
    expect(script?.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(await script?.text()).toBe('run();');
    const sources = script?.headers.get('content-security-policy') ?? '';
    expect(sources).toContain("default-src 'none'");
    expect(sources).not.toMatch(/https?:|\*|'unsafe-eval'|script-src[^;]*unsafe-inline/);
    expect(ask('/viewer/assets/logo.svg')?.status).toBe(200);
    const ETag = script?.headers.get('etag') ?? '';
    expect(ask('/viewer/app.js', { 'If-None-Match': ETag })?.status).toBe(304);
  });

  it('answers its own routes with its page, and nothing else', async () => {
    for (const route of ['/viewer', '/viewer/', '/viewer/viewer']) {
      expect(await ask(route)?.text()).toContain('OHIF');
    }
    for (const other of [
      '/viewers',
      '/',
      '/studies',
      '/viewer/none.js',
      '/viewer/../../etc/hosts.js',
    ]) {
      expect(ask(other)).toBeUndefined();
    }
    expect(await ask('/viewer/.version')?.text()).toContain('OHIF');
  });

  it('is no page where nobody has fetched it', () => {
    expect(readOhif({ directory: path.join(directory, 'nowhere') })).toBe(noPage);
    expect(readOhif({ directory: path.join(directory, 'assets') })).toBe(noPage);
  });

  it('signs its user in at the issuer of the tokens, as the client that the page is', async () => {
    const signIn = { issuer: 'https://login.example/t/v2.0', clientId: 'c', scope: 'c/.default' };
    const page = readOhif({ directory, signIn });
    const answer = ask('/viewer/app-config.js', {}, page);
    const text = (await answer?.text()) ?? '';
    expect(text.startsWith('window.config = {};\n')).toBe(true);
    const [, oidc = ''] = /window\.config\.oidc = (.*);/.exec(text) ?? [];
    expect(JSON.parse(oidc)).toMatchObject([
      {
        authority: 'https://login.example/t/v2.0',
        client_id: 'c',
        redirect_uri: '/callback',
        response_type: 'code',
        scope: 'openid profile offline_access c/.default',
      },
    ]);
    const policy = answer?.headers.get('content-security-policy') ?? '';
    expect(policy).toMatch(/connect-src 'self' blob: data: https:\/\/login\.example(;|$)/);
    const ETag = answer?.headers.get('etag') ?? '';
    expect(ask('/viewer/app-config.js', { 'If-None-Match': ETag }, page)?.status).toBe(304);
    expect(await ask('/viewer/app-config.js')?.text()).toBe('window.config = {};\n');
  });

  it('is offered where its user can be signed in, or need not be', async () => {
    const web = mkdtempSync(path.join(tmpdir(), 'page-'));
    writeFileSync(path.join(web, 'index.html'), '<!doctype html>');
    const offered = async (auth: Parameters<typeof pageOf>[0]['auth']) => {
      const page = pageOf({ ...readConfig({}), auth }, { directory: web, viewer: ohif });
      const settings = (await ask('/web/settings.json', {}, page)?.json()) as { ohif: boolean };
      return [settings.ohif, ask('/viewer/', {}, page) !== undefined];
    };
    expect(await offered({ kind: 'none' })).toEqual([true, true]);
    const tokens = { kind: 'tokens', tenantId: 'a', issuer: 'https://a.example' } as const;
    const clientId = '0f8fad5b-d9cb-469f-a165-70867728950e';
    expect(await offered({ ...tokens, audiences: [clientId] })).toEqual([true, true]);
    expect(await offered({ ...tokens, audiences: ['api://a'] })).toEqual([false, false]);
    rmSync(web, { recursive: true });
  });
});
