import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { characterSetOf, defaultCharacterSet } from '../../src/dicom/text/character-set.js';
import { characterSetWithin, valuesOf } from '../../src/dicom/raw-value.js';
import type { VR } from '../../src/dicom/vr.js';
import { rawDataSet, rawElement } from '../support/dicom/raw-data-set.js';

function values(vr: VR, value: string | Uint8Array, bigEndian = false) {
  return valuesOf(rawElement('00091001', vr, value), bigEndian, defaultCharacterSet);
}

/** Bytes of one number, written by a setter of DataView in little-endian order. */
function bytesOf(size: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return bytes;
}

describe('valuesOf', () => {
  it('splits text at backslashes and drops its padding', () => {
    expect(values('CS', 'ORIGINAL\\ PRIMARY \\AXIAL ')).toEqual(['ORIGINAL', 'PRIMARY', 'AXIAL']);
    expect(values('UI', '1.2.3\\1.2.4\0')).toEqual(['1.2.3', '1.2.4']);
  });

  it('keeps leading spaces where they mean something', () => {
    expect(values('LO', '  x  ')).toEqual(['x']);
    expect(values('LT', '  x  ')).toEqual(['  x']);
    expect(values('UC', '  x  ')).toEqual(['  x']);
    expect(values('CS', '\tx')).toEqual(['\tx']);
  });

  it('does not split text of VRs with one value', () => {
    expect(values('LT', 'a\\b')).toEqual(['a\\b']);
    expect(values('UR', 'http://x/?a\\b ')).toEqual(['http://x/?a\\b']);
  });

  it('has null for an empty value within several, and none at all for an empty element', () => {
    expect(values('LO', 'a\\\\b')).toEqual(['a', null, 'b']);
    expect(values('DS', '1\\ \\2')).toEqual([1, null, 2]);
    expect(values('PN', 'A^B\\')).toEqual([{ Alphabetic: 'A^B' }, null]);
    expect(values('LO', '  ')).toEqual([]);
    expect(values('UI', '\0')).toEqual([]);
    expect(values('PN', '==')).toEqual([]);
  });

  it('splits names into their groups, leaving out the empty ones', () => {
    expect(values('PN', 'A^B=C^D=E^F')).toEqual([
      { Alphabetic: 'A^B', Ideographic: 'C^D', Phonetic: 'E^F' },
    ]);
    expect(values('PN', '==E^F ')).toEqual([{ Phonetic: 'E^F' }]);
  });

  it.each([
    ['DS', '+01.50 ', 1.5],
    ['DS', ' -1.2E+3', -1200],
    ['DS', '.5', 0.5],
    ['DS', '5.', 5],
    ['DS', '3.14159\0', 3.14159],
    ['IS', '+007', 7],
    ['IS', '-2147483648', -2147483648],
  ] as const)('reads %s %j as a number', (vr, text, number) => {
    expect(values(vr, text)).toEqual([number]);
  });

  it.each([
    ['DS', '1,5'],
    ['DS', '0x10'],
    ['DS', 'Infinity'],
    ['DS', '1E999'],
    ['IS', '1.5'],
    ['IS', '90071992547409930'],
    ['IS', 'none'],
  ] as const)('keeps %s %j as text', (vr, text) => {
    expect(values(vr, text)).toEqual([text]);
  });

  it('reads binary numbers in both byte orders', () => {
    const two = Uint8Array.of(1, 2, 0xff, 0xfe);
    expect(values('US', two)).toEqual([0x0201, 0xfeff]);
    expect(values('US', two, true)).toEqual([0x0102, 0xfffe]);
    expect(values('SS', two, true)).toEqual([0x0102, -2]);
    expect(values('UL', two)).toEqual([0xfeff0201]);
    expect(values('SL', two)).toEqual([-0x100fdff]);
    expect(values('AT', Uint8Array.of(0x10, 0, 0x20, 0))).toEqual(['00100020']);
    expect(values('AT', Uint8Array.of(0, 0x10, 0, 0x20), true)).toEqual(['00100020']);
  });

  it('reads bytes that stand within a larger buffer', () => {
    expect(values('US', Uint8Array.of(9, 9, 9, 5, 0).subarray(3))).toEqual([5]);
  });

  it('ignores bytes beyond the last whole number', () => {
    expect(values('US', Uint8Array.of(5, 0, 7))).toEqual([5]);
    expect(values('FD', Uint8Array.of(5, 0, 7))).toEqual([]);
  });

  it('spells the floats that JSON does not have', () => {
    const float = (value: number) => bytesOf(4, (view) => view.setFloat32(0, value, true));
    expect(values('FL', float(Number.NaN))).toEqual(['NaN']);
    expect(values('FL', float(-Infinity))).toEqual(['-Infinity']);
    expect(values('FL', float(0.5))).toEqual([0.5]);
    expect(
      values(
        'FD',
        bytesOf(8, (view) => view.setFloat64(0, Infinity, true)),
      ),
    ).toEqual(['Infinity']);
  });

  it('spells integers that a double does not carry', () => {
    const big = (value: bigint) => bytesOf(8, (view) => view.setBigInt64(0, value, true));
    expect(values('SV', big(-5n))).toEqual([-5]);
    expect(values('SV', big(2n ** 53n))).toEqual(['9007199254740992']);
    expect(values('UV', big(-1n))).toEqual(['18446744073709551615']);
  });

  it('reads every decimal string that JavaScript writes within 16 characters', () => {
    const short = fc
      .double({ noNaN: true, noDefaultInfinity: true })
      .filter((value) => String(value).length <= 16 && !Object.is(value, -0));
    fc.assert(
      fc.property(short, (value) => expect(values('DS', ` ${String(value)} `)).toEqual([value])),
    );
  });

  it('reads every integer string, whatever its sign and zeros', () => {
    fc.assert(
      fc.property(fc.integer(), fc.nat(3), (value, zeros) => {
        const text = (value < 0 ? '-' : '+') + '0'.repeat(zeros) + String(Math.abs(value));
        expect(values('IS', text)).toEqual([value === 0 ? Number(text) : value]);
      }),
    );
  });
});

describe('characterSetWithin', () => {
  const latin = rawElement('00080005', 'CS', 'ISO_IR 100');

  it('is that of the data set itself', () => {
    const set = characterSetWithin(rawDataSet(latin), characterSetOf(['ISO_IR 192']));
    expect(set).toEqual(characterSetOf(['ISO_IR 100']));
  });

  it('is inherited where the data set has none or an empty one', () => {
    const outer = characterSetOf(['ISO_IR 192']);
    expect(characterSetWithin(rawDataSet(), outer)).toBe(outer);
    expect(characterSetWithin(rawDataSet(rawElement('00080005', 'CS', '')), outer)).toBe(outer);
  });

  it('is the default repertoire when nothing says otherwise', () => {
    expect(characterSetWithin(rawDataSet())).toBe(defaultCharacterSet);
  });
});
