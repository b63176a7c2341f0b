import { describe, expect, it } from '@jest/globals';
import { joinComponents } from '../../../../src/dicom/pixel/encoders/jpeg-2000-codestream.js';

/** A codestream of one component and one tile-part with these packets. */
function codestream(packets: string, tileParts = 1): Buffer {
  const length = (packets.length / 2 + 14).toString(16).padStart(8, '0');
  return Buffer.from(
    'ff4f' +
      `ff510029${'00'.repeat(34)}0001070101` +
      'ff640003aa' +
      `ff90000a0000${length}0001ff93${packets}`.repeat(tileParts) +
      'ffd9',
    'hex',
  );
}

describe('joinComponents', () => {
  it('puts the packets of all components into one tile-part', () => {
    const joined = joinComponents([codestream('0102'), codestream('03'), codestream('040506')]);
    expect(Buffer.from(joined).toString('hex')).toBe(
      'ff4f' +
        `ff51002f${'00'.repeat(34)}0003070101070101070101` +
        'ff640003aa' +
        'ff90000a000000000014' +
        '0001ff93010203040506' +
        'ffd9',
    );
  });

  it('leaves one component alone', () => {
    const one = codestream('0102');
    expect(joinComponents([one])).toBe(one);
  });

  it('refuses what it cannot join', () => {
    expect(() => joinComponents([])).toThrow(RangeError);
    expect(() => joinComponents([codestream('01', 2), codestream('01', 2)])).toThrow(
      'more than one tile-part',
    );
  });
});
