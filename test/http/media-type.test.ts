import { describe, expect, it } from '@jest/globals';
import { formatMediaType, parseMediaType } from '../../src/http/media-type.js';

describe('parseMediaType', () => {
  it.each<[client: string, text: string, essence: string, parameters: Record<string, string>]>([
    [
      'OHIF, STOW',
      'multipart/related; type="application/dicom"; boundary="8a3c-guid"',
      'multipart/related',
      { type: 'application/dicom', boundary: '8a3c-guid' },
    ],
    [
      'Weasis, STOW',
      'multipart/related;type="application/dicom";boundary=mimeTypeBoundary',
      'multipart/related',
      { type: 'application/dicom', boundary: 'mimeTypeBoundary' },
    ],
    [
      'the .NET client',
      'multipart/related; type="application/dicom"; boundary=0f8fad5b-d9cb-469f-a165-70867728950e',
      'multipart/related',
      { type: 'application/dicom', boundary: '0f8fad5b-d9cb-469f-a165-70867728950e' },
    ],
    [
      'an unquoted type',
      'multipart/related; type=application/dicom; boundary=b',
      'multipart/related',
      { type: 'application/dicom', boundary: 'b' },
    ],
    [
      'a start parameter (RFC 2387)',
      'Multipart/Related; Type="application/dicom"; START="<a@b>"; boundary=b',
      'multipart/related',
      { type: 'application/dicom', start: '<a@b>', boundary: 'b' },
    ],
    [
      'a part with its syntax',
      'application/dicom; transfer-syntax="1.2.840.10008.1.2.1"',
      'application/dicom',
      { 'transfer-syntax': '1.2.840.10008.1.2.1' },
    ],
    ['a charset', 'application/json;charset=UTF-8', 'application/json', { charset: 'UTF-8' }],
    [
      'separators and escapes in quotes',
      'multipart/related; boundary="a;b=\\"c\\\\,d"; type=x/y',
      'multipart/related',
      { boundary: 'a;b="c\\,d', type: 'x/y' },
    ],
    ['a quote never closed', 'a/b; c="d; e=f', 'a/b', { c: 'd', e: 'f' }],
    ['spaces around =', 'a/b ; c = d ; ; e ;=f', 'a/b', { c: 'd' }],
    ['a repeated parameter', 'a/b; c=1; C=2', 'a/b', { c: '1' }],
  ])('reads %s', (_client, text, essence, parameters) => {
    const parsed = parseMediaType(text);
    expect(parsed?.essence).toBe(essence);
    expect(Object.fromEntries(parsed?.parameters ?? [])).toEqual(parameters);
  });

  it.each(['', ' ', 'dicom', 'application/', '/dicom', 'a/b/c', 'a b/c', '; type=a/b', '"a/b"'])(
    'finds no media type in %j',
    (text) => {
      expect(parseMediaType(text)).toBeUndefined();
    },
  );
});

describe('formatMediaType', () => {
  it('quotes only what needs quotes', () => {
    expect(
      formatMediaType('multipart/related', {
        type: 'application/dicom',
        boundary: 'b-1',
        start: undefined,
      }),
    ).toBe('multipart/related; type="application/dicom"; boundary=b-1');
    expect(formatMediaType('application/dicom', { 'transfer-syntax': '1.2.840.10008.1.2' })).toBe(
      'application/dicom; transfer-syntax=1.2.840.10008.1.2',
    );
  });

  it('writes what parseMediaType reads back', () => {
    const parameters = { a: 'x "y" \\z', b: '', c: 'a;b,c' };
    const parsed = parseMediaType(formatMediaType('a/b', parameters));
    expect(Object.fromEntries(parsed?.parameters ?? [])).toEqual(parameters);
  });
});
