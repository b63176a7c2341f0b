import { describe, expect, it } from '@jest/globals';
import { corsHeaders, isPreflight, preflightHeaders } from '../../src/http/cors.js';

const viewer = 'https://viewer.example.com';
const listed = { allowedOrigins: ['https://other.example.com', 'https://Viewer.example.com/'] };
const anyone = { allowedOrigins: '*' as const };
const nobody = { allowedOrigins: [] };

const list = (value: string | undefined) => value?.split(', ') ?? [];

describe('isPreflight', () => {
  it('is an OPTIONS request that names an origin and a method', () => {
    const headers = new Headers({ Origin: viewer, 'Access-Control-Request-Method': 'GET' });
    expect(isPreflight({ method: 'OPTIONS', headers })).toBe(true);
    expect(isPreflight({ method: 'GET', headers })).toBe(false);
    expect(isPreflight({ method: 'OPTIONS', headers: new Headers({ Origin: viewer }) })).toBe(
      false,
    );
    expect(isPreflight({ method: 'OPTIONS', headers: new Headers() })).toBe(false);
  });
});

describe('preflightHeaders', () => {
  it('allows what browser viewers send', () => {
    const headers = preflightHeaders(viewer, listed);
    expect(headers['Access-Control-Allow-Origin']).toBe(viewer);
    expect(headers['Access-Control-Allow-Credentials']).toBe('true');
    expect(list(headers['Access-Control-Allow-Methods'])).toEqual(
      expect.arrayContaining(['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS']),
    );
    expect(list(headers['Access-Control-Allow-Headers'])).toEqual(
      expect.arrayContaining([
        'Authorization',
        'Accept',
        'Content-Type',
        'Range',
        'If-None-Match',
        'If-Modified-Since',
        'If-Range',
        'Content-Encoding',
      ]),
    );
    expect(headers['Access-Control-Max-Age']).toBe('7200');
    expect(list(headers['Vary'])).toContain('Origin');
  });

  it('allows any origin without credentials', () => {
    const headers = preflightHeaders(viewer, anyone);
    expect(headers['Access-Control-Allow-Origin']).toBe('*');
    expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
  });

  it.each([
    ['an origin not listed', 'https://viewer.example.com.evil.com', listed],
    ['the null origin', 'null', listed],
    ['any origin when none is allowed', viewer, nobody],
    ['a request without origin', null, anyone],
  ])('gives no permission to %s', (_what, origin, config) => {
    expect(Object.keys(preflightHeaders(origin, config))).toEqual(['Vary']);
  });
});

describe('corsHeaders', () => {
  it('lets a listed origin read the answer and its headers', () => {
    const headers = corsHeaders(viewer, listed);
    expect(headers).toMatchObject({
      'Access-Control-Allow-Origin': viewer,
      'Access-Control-Allow-Credentials': 'true',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      Vary: 'Origin, Accept, Accept-Encoding',
    });
    expect(list(headers['Access-Control-Expose-Headers'])).toEqual(
      expect.arrayContaining([
        'Content-Type',
        'Content-Length',
        'Content-Range',
        'Content-Location',
        'ETag',
        'Warning',
        'Retry-After',
        'Link',
        'X-Total-Count',
        'Location',
        'erroneous-dicom-attributes',
      ]),
    );
  });

  it('lets anyone read it without credentials', () => {
    expect(corsHeaders(viewer, anyone)).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
    expect(corsHeaders(viewer, anyone)).not.toHaveProperty('Access-Control-Allow-Credentials');
  });

  it('allows embedding by isolated pages, whose requests carry no origin', () => {
    expect(corsHeaders(null, listed)).toEqual({
      Vary: 'Origin, Accept, Accept-Encoding',
      'Cross-Origin-Resource-Policy': 'cross-origin',
    });
  });

  it('adds nothing but Vary when no origin is allowed', () => {
    expect(Object.keys(corsHeaders(viewer, nobody))).toEqual(['Vary']);
  });
});
