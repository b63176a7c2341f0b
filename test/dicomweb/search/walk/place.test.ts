import { describe, expect, it } from '@jest/globals';
import {
  decodePlace,
  encodePlace,
  isAhead,
  searchIdentity,
  startOf,
} from '../../../../src/dicomweb/search/walk/place.js';

const identity = searchIdentity('/studies', [['00100020', 'A']]);

describe('a continuation', () => {
  it.each([
    [{}],
    [{ outer: 'a|b' }],
    [{ outer: 'a', series: 'b' }],
    [{ series: 'b', instance: 'c' }],
    [{ outer: 'a', series: 'b', instance: 'c' }],
  ])('is read as it was spelled: %j', (place) => {
    const token = encodePlace(place, identity);
    expect(token).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodePlace(token, identity)).toEqual(place);
  });

  it('belongs to one path and one set of keys', () => {
    const token = encodePlace({ outer: 'a' }, identity);
    for (const other of [
      searchIdentity('/series', [['00100020', 'A']]),
      searchIdentity('/studies', [['00100020', 'B']]),
      searchIdentity('/studies', []),
    ]) {
      expect(() => decodePlace(token, other)).toThrow(/another search/);
    }
  });

  it.each([
    '',
    'x',
    Buffer.from('{}').toString('base64url'),
    Buffer.from('["a","b"]').toString('base64url'),
    Buffer.from(JSON.stringify([identity, 1, null, null])).toString('base64url'),
    Buffer.from(JSON.stringify([identity, 'a\u0000', null, null])).toString('base64url'),
    Buffer.from(JSON.stringify([identity, 'a'.repeat(2001), null, null])).toString('base64url'),
  ])('is refused when it is none: %s', (token) => {
    expect(() => decodePlace(token, identity)).toThrow(/not a token/);
  });
});

describe('startOf', () => {
  it('goes on after a key, or at it when something within it has been walked', () => {
    const ahead = (isEntered: boolean) =>
      ['a', 'b', 'c'].filter((key) => isAhead(startOf('b', isEntered), key));
    expect(ahead(false)).toEqual(['c']);
    expect(ahead(true)).toEqual(['b', 'c']);
    expect(isAhead(startOf(undefined, true), 'a')).toBe(true);
  });
});
