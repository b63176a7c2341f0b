import { describe, expect, it } from '@jest/globals';
import { describeOffers, negotiate, parseAccept, type Offer } from '../../src/http/accept.js';

const explicitLE = '1.2.840.10008.1.2.1';
const jpegBaseline = '1.2.840.10008.1.2.4.50';
const jpegLossless = '1.2.840.10008.1.2.4.70';
const jpegLs = '1.2.840.10008.1.2.4.80';
const jpeg2000 = '1.2.840.10008.1.2.4.90';
const rle = '1.2.840.10008.1.2.5';
const htj2k = '1.2.840.10008.1.2.4.201';

const multipart = (mediaType: string, ...transferSyntaxes: string[]): Offer => ({
  mediaType,
  form: 'multipart',
  transferSyntaxes,
});
const single = (mediaType: string, ...transferSyntaxes: string[]): Offer => ({
  mediaType,
  form: 'single',
  transferSyntaxes,
});
const plain = (mediaType: string): Offer => ({ mediaType, form: 'single' });

const json: readonly Offer[] = [plain('application/dicom+json'), plain('application/json')];
const stow: readonly Offer[] = [...json, plain('application/dicom+xml')];
const study: readonly Offer[] = [
  multipart('application/dicom', jpegLs, explicitLE, jpeg2000),
  plain('application/zip'),
];
const instance: readonly Offer[] = [
  multipart('application/dicom', jpegLs, explicitLE, jpeg2000),
  single('application/dicom', jpegLs, explicitLE, jpeg2000),
];
/** Frames of an instance stored in JPEG-LS. */
const frames: readonly Offer[] = [
  multipart('application/octet-stream', jpegLs, explicitLE),
  multipart('image/jls', jpegLs),
  multipart('image/jp2', jpeg2000),
  single('application/octet-stream', jpegLs, explicitLE),
  single('image/jls', jpegLs),
];
const rendered: readonly Offer[] = [plain('image/jpeg'), plain('image/png')];
const bulk: readonly Offer[] = [
  multipart('application/octet-stream', explicitLE),
  single('application/octet-stream', explicitLE),
];

function choose(accept: string | null, offers: readonly Offer[], query: readonly string[] = []) {
  const choice = negotiate(parseAccept(accept, query), offers);
  if (choice === undefined) return undefined;
  const { offer, transferSyntax } = choice;
  return [offer.form, offer.mediaType, transferSyntax];
}

type Case = [client: string, accept: string | null, offers: readonly Offer[], chosen: unknown];

describe('negotiate', () => {
  it.each<Case>([
    // OHIF
    ['OHIF, JSON', 'application/dicom+json', json, ['single', 'application/dicom+json', undefined]],
    [
      'OHIF 3.7, JSON with an unquoted multipart type',
      'application/dicom+json, multipart/related; type=application/octet-stream',
      json,
      ['single', 'application/dicom+json', undefined],
    ],
    [
      'OHIF, frames, quoted star',
      'multipart/related; type="application/octet-stream"; transfer-syntax="*"',
      frames,
      ['multipart', 'application/octet-stream', '*'],
    ],
    [
      'OHIF, frames, quotes omitted',
      'multipart/related; type=application/octet-stream; transfer-syntax=*',
      frames,
      ['multipart', 'application/octet-stream', '*'],
    ],
    [
      'OHIF, frames in a requested syntax',
      `multipart/related; type="image/jls"; transfer-syntax=${jpegLs}`,
      frames,
      ['multipart', 'image/jls', jpegLs],
    ],
    [
      'OHIF, frames by the older name',
      `multipart/related; type="image/x-jls"; transfer-syntax=${jpegLs}`,
      frames,
      ['multipart', 'image/jls', jpegLs],
    ],
    ['OHIF, thumbnail by fetch', 'image/jpeg', rendered, ['single', 'image/jpeg', undefined]],
    ['OHIF, PDF', '*/*', [plain('application/pdf')], ['single', 'application/pdf', undefined]],
    [
      'OHIF, bulk data',
      'multipart/related; type="application/octet-stream"',
      bulk,
      ['multipart', 'application/octet-stream', undefined],
    ],
    [
      'OHIF, a whole SEG',
      'multipart/related; type="application/dicom"',
      instance,
      ['multipart', 'application/dicom', undefined],
    ],
    // cornerstone3D
    [
      'cornerstone3D 5.8',
      'multipart/related; type=application/octet-stream; transfer-syntax=*',
      frames,
      ['multipart', 'application/octet-stream', '*'],
    ],
    // dicomweb-client JS
    [
      'dicomweb-client JS, study',
      'multipart/related; type="application/dicom"',
      study,
      ['multipart', 'application/dicom', undefined],
    ],
    [
      'dicomweb-client JS, a list of frame types',
      `multipart/related; type="image/jp2"; transfer-syntax=1.2.3, multipart/related; type="image/jls"; transfer-syntax=${jpegLs}`,
      frames,
      ['multipart', 'image/jls', jpegLs],
    ],
    [
      'dicomweb-client JS, image wildcard',
      'multipart/related; type="image/*"',
      frames,
      ['multipart', 'image/jls', undefined],
    ],
    [
      'dicomweb-client JS, rendered',
      'image/jpeg, image/png',
      rendered,
      ['single', 'image/jpeg', undefined],
    ],
    [
      'dicomweb-client JS, rendered without Accept',
      null,
      rendered,
      ['single', 'image/jpeg', undefined],
    ],
    // dicomweb-client Python
    [
      'dicomweb-client Python, JSON',
      'application/dicom+json, application/json',
      json,
      ['single', 'application/dicom+json', undefined],
    ],
    [
      'dicomweb-client Python, instance',
      'multipart/related; type="application/dicom"; transfer-syntax=*',
      instance,
      ['multipart', 'application/dicom', '*'],
    ],
    [
      'dicomweb-client Python, frames',
      'multipart/related; type="*/*"',
      frames,
      ['multipart', 'application/octet-stream', undefined],
    ],
    [
      'dicomweb-client Python, RLE frames',
      `multipart/related; type="image/dicom-rle"; transfer-syntax="${rle}"`,
      [multipart('image/dicom-rle', rle)],
      ['multipart', 'image/dicom-rle', rle],
    ],
    // Weasis
    [
      'Weasis, series',
      'multipart/related;type="application/dicom";transfer-syntax=*',
      study,
      ['multipart', 'application/dicom', '*'],
    ],
    ['Weasis, STOW', 'application/dicom+xml', stow, ['single', 'application/dicom+xml', undefined]],
    ['Weasis, thumbnail', 'image/jpeg', rendered, ['single', 'image/jpeg', undefined]],
    // MONAI
    [
      'MONAI Informatics Gateway',
      `multipart/related; type="application/dicom"; transfer-syntax=${jpeg2000}, multipart/related; type="application/dicom"; transfer-syntax=${explicitLE}`,
      instance,
      ['multipart', 'application/dicom', jpeg2000],
    ],
    // Slim
    [
      'Slim, several types and one as stored',
      'multipart/related; type="image/jls", multipart/related; type="application/octet-stream"; transfer-syntax=*',
      frames,
      ['multipart', 'application/octet-stream', '*'],
    ],
    ['Slim, older', '*/*', frames, ['multipart', 'application/octet-stream', undefined]],
    ['Slim, overview', 'image/png', rendered, ['single', 'image/png', undefined]],
    // the .NET client
    [
      'the .NET client, study',
      'multipart/related; type="application/dicom";transfer-syntax="*"',
      study,
      ['multipart', 'application/dicom', '*'],
    ],
    [
      'the .NET client, instance',
      'application/dicom; transfer-syntax="*"',
      instance,
      ['single', 'application/dicom', '*'],
    ],
    [
      'the .NET client, change feed, without Accept',
      null,
      json,
      ['single', 'application/dicom+json', undefined],
    ],
    // what the Microsoft server refused
    ['a bare wildcard on a study', '*/*', study, ['multipart', 'application/dicom', undefined]],
    ['application/json alone', 'application/json', json, ['single', 'application/json', undefined]],
    ['application/*', 'application/*', json, ['single', 'application/dicom+json', undefined]],
    ['image/* on rendered', 'image/*', rendered, ['single', 'image/jpeg', undefined]],
    // plain tools
    [
      'a browser',
      'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
      json,
      ['single', 'application/dicom+json', undefined],
    ],
    [
      'Java HttpURLConnection',
      'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2',
      json,
      ['single', 'application/dicom+json', undefined],
    ],
    ['a lone star', '*', json, ['single', 'application/dicom+json', undefined]],
    ['an empty header', '  ', json, ['single', 'application/dicom+json', undefined]],
  ])('answers %s', (_client, accept, offers, chosen) => {
    expect(choose(accept, offers)).toEqual(chosen);
  });

  it.each<[what: string, accept: string, offers: readonly Offer[]]>([
    ['types that the resource lacks', 'application/data', json],
    ['DICOM on a JSON resource', 'application/dicom', json],
    ['a single part of a study', 'application/dicom', study],
    ['JSON as multipart', 'multipart/related; type="application/dicom+json"', json],
    [
      'a syntax that no offer has',
      'multipart/related; type="application/dicom"; transfer-syntax=1.2.3',
      study,
    ],
    ['multipart/mixed', 'multipart/mixed; type="application/dicom"', study],
    ['what cannot be read at all', 'nonsense', json],
    ['only refusals', 'application/dicom+json;q=0, application/json;q=0', json],
  ])('finds nothing for %s', (_what, accept, offers) => {
    expect(choose(accept, offers)).toBeUndefined();
  });

  it.each<Case>([
    ['the higher weight', 'image/jpeg;q=0.5, image/png;q=0.9', rendered, 'image/png'],
    ['a missing weight as 1', 'image/jpeg;q=0.9, image/png', rendered, 'image/png'],
    ['an unreadable weight as 1', 'image/jpeg;q=0.9, image/png;q=high', rendered, 'image/png'],
    ['the first of equal entries', 'image/png, image/jpeg', rendered, 'image/png'],
    ['the more specific of equal entries', '*/*, image/*, image/png', rendered, 'image/png'],
    ['what is not refused', 'image/jpeg;q=0, image/*', rendered, 'image/png'],
    [
      'the weight of the most specific entry',
      '*/*, image/jpeg;q=0.1, image/png;q=0.2',
      rendered,
      'image/png',
    ],
    [
      'what can be read beside what cannot',
      'image jpeg, ;;;, "x, image/png',
      rendered,
      'image/png',
    ],
  ])('prefers %s', (_what, accept, offers, mediaType) => {
    expect(choose(accept, offers)?.[1]).toBe(mediaType);
  });

  it.each<[what: string, accept: string, transferSyntax: string | undefined]>([
    [
      'as stored over a named syntax of equal weight',
      `application/dicom; transfer-syntax=${explicitLE}, application/dicom; transfer-syntax=*`,
      '*',
    ],
    [
      'a named syntax of higher weight over as stored',
      `application/dicom; transfer-syntax=*; q=0.5, application/dicom; transfer-syntax=${explicitLE}`,
      explicitLE,
    ],
    [
      'as stored in a less specific entry',
      'application/dicom, multipart/related; type="*/*"; transfer-syntax=*',
      '*',
    ],
    [
      'what a weight of 0 for one syntax leaves',
      `application/dicom; transfer-syntax=${explicitLE}; q=0, application/dicom; transfer-syntax=${jpeg2000}; q=0.1`,
      jpeg2000,
    ],
    [
      'a syntax by name where the type without one is refused',
      `application/dicom; q=0, application/dicom; transfer-syntax=${jpeg2000}`,
      jpeg2000,
    ],
    [
      'the type without a syntax where one is refused',
      `application/dicom; transfer-syntax=${jpeg2000}; q=0, application/dicom`,
      undefined,
    ],
    [
      'the next entry when the first syntax is not to be had',
      `application/dicom; transfer-syntax=${htj2k}, application/dicom; transfer-syntax=${jpeg2000}`,
      jpeg2000,
    ],
    [
      'a syntax written into the quoted type',
      `multipart/related; type="application/dicom;transfer-syntax=${explicitLE}"`,
      explicitLE,
    ],
  ])('prefers %s', (_what, accept, transferSyntax) => {
    expect(choose(accept, instance)?.[2]).toBe(transferSyntax);
  });

  it('ignores a transfer syntax where there is no such thing', () => {
    expect(choose(`application/dicom+json; transfer-syntax=${explicitLE}`, json)).toEqual([
      'single',
      'application/dicom+json',
      undefined,
    ]);
  });

  it('takes a bare wildcard in the order of the offers, in either form', () => {
    expect(choose('*/*', [...instance].reverse())?.[0]).toBe('single');
    expect(choose('*/*', instance)?.[0]).toBe('multipart');
  });

  it.each([
    ['image/jpg', 'image/jpeg'],
    ['image/dicom+jpeg', 'image/jpeg'],
    ['image/jll', 'image/jpeg'],
    ['image/x-jls', 'image/jls'],
    ['image/dicom+jpeg-ls', 'image/jls'],
    ['image/x-dicom-rle', 'image/dicom-rle'],
    ['image/dicom+rle', 'image/dicom-rle'],
    ['image/dicom+jp2', 'image/jp2'],
    ['image/dicom+jpx', 'image/jpx'],
    ['image/jhc', 'image/jphc'],
  ])('knows %s by its present name', (former, present) => {
    const offers = [multipart(present, jpegBaseline, jpegLossless), plain(present)];
    expect(choose(`multipart/related; type="${former}"`, offers)?.[1]).toBe(present);
    expect(choose(former.toUpperCase(), offers)?.[0]).toBe('single');
  });
});

describe('parseAccept', () => {
  it('lets the query parameter override a contradicting header', () => {
    const header = 'multipart/related; type="application/octet-stream"';
    expect(choose(header, rendered, ['image/jpeg'])).toEqual(['single', 'image/jpeg', undefined]);
    expect(
      choose('application/dicom+json', [...frames, single('image/jphc', htj2k)], ['image/jhc']),
    ).toEqual(['single', 'image/jphc', undefined]);
  });

  it('reads several query values, and lists in them', () => {
    expect(parseAccept(null, ['image/png;q=0.5,image/jpeg', 'image/gif'])).toEqual([
      { mediaType: 'image/png', form: 'single', transferSyntax: undefined, quality: 0.5 },
      { mediaType: 'image/jpeg', form: 'single', transferSyntax: undefined, quality: 1 },
      { mediaType: 'image/gif', form: 'single', transferSyntax: undefined, quality: 1 },
    ]);
  });

  it('restores the plus that a query string turns into a space', () => {
    expect(choose('text/html', stow, ['application/dicom xml'])?.[1]).toBe('application/dicom+xml');
  });

  it('uses the header when nothing in the query parameter can be read', () => {
    expect(choose('image/png', rendered, ['', 'nonsense'])?.[1]).toBe('image/png');
  });

  it('reads header lines that were joined', () => {
    const headers = new Headers();
    headers.append('Accept', 'multipart/related; type="application/dicom"; transfer-syntax=*');
    headers.append('Accept', 'application/dicom+json;q=0.2');
    expect(parseAccept(headers.get('accept'))).toEqual([
      { mediaType: 'application/dicom', form: 'multipart', transferSyntax: '*', quality: 1 },
      {
        mediaType: 'application/dicom+json',
        form: 'single',
        transferSyntax: undefined,
        quality: 0.2,
      },
    ]);
  });

  it('takes multipart without a type for any multipart', () => {
    expect(choose('multipart/related', instance)?.[0]).toBe('multipart');
    expect(choose('multipart/*', [...instance].reverse())?.[0]).toBe('multipart');
  });
});

describe('describeOffers', () => {
  it('writes each representation as an entry that would have been accepted', () => {
    const offers = [...instance, ...json, multipart('application/dicom', jpegLs)];
    const lines = describeOffers(offers);
    expect(lines).toEqual([
      ...[jpegLs, explicitLE, jpeg2000].map(
        (uid) => `multipart/related; type="application/dicom"; transfer-syntax=${uid}`,
      ),
      ...[jpegLs, explicitLE, jpeg2000].map((uid) => `application/dicom; transfer-syntax=${uid}`),
      'application/dicom+json',
      'application/json',
    ]);
    for (const line of lines) expect(choose(line, offers)).toBeDefined();
  });
});
