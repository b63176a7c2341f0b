import { describe, expect, it } from '@jest/globals';
import { HeldHeaders } from '../../../src/dicomweb/store/held-headers.js';

describe('HeldHeaders', () => {
  it('refuses what would be too much for all requests together, and counts it not', () => {
    const headers = new HeldHeaders(100);
    const [one, other] = [headers.open(), headers.open()];
    one.add(60);
    other.add(40);
    expect(() => other.add(1)).toThrow(
      expect.objectContaining({
        code: 'overloaded',
        facts: { limit: 'maxHeldHeaderBytes', limitValue: 100, retryAfterSeconds: 5 },
      }),
    );
    expect(headers.bytes).toBe(100);
  });

  it('has room again for what is no longer held', () => {
    const headers = new HeldHeaders(100);
    const [one, other] = [headers.open(), headers.open()];
    one.add(100);
    one.add(-30);
    other.add(30);
    one.release();
    expect(headers.bytes).toBe(30);
    other.add(70);
    other.release();
    other.release();
    expect(headers.bytes).toBe(0);
  });

  it('always takes what makes it less', () => {
    const headers = new HeldHeaders(0);
    const request = headers.open();
    expect(() => request.add(0)).not.toThrow();
    expect(() => request.add(1)).toThrow('as it has memory for (0 bytes)');
  });
});
