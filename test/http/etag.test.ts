import { describe, expect, it } from '@jest/globals';
import { formatETag, ifNoneMatch } from '../../src/http/etag.js';

describe('formatETag', () => {
  it('writes the standard and the Microsoft form', () => {
    expect(formatETag('12-3', { quoted: true })).toBe('"12-3"');
    expect(formatETag('12-3', { quoted: false })).toBe('12-3');
  });
});

describe('ifNoneMatch', () => {
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
    expect(ifNoneMatch(header, '"12-3"')).toBe(true);
    expect(ifNoneMatch(header, '12-3')).toBe(true);
  });

  it.each([null, '', '"12-4"', '12', '"a,12-3"', '"*"', ', ,'])(
    'does not find it in %j',
    (header) => {
      expect(ifNoneMatch(header, '12-3')).toBe(false);
    },
  );
});
