import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { invertUlid, newUlid, timeOf, type Ulid } from '../../../src/storage/archive/ulid.js';

const ulid = fc.string({
  unit: fc.constantFrom(...Array.from('0123456789ABCDEFGHJKMNPQRSTVWXYZ')),
  minLength: 26,
  maxLength: 26,
}) as fc.Arbitrary<Ulid>;

describe('newUlid', () => {
  it('is greater each time, however fast', () => {
    const many = Array.from({ length: 5000 }, () => newUlid());
    expect([...many].sort()).toEqual(many);
    expect(new Set(many).size).toBe(many.length);
  });

  it('is spelled as ULIDs are and tells its time', () => {
    const before = Date.now();
    const made = newUlid();
    expect(made).toMatch(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
    expect(timeOf(made)).toBeGreaterThanOrEqual(before);
    expect(timeOf(made)).toBeLessThanOrEqual(Date.now());
  });
});

describe('timeOf', () => {
  it('reads the example of the ULID specification', () => {
    expect(timeOf('01ARYZ6S41TSV4RRFFQ69G5FAV' as Ulid)).toBe(1469918176385);
  });
});

describe('invertUlid', () => {
  it('turns the order round, and back when done twice', () => {
    fc.assert(
      fc.property(ulid, ulid, (one, other) => {
        fc.pre(one !== other);
        expect(invertUlid(one) < invertUlid(other)).toBe(one > other);
        expect(invertUlid(invertUlid(one) as Ulid)).toBe(one);
      }),
    );
  });
});
