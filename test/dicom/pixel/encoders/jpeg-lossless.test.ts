import { describe, expect, it } from '@jest/globals';
import { encodeJpegLossless } from '../../../../src/dicom/pixel/encoders/jpeg-lossless.js';
import {
  decodeJpegLossless,
  frameOf,
  picture,
  pixelsOf,
  valuesOf,
} from '../../../support/dicom/pixel-frames.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('encodeJpegLossless', () => {
  it('writes the codestream of ISO/IEC 10918-1 process 14 with predictor 1', () => {
    const { bytes } = encodeJpegLossless(
      frameOf(pixelsOf({ rows: 2, columns: 2 }), [128, 129, 128, 128]),
    );
    // Differences 0, 1, 0, 0: categories 0 and 1 get the codes 0 and 10; the bits are 0 101 0 0, then ones.
    expect(hex(bytes)).toBe(
      'ffd8' +
        'ffc3000b08000200020101' +
        '1100' +
        'ffc4001500' +
        '01010000000000000000000000000000' +
        '0001' +
        'ffda0008010100010000' +
        '53' +
        'ffd9',
    );
  });

  it('follows a byte of ones in the scan by a zero', () => {
    const values = Array.from({ length: 256 }, (_, at) => (at * at * 37) % 251);
    const { bytes } = encodeJpegLossless(frameOf(pixelsOf(), values));
    const scan = hex(bytes).split('ffda')[1] ?? '';
    expect(scan).toContain('ff00');
    expect(scan.match(/^(?:..)*?ff(?!00|d9)/)).toBeNull();
  });

  it('keeps the widest differences of 16 bits', () => {
    const frame = frameOf(
      pixelsOf({ rows: 2, columns: 3, bitsAllocated: 16 }),
      [0, 65535, 0, 32768, 0, 32768],
    );
    const decoded = decodeJpegLossless(encodeJpegLossless(frame).bytes);
    expect(decoded.bitsPerSample).toBe(16);
    expect(valuesOf({ pixels: frame.pixels, bytes: decoded.bytes })).toEqual(valuesOf(frame));
  });

  it('interleaves colour, and names the components of RGB so', () => {
    const rgb = picture(pixelsOf({ rows: 20, columns: 30, samplesPerPixel: 3 }));
    const { bytes, pixels } = encodeJpegLossless(rgb);
    expect(pixels).toEqual(rgb.pixels);
    expect(hex(bytes)).toContain('ffee000e41646f62650064000000000' + '0ffc3');
    expect(hex(bytes)).toContain('ffda000c035200470042000100' + '00');
    const decoded = decodeJpegLossless(bytes).bytes;
    expect(decoded.subarray(0, -3)).toEqual(Uint8Array.from(rgb.bytes.subarray(0, -3)));
  });

  it('leaves YBR_FULL what it is', () => {
    const ybr = picture(pixelsOf({ samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL' }));
    const { bytes, pixels } = encodeJpegLossless(ybr);
    expect(pixels.photometricInterpretation).toBe('YBR_FULL');
    expect(hex(bytes)).toContain('ffda000c03010002000300010000');
    expect(hex(bytes)).not.toContain('41646f6265');
  });

  it('says that colour is interleaved', () => {
    const planar = pixelsOf({ samplesPerPixel: 3, planarConfiguration: 1 });
    expect(encodeJpegLossless(picture(planar)).pixels.planarConfiguration).toBe(0);
  });
});
