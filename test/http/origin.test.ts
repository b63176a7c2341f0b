import { describe, expect, it } from '@jest/globals';
import { publicOrigin } from '../../src/http/origin.js';

const behindProxy = { publicUrl: undefined, trustForwardedHeaders: true };

const origin = (headers: Record<string, string>, url = 'http://localhost:7071/v2/studies') =>
  publicOrigin({ url: new URL(url), headers: new Headers(headers) }, behindProxy);

describe('publicOrigin', () => {
  it('is that of the request when nothing else is known', () => {
    expect(origin({})).toBe('http://localhost:7071');
    expect(origin({}, 'https://dicom.azurewebsites.net/studies?a')).toBe(
      'https://dicom.azurewebsites.net',
    );
    expect(origin({}, 'http://[::1]:7071/')).toBe('http://[::1]:7071');
  });

  it('is the configured base before all else, with its path', () => {
    const request = {
      url: new URL('http://10.0.0.4/studies'),
      headers: new Headers({ 'x-forwarded-host': 'other.example.com' }),
    };
    const publicUrl = 'https://pacs.example.com/dicomweb/';
    expect(publicOrigin(request, { ...behindProxy, publicUrl })).toBe(
      'https://pacs.example.com/dicomweb',
    );
    expect(publicOrigin(request, { ...behindProxy, publicUrl: '' })).toBe(
      'http://other.example.com',
    );
  });

  it.each([
    { 'x-forwarded-host': 'evil.example' },
    { 'x-original-host': 'evil.example' },
    { forwarded: 'host=evil.example;proto=https' },
    { 'x-forwarded-proto': 'https', 'x-forwarded-port': '8443' },
  ])('does not follow %j where no setting says that a proxy sets it', (headers) => {
    const request = {
      url: new URL('http://localhost:7071/studies'),
      headers: new Headers(headers),
    };
    expect(publicOrigin(request, { ...behindProxy, trustForwardedHeaders: false })).toBe(
      'http://localhost:7071',
    );
  });

  it.each<[what: string, headers: Record<string, string>, expected: string]>([
    ['a scheme', { 'x-forwarded-proto': 'https' }, 'https://localhost:7071'],
    [
      'a host and scheme',
      { 'x-forwarded-host': 'pacs.example.com', 'x-forwarded-proto': 'HTTPS' },
      'https://pacs.example.com',
    ],
    [
      'a host with a port',
      { 'x-forwarded-host': 'Pacs.example.com:8443', 'x-forwarded-proto': 'https' },
      'https://pacs.example.com:8443',
    ],
    [
      'a host and a port',
      { 'x-forwarded-host': 'pacs.example.com', 'x-forwarded-port': '8080' },
      'http://pacs.example.com:8080',
    ],
    [
      'the default port of the scheme',
      {
        'x-forwarded-host': 'pacs.example.com:443',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '443',
      },
      'https://pacs.example.com',
    ],
    [
      'the port behind the proxy',
      {
        'x-forwarded-host': 'pacs.example.com',
        'x-forwarded-proto': 'https',
        'x-forwarded-port': '80',
      },
      'https://pacs.example.com',
    ],
    [
      'lists: the first value counts',
      {
        'x-forwarded-host': 'pacs.example.com, inner',
        'x-forwarded-proto': 'https,http',
        'x-forwarded-port': '8443, 80',
      },
      'https://pacs.example.com:8443',
    ],
    [
      'an application gateway',
      { 'x-original-host': 'pacs.example.com' },
      'http://pacs.example.com',
    ],
    [
      'RFC 7239',
      { forwarded: 'for=192.0.2.1; Proto=https;host="pacs.example.com:8443", host=inner' },
      'https://pacs.example.com:8443',
    ],
    ['an IPv6 host', { 'x-forwarded-host': '[2001:db8::1]:81' }, 'http://[2001:db8::1]:81'],
    ['a container name', { 'x-forwarded-host': 'dicom_web' }, 'http://dicom_web'],
  ])('follows %s', (_what, headers, expected) => {
    expect(origin(headers)).toBe(expected);
  });

  it.each<Record<string, string>>([
    { 'x-forwarded-host': 'evil.com/path' },
    { 'x-forwarded-host': 'user@evil.com' },
    { 'x-forwarded-host': 'evil.com?x' },
    { 'x-forwarded-host': 'evil.com"><script>' },
    { 'x-forwarded-host': 'evil .com' },
    { 'x-forwarded-host': 'evil.com:99999' },
    { 'x-forwarded-host': 'evil.com:0' },
    { 'x-forwarded-host': '-' },
    { 'x-forwarded-host': '' },
    { 'x-forwarded-host': `${'a'.repeat(300)}.com` },
    { 'x-forwarded-proto': 'javascript' },
    { 'x-forwarded-port': '80x' },
    { forwarded: 'host="a b";proto=ftp' },
    { forwarded: ';;=;host' },
  ])('ignores %j', (headers) => {
    expect(origin(headers)).toBe('http://localhost:7071');
  });

  it('gives a host without its port the forwarded one', () => {
    expect(origin({ 'x-forwarded-port': '7071' }, 'http://localhost/studies')).toBe(
      'http://localhost:7071',
    );
  });
});
