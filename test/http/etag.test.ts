import { describe, expect, it } from '@jest/globals';
import { formatETag, gzipETag, matchingETag } from '../../src/http/etag.js';

describe('formatETag', () => {
  it('writes the standard and the Microsoft form', () => {
    expect(formatETag('12-3', { quoted: true })).toBe('"12-3"');
    expect(formatETag('12-3', { quoted: false })).toBe('12-3');
  });
});

describe('gzipETag', () => {
  it('differs from the tag of what is compressed, with and without quotes', () => {
    expect(gzipETag('"12-3"')).toBe('"12-3-gzip"');
    expect(gzipETag('12-3')).toBe('12-3-gzip');
  });
});

describe('matchingETag', () => {
  it.each([
    '"12-3"',
    '12-3',
    'W/"12-3"',
    'w/12-3',
    '"1", "12-3"',
    '"a,b" ,W/"12-3"',
    '*',
    ' * ',
    '"12-3',
  ])('recognises the current tag in %j', (header) => {
    for (const etag of ['"12-3"', '12-3']) {
      expect(matchingETag(header, etag, false)).toBe(etag);
      expect(matchingETag(header, etag, true)).toBe(etag);
    }
  });

  it.each([null, '', '"12-4"', '12', '"a,12-3"', '"*"', ', ,'])(
    'does not find it in %j',
    (header) => {
      expect(matchingETag(header, '12-3', true)).toBeUndefined();
    },
  );

  it.each(['"12-3-gzip"', '12-3-gzip', '"1", W/"12-3-gzip"'])(
    'recognises the gzip in %j, for those who take gzip',
    (header) => {
      expect(matchingETag(header, '"12-3"', true)).toBe('"12-3-gzip"');
      expect(matchingETag(header, '12-3', true)).toBe('12-3-gzip');
      expect(matchingETag(header, '"12-3"', false)).toBeUndefined();
    },
  );

  it('names the answer itself to those who have both', () => {
    expect(matchingETag('"12-3-gzip", "12-3"', '"12-3"', true)).toBe('"12-3"');
  });
});
