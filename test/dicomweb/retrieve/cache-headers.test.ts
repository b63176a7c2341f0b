import { describe, expect, it } from '@jest/globals';
import {
  boundaryOf,
  cacheHeaders,
  entityTag,
  notModified,
} from '../../../src/dicomweb/retrieve/cache-headers.js';
import { newUlid, timeOf } from '../../../src/storage/archive/ulid.js';

describe('entityTag', () => {
  it('is the version, and differs with every part of the representation', () => {
    expect(entityTag('v1')).toBe('v1');
    const tags = [
      entityTag('v1'),
      entityTag('v2', 'a', 'b'),
      entityTag('v1', 'a', 'b'),
      entityTag('v1', 'ab'),
      entityTag('v1', 'b', 'a'),
    ];
    expect(new Set(tags).size).toBe(tags.length);
    expect(entityTag('v1', 'a', 'b')).toBe(entityTag('v1', 'a', 'b'));
  });
});

describe('cacheHeaders', () => {
  it('names tag and time of a version', () => {
    const version = newUlid();
    const headers = cacheHeaders(version, version);
    expect(headers.ETag).toBe(`"${version}"`);
    expect(headers['Cache-Control']).toBe('private, no-cache');
    const seconds = Math.floor(timeOf(version) / 1000);
    expect(Date.parse(headers['Last-Modified'] ?? '')).toBe(seconds * 1000);
  });

  it('leaves out what does not apply', () => {
    expect(cacheHeaders('5-1', undefined, false)).toEqual({
      ETag: '5-1',
      'Cache-Control': 'private, no-cache',
    });
  });
});

describe('notModified', () => {
  const request = (tag?: string) =>
    new Request('http://host/', { headers: tag === undefined ? {} : { 'if-none-match': tag } });

  it('answers 304 with the headers to a client that has it', () => {
    const response = notModified(request('"t"'), cacheHeaders('t'));
    expect(response?.status).toBe(304);
    expect(response?.headers['ETag']).toBe('"t"');
  });

  it('answers 304 to a client that has its gzip, and takes it still', () => {
    const has = (coding: string) =>
      new Request('http://host/', {
        headers: { 'if-none-match': '"t-gzip"', 'accept-encoding': coding },
      });
    const response = notModified(has('gzip'), cacheHeaders('t'));
    expect(response?.status).toBe(304);
    expect(response?.headers['ETag']).toBe('"t-gzip"');
    expect(notModified(has('identity'), cacheHeaders('t'))).toBeUndefined();
  });

  it('lets every other request pass', () => {
    expect(notModified(request('"u"'), cacheHeaders('t'))).toBeUndefined();
    expect(notModified(request(), cacheHeaders('t'))).toBeUndefined();
  });
});

describe('boundaryOf', () => {
  it('is the same for the same representation, and needs no quotes', () => {
    expect(boundaryOf('v1-a')).toBe(boundaryOf('v1-a'));
    expect(boundaryOf('v1-a')).not.toBe(boundaryOf('v1-b'));
    expect(boundaryOf('v1-a')).toMatch(/^[\da-f]{36}$/);
  });
});
