import { describe, expect, it } from '@jest/globals';
import { chooseRepresentation, syntaxToSend } from '../../src/dicomweb/negotiation.js';
import type { Offer } from '../../src/http/accept.js';
import { syntaxes } from '../support/part10-builder.js';
import { headOf } from '../../src/http/incoming-request.js';

/** A file that is stored in RLE and can be had otherwise. */
const file: Offer = {
  mediaType: 'application/dicom',
  form: 'multipart',
  transferSyntaxes: [syntaxes.rle, syntaxes.explicit, syntaxes.jpegLs],
  defaultTransferSyntax: syntaxes.explicit,
};
/** A frame of it that can be had as an image. */
const image: Offer = {
  mediaType: 'image/jpeg',
  form: 'multipart',
  transferSyntaxes: [syntaxes.jpegLossless, syntaxes.jpegBaseline],
};

function sent(accept: string, offers: readonly Offer[] = [file]): string {
  const request = new Request('http://host/studies/1', { headers: { accept } });
  return syntaxToSend(chooseRepresentation(headOf(request), offers));
}

const dicom = (parameter = '') => `multipart/related; type="application/dicom"${parameter}`;

describe('syntaxToSend', () => {
  it.each([
    ['the default of what is named without a syntax', dicom(), syntaxes.explicit],
    ['the stored one to those who take any', dicom('; transfer-syntax=*'), syntaxes.rle],
    ['the stored one to a wildcard', '*/*', syntaxes.rle],
    ['the stored one to a wildcard for parts', 'multipart/related; type="*/*"', syntaxes.rle],
    ['the one named', dicom(`; transfer-syntax=${syntaxes.jpegLs}`), syntaxes.jpegLs],
    [
      'the stored one of several',
      [syntaxes.jpegLs, syntaxes.rle].map((uid) => dicom(`; transfer-syntax=${uid}`)).join(),
      syntaxes.rle,
    ],
    [
      'the weightiest of several',
      `${dicom(`; transfer-syntax=${syntaxes.rle}; q=0.5`)}, ${dicom()}`,
      syntaxes.explicit,
    ],
    [
      'another than the one that q=0 refuses',
      `${dicom(`; transfer-syntax=${syntaxes.rle}`)}; q=0, ${dicom(`; transfer-syntax=${syntaxes.jpegLs}`)}`,
      syntaxes.jpegLs,
    ],
    [
      'the stored one where q=0 refuses another set of parameters',
      `${dicom(`; transfer-syntax=${syntaxes.jpegLs}`)}; q=0, ${dicom('; transfer-syntax=*')}`,
      syntaxes.rle,
    ],
  ])('is %s', (_what, accept, expected) => {
    expect(sent(accept)).toBe(expected);
  });

  it('is the first where an offer has no default', () => {
    expect(sent('multipart/related; type="image/jpeg"', [image])).toBe(syntaxes.jpegLossless);
  });
});
