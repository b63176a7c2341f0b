import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../src/errors.js';
import { problemResponse } from '../../src/http/problem.js';
import { answerRange, parseRange } from '../../src/http/range.js';

describe('parseRange', () => {
  it.each([
    ['bytes=0-99', { kind: 'part', offset: 0, length: 100 }],
    ['bytes=100-', { kind: 'part', offset: 100, length: 900 }],
    ['bytes=-10', { kind: 'part', offset: 990, length: 10 }],
    ['bytes=-5000', { kind: 'part', offset: 0, length: 1000 }],
    ['bytes=999-999', { kind: 'part', offset: 999, length: 1 }],
    ['bytes=900-65535', { kind: 'part', offset: 900, length: 100 }],
    ['Bytes = 0 - 0', { kind: 'part', offset: 0, length: 1 }],
    ['bytes=1000-', { kind: 'unsatisfiable' }],
    ['bytes=5000-6000', { kind: 'unsatisfiable' }],
    ['bytes=-0', { kind: 'unsatisfiable' }],
    [null, { kind: 'whole' }],
    ['', { kind: 'whole' }],
    ['bytes=-', { kind: 'whole' }],
    ['bytes=5-4', { kind: 'whole' }],
    ['bytes=0-1,5-6', { kind: 'whole' }],
    ['lines=0-5', { kind: 'whole' }],
    ['bytes=a-b', { kind: 'whole' }],
    ['bytes 0-5', { kind: 'whole' }],
  ])('reads %j of 1000 bytes', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it('finds nothing to cut in an empty representation', () => {
    expect(parseRange('bytes=0-', 0)).toEqual({ kind: 'unsatisfiable' });
    expect(parseRange('bytes=-5', 0)).toEqual({ kind: 'whole' });
  });

  it('never leaves the representation', () => {
    const edge = fc.option(fc.nat(3000), { nil: '' as const });
    fc.assert(
      fc.property(edge, edge, fc.nat(2000), (first, last, length) => {
        const range = parseRange(`bytes=${first}-${last}`, length);
        if (range.kind !== 'part') return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset).toBeGreaterThanOrEqual(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(length);
      }),
    );
  });
});

describe('answerRange', () => {
  const answer = (headers: Record<string, string>) => answerRange(new Headers(headers), 100, '"a"');

  it('sends everything, and says that it could send less', () => {
    expect(answer({})).toEqual({
      status: 200,
      offset: 0,
      length: 100,
      headers: { 'Accept-Ranges': 'bytes', 'Content-Length': '100' },
    });
  });

  it('sends a part as 206', () => {
    expect(answer({ range: 'bytes=10-19' })).toEqual({
      status: 206,
      offset: 10,
      length: 10,
      headers: {
        'Accept-Ranges': 'bytes',
        'Content-Length': '10',
        'Content-Range': 'bytes 10-19/100',
      },
    });
  });

  it.each([
    ['"a"', 206],
    ['a', 206],
    ['"b"', 200],
    ['W/"a"', 200],
    ['Fri, 20 Nov 2026 10:00:00 GMT', 200],
  ])('answers If-Range %s with %i', (ifRange, status) => {
    expect(answer({ range: 'bytes=0-0', 'if-range': ifRange }).status).toBe(status);
  });

  it('refuses a range outside with 416 and the length', () => {
    let refusal: unknown;
    try {
      answer({ range: 'bytes=100-' });
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(ServiceError);
    const response = problemResponse(refusal, { requestId: 'r', format: 'text' });
    expect(response.status).toBe(416);
    expect(response.headers['Content-Range']).toBe('bytes */100');
  });
});
