import { describe, expect, it } from '@jest/globals';
import { decodableSyntaxes } from '../../src/dicom/pixel/codecs.js';
import { transferSyntaxes, transferSyntaxOf } from '../../src/dicom/transfer-syntax.js';

describe('transferSyntaxes', () => {
  it('has every UID once', () => {
    const uids = transferSyntaxes.map(({ uid }) => uid);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('inflates, swaps or fragments only what PS3.5 Annex A says', () => {
    const uidsWhere = (key: 'deflated' | 'bigEndian'): string[] =>
      transferSyntaxes.filter((one) => one[key]).map(({ uid }) => uid);
    expect(uidsWhere('deflated')).toEqual([
      '1.2.840.10008.1.2.1.99',
      '1.2.840.10008.1.2.4.95',
      '1.2.840.10008.1.2.4.205',
    ]);
    expect(uidsWhere('bigEndian')).toEqual(['1.2.840.10008.1.2.2']);
  });

  it('names JPEG process 10, whose frames are sent as they are stored only', () => {
    const process10 = transferSyntaxOf('1.2.840.10008.1.2.4.55');
    expect(process10?.name).toContain('Process 10');
    expect(decodableSyntaxes).not.toContain(process10?.uid);
  });

  it('gives every compressed syntax a media type of its own', () => {
    const plain = transferSyntaxes.filter(
      (one) => one.encapsulated && one.frameMediaType === 'application/octet-stream',
    );
    expect(plain.map(({ name }) => name)).toEqual([
      'Encapsulated Uncompressed Explicit VR Little Endian',
      'Deflated Image Frame Compression',
    ]);
  });
});

describe('transferSyntaxOf', () => {
  it.each([
    ['1.2.840.10008.1.2', { explicitVR: false, encapsulated: false }],
    ['1.2.840.10008.1.2.1', { explicitVR: true, encapsulated: false, lossy: false }],
    ['1.2.840.10008.1.2.4.50', { encapsulated: true, frameMediaType: 'image/jpeg', lossy: true }],
    ['1.2.840.10008.1.2.4.70', { frameMediaType: 'image/jpeg', lossy: false }],
    ['1.2.840.10008.1.2.4.81', { frameMediaType: 'image/jls', lossy: true }],
    ['1.2.840.10008.1.2.4.90', { frameMediaType: 'image/jp2', lossy: false }],
    ['1.2.840.10008.1.2.4.201', { frameMediaType: 'image/jphc', lossy: false }],
    ['1.2.840.10008.1.2.4.110', { frameMediaType: 'image/jxl', lossy: false }],
    ['1.2.840.10008.1.2.4.102.1', { frameMediaType: 'video/mp4', lossy: true }],
    ['1.2.840.10008.1.2.5', { frameMediaType: 'image/dicom-rle', lossy: false }],
  ])('describes %s', (uid, expected) => {
    expect(transferSyntaxOf(uid)).toMatchObject({ uid, ...expected });
  });

  it.each(['1.2.840.10008.1.2.1 ', '1.2.840.10008.1.2.1\0'])('drops the padding of %j', (text) => {
    expect(transferSyntaxOf(text)?.name).toBe('Explicit VR Little Endian');
  });

  it('takes an unknown syntax for explicit VR little endian with fragments', () => {
    expect(transferSyntaxOf('1.3.46.670589.33.1.4.1')).toEqual({
      uid: '1.3.46.670589.33.1.4.1',
      name: 'Unknown transfer syntax',
      explicitVR: true,
      bigEndian: false,
      deflated: false,
      encapsulated: true,
      frameMediaType: 'application/octet-stream',
      lossy: true,
    });
  });

  it.each(['', 'JPEG', '1.2.'])('does not take %j for a UID', (text) => {
    expect(transferSyntaxOf(text)).toBeUndefined();
  });
});
