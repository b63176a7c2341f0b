import { describe, expect, it } from '@jest/globals';
import { BoundedCache } from '../src/bounded-cache.js';

describe('BoundedCache', () => {
  it('keeps values up to its bound, and lets go of those asked for longest ago', () => {
    const cache = new BoundedCache<string>(10);
    cache.set('a', 'A', 4);
    cache.set('b', 'B', 4);
    expect(cache.get('a')).toBe('A');
    cache.set('c', 'C', 4);
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual(['A', undefined, 'C']);
  });

  it('keeps nothing that is larger than its bound, and forgets what it replaces', () => {
    const cache = new BoundedCache<string>(10);
    cache.set('a', 'A', 10);
    cache.set('a', 'larger', 11);
    expect(cache.get('a')).toBeUndefined();
    cache.set('b', 'B', 10);
    expect(cache.get('b')).toBe('B');
    cache.set('b', 'again', 5);
    cache.set('c', 'C', 5);
    expect([cache.get('b'), cache.get('c')]).toEqual(['again', 'C']);
  });
});
