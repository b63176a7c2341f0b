import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ServiceError } from '../../src/errors.js';
import { describeOffers, negotiate, parseAccept, type Offer } from '../../src/http/accept.js';
import { formatMediaType, parseMediaType } from '../../src/http/media-type.js';
import { publicOrigin } from '../../src/http/origin.js';
import { parseQuery } from '../../src/http/query-string.js';

const pieces = fc.constantFrom(
  ...[
    'multipart/related',
    'application/dicom',
    '*/*',
    '*',
    'image/*',
    ';',
    ',',
    '=',
    '"',
    '\\',
    ' ',
  ],
  ...['type=', 'transfer-syntax=', 'q=', '0', '0.5', '1.2.3', '/', 'a'],
);
const hostile = fc.oneof(
  fc.array(pieces, { maxLength: 25 }).map((list) => list.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
);
const offers: readonly Offer[] = [
  { mediaType: 'application/dicom', form: 'multipart', transferSyntaxes: ['1.2.3', '1.2.4'] },
  { mediaType: 'application/dicom', form: 'single', transferSyntaxes: ['1.2.3'] },
  { mediaType: 'image/jpeg', form: 'single' },
];

describe('parseAccept and negotiate', () => {
  it('never throw, and choose only what was offered', () => {
    fc.assert(
      fc.property(hostile, fc.array(hostile, { maxLength: 2 }), (header, query) => {
        const choice = negotiate(parseAccept(header, query), offers);
        if (choice === undefined) return;
        expect(offers).toContain(choice.offer);
        expect([undefined, '*', ...(choice.offer.transferSyntaxes ?? [])]).toContain(
          choice.transferSyntax,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('choose what is asked for by name, whatever unreadable entries surround it', () => {
    const noise = fc.constantFrom(
      '',
      ' ',
      'x',
      'a b/c',
      ';;',
      '/',
      'q=1',
      'multipart/related; type=x',
    );
    fc.assert(
      fc.property(
        fc.constantFrom(...describeOffers(offers)),
        fc.array(noise),
        fc.array(noise),
        (line, before, after) => {
          const alone = negotiate(parseAccept(line), offers);
          expect(alone).toBeDefined();
          const header = [...before, line, ...after].join(',');
          expect(negotiate(parseAccept(header), offers)).toEqual(alone);
        },
      ),
    );
  });
});

describe('formatMediaType', () => {
  it('writes any value so that parseMediaType reads it back', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (value) => {
        const parsed = parseMediaType(formatMediaType('a/b', { v: value, w: 'x' }));
        expect([parsed?.parameters.get('v'), parsed?.parameters.get('w')]).toEqual([value, 'x']);
      }),
    );
  });
});

describe('parseQuery', () => {
  it('reads what URLSearchParams writes', () => {
    const entry = fc.tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 6 }), (entries) => {
        const written = new URLSearchParams(entries).toString();
        expect(parseQuery(written).map(({ key, value }) => [key, value])).toEqual(entries);
      }),
    );
  });

  it('throws nothing but a ServiceError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (search) => {
        try {
          parseQuery(search);
        } catch (error) {
          expect(error).toBeInstanceOf(ServiceError);
        }
      }),
    );
  });
});

describe('publicOrigin', () => {
  it('is an origin whatever a client sends', () => {
    const printable = fc.string({ maxLength: 40 });
    fc.assert(
      fc.property(printable, printable, printable, printable, (host, proto, port, forwarded) => {
        const headers = new Headers({
          'x-forwarded-host': host,
          'x-forwarded-proto': proto,
          'x-forwarded-port': port,
          forwarded,
        });
        const origin = publicOrigin(
          { url: new URL('http://localhost:7071/'), headers },
          { publicUrl: undefined, trustForwardedHeaders: true },
        );
        expect(origin).toMatch(/^https?:\/\/[\w.[\]:-]+$/);
      }),
    );
  });
});
