import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { characterSetOf, defaultCharacterSet } from '../../src/dicom/text/character-set.js';
import {
  hasText,
  missingMessage,
  validateAll,
  validateFull,
  validateMinimum,
  validateRequiredUids,
  validateVR,
} from '../../src/dicom/validate.js';
import { vrTable, type VR } from '../../src/dicom/vr.js';
import {
  leftOut,
  rawDataSet,
  rawElement,
  rawSequence,
  tag,
} from '../support/dicom/raw-data-set.js';

const strict = { trailingNulls: 'invalid' } as const;
const lenient = { trailingNulls: 'padding' } as const;

function minimum(vr: VR, value: string, options: Parameters<typeof validateMinimum>[2] = strict) {
  return validateMinimum(rawElement('00091001', vr, value), defaultCharacterSet, options);
}

function full(vr: VR, value: string) {
  return validateFull(rawElement('00091001', vr, value), defaultCharacterSet);
}

describe('validateMinimum', () => {
  it('names the attribute by keyword', () => {
    const element = rawElement('00100020', 'LO', 'abc\0');
    expect(validateMinimum(element, defaultCharacterSet, strict)).toBe(
      "Dicom element 'PatientID' failed validation for VR 'LO': Value contains invalid character.",
    );
  });

  it('names an attribute without keyword by tag', () => {
    expect(minimum('CS', 'x'.repeat(17))).toBe(
      "Dicom element '(0009,1001)' failed validation for VR 'CS': Value length exceeds maximum length of 16.",
    );
  });

  it('takes trailing nulls for padding when asked to, inner ones never', () => {
    expect(minimum('LO', 'abc\0', lenient)).toBeUndefined();
    expect(minimum('LO', 'a\0c', lenient)).toMatch(/invalid character/);
    expect(minimum('LO', '\0abc', lenient)).toMatch(/invalid character/);
  });

  it.each([
    ['AE', 'STATION 1'],
    ['AS', '045Y'],
    ['CS', 'lower case is ok'],
    ['DA', '20240229'],
    ['DA', '20240229 '],
    ['DT', '20240229120000.5+0100'],
    ['IS', ' -12 '],
    ['LO', 'a\x1bb'],
    ['LO', 'x'.repeat(64) + ' '],
    ['PN', 'A^B^C^D^E=F^G=H'],
    ['SH', '0123456789abcdef'],
    ['TM', '235960.123456'],
    ['UI', '1.02.3 '],
    ['UI', '1.2.3\0'],
    ['FD', '12345678'],
    ['US', '12'],
    ['US', ''],
    ['DA', ''],
    ['AS', ''],
    ['UT', '\0'],
    ['UN', 'anything'],
  ] as const)('accepts %s %j', (vr, value) => {
    expect(minimum(vr, value)).toBeUndefined();
  });

  it.each([
    ['AE', 'x'.repeat(17), 'Value length exceeds maximum length of 16.'],
    ['AS', '45Y', 'Value length is not 4.'],
    ['DA', '20230229', 'Value cannot be parsed as a valid date.'],
    ['DA', '2024-02-29', 'Value cannot be parsed as a valid date.'],
    ['DA', '20240229\0', 'Value cannot be parsed as a valid date.'],
    ['DA', '20241301', 'Value cannot be parsed as a valid date.'],
    ['LO', 'x'.repeat(65), 'Value length exceeds maximum length of 64.'],
    ['LO', 'a\nb', 'Value contains invalid character.'],
    ['PN', 'a=b=c=d', 'Value contains more than 3 groups.'],
    ['PN', 'a^b^c^d^e^f', 'Value contains more than 5 components.'],
    ['PN', 'x'.repeat(65), 'One or more group of person name exceeds maxium length of 64.'],
    ['PN', 'a\tb', 'Value contains invalid character.'],
    ['FD', '1234567', 'Value length is not 8.'],
    ['SL', '12', 'Value length is not 4.'],
  ] as const)('refuses %s %j', (vr, value, reason) => {
    const message = `Dicom element '(0009,1001)' failed validation for VR '${vr}': ${reason}`;
    expect(minimum(vr, value)).toBe(message);
  });

  it.each([
    ['DT', '2024-02'],
    ['IS', '1.5'],
    ['IS', '2147483648'],
    ['TM', '24'],
    ['TM', '12:00'],
    ['UI', '1.2.a'],
    ['UI', '1.2.'],
    ['UI', '1'.repeat(65)],
  ] as const)('does not read %s %j', (vr, value) => {
    expect(minimum(vr, value)).toContain(`failed validation for VR '${vr}': `);
  });

  it('looks at the first value only', () => {
    expect(minimum('CS', 'OK\\' + 'x'.repeat(17))).toBeUndefined();
  });

  it('counts characters, not bytes', () => {
    const element = rawElement('00100020', 'LO', Buffer.from('é'.repeat(64)));
    expect(validateMinimum(element, characterSetOf(['ISO_IR 192']), strict)).toBeUndefined();
    expect(validateMinimum(element, defaultCharacterSet, strict)).toBeDefined();
  });
});

describe('validateFull', () => {
  it('quotes the value as the Microsoft server does', () => {
    expect(full('DA', 'NotAValidStudyDate')).toBe(
      'Content "NotAValidStudyDate" does not validate VR DA: ' +
        'one of the date values does not match the pattern YYYYMMDD',
    );
  });

  it.each([
    ['AE', 'STORE_SCP'],
    ['AS', '045Y'],
    ['CS', 'ORIGINAL\\PRIMARY'],
    ['DA', '20240229'],
    ['DA', '20240100'],
    ['DA', '20240101-20240131'],
    ['DS', ' +1.5E-3 '],
    ['DS', '1\\\\2'],
    ['DT', '2024'],
    ['DT', '20240229235960.123456-0500'],
    ['DT', '20240229-1200'],
    ['DT', '2023-2024'],
    ['DT', '2023-0500-2024'],
    ['DT', '2023-2024-0500'],
    ['DT', '2023-0500-2024-0500'],
    ['IS', ' 12 '],
    ['LO', 'abc\0'],
    ['LO', ''],
    ['LT', 'a\r\nb\\c'],
    ['PN', 'A^B=C=D'],
    ['SH', 'abc'],
    ['ST', 'abc'],
    ['TM', '12\\1230\\123045.1'],
    ['UI', '1.2.0.3\0'],
    ['UC', 'x'.repeat(20_000)],
    ['UN', '\0\x01'],
    ['US', '123'],
  ] as const)('accepts %s %j', (vr, value) => {
    expect(full(vr, value)).toBeUndefined();
  });

  it.each([
    ['AE', 'x'.repeat(17), 'value exceeds maximum length of 16 characters'],
    ['AE', 'a\x1bb', 'value contains invalid control character'],
    ['AS', '45', 'value does not have pattern 000[DWMY]'],
    ['CS', 'x'.repeat(17), 'value exceeds maximum length of 16 characters'],
    [
      'CS',
      'lower',
      'value contains invalid character. Only uppercase character, digits, space and underscore alre allowed',
    ],
    ['DA', '20241301', 'month component exceeds the value 12'],
    ['DA', '20240132', 'day component exceeds the value 31'],
    ['DA', '2024-01-01', "value contains too many range separators '-'"],
    ['DS', '1.2345678901234567', 'value exceeds maximum length of 16 characters'],
    ['DS', '1,5', 'value is no decimal string'],
    ['DT', '202', 'value does not mach pattern YYYY[MM[DD[HH[MM[SS[.F{1-6}]]]]]]'],
    ['DT', '20240001', 'month component cannot be 0'],
    ['DT', '20240100', 'day component cannot be 0'],
    ['DT', '20241301', 'month component exceeds 12'],
    ['DT', '20240132', 'day component exceeds 31'],
    ['DT', '2024010124', 'hours component exceeds 23'],
    ['DT', '202401012360', 'minutes component exceeds 59'],
    ['DT', '20240101235961', 'seconds component exceeds 60'],
    ['DT', '2024-0000', 'negative UTC hours component with value -0000 is not allowed'],
    [
      'DT',
      '2024+1500',
      'positive UTC hours component exceeds 14 (allowed range is -1200 to +1400)',
    ],
    ['DT', '2024+0160', 'UTC minutes component exceeds 59'],
    ['DT', '2024+01', 'value does not match the UTC pattern &ZZXX'],
    ['DT', '2024+0100+0100', "value contains too many UTC separators '+' or '-'"],
    ['DT', '2024-2025-2026', 'value is in invalid range format'],
    ['DT', '1-2-3-4-5', "value contains too many range separators '-'"],
    ['DT', '-', 'both dateTime components in range cannot be empty'],
    ['IS', '1.5', 'value is not an integer string'],
    ['IS', '2147483648', 'value too large to fit 32 bit integer'],
    ['LO', 'x'.repeat(65), 'value exceeds maximum length of 64 characters'],
    ['LO', 'a\0b', 'value contains invalid character'],
    ['LT', 'x'.repeat(10_241), 'value exceeds maximum length of 10240 characters'],
    ['PN', 'a=b=c=d', 'value contains too many groups'],
    ['PN', 'a^b^c^d^e^f', 'value contains too many components'],
    ['PN', 'x'.repeat(65), 'value exceeds maximum length of 64 characters'],
    ['PN', 'a\nb', 'value contains invalid control character'],
    ['SH', 'x'.repeat(17), 'value exceeds maximum length of 16 characters'],
    ['ST', 'x'.repeat(1025), 'value exceeds maximum length of 1024 characters'],
    ['TM', '1', 'value does not mach pattern HH or HHMM or HHMMSS or HHMMSS.F{1-6}'],
    ['TM', '24', 'hour component exceeds 23'],
    ['TM', '1260', 'minutes component exceeds 59'],
    ['TM', '120061', 'seconds component exceeds 60'],
    ['UI', '1'.repeat(65), 'value exceeds maximum length of 64 characters'],
    ['UI', '1.2-3', "value contains invalid characters other than '0'-'9' and '.'"],
    ['UI', '1.02', 'components must not have leading zeros'],
    ['UI', '1..2', 'a component can not be empty'],
    ['UI', '1.2.', 'a component can not be empty'],
  ] as const)('refuses %s %j', (vr, value, reason) => {
    expect(full(vr, value)).toBe(`Content "${value}" does not validate VR ${vr}: ${reason}`);
  });

  it('checks every value, and quotes the one that fails', () => {
    expect(full('CS', 'OK\\bad\\OK')).toMatch(/^Content "bad" /);
  });

  it('has an opinion on any bytes in any VR without throwing', () => {
    const vr = fc.constantFrom(...(Object.keys(vrTable) as VR[]));
    fc.assert(
      fc.property(vr, fc.uint8Array(), (name, bytes) => {
        const element = rawElement('00091001', name, bytes);
        expect(typeof validateFull(element, defaultCharacterSet)).toMatch(/string|undefined/);
        expect(typeof validateMinimum(element, defaultCharacterSet, lenient)).toMatch(
          /string|undefined/,
        );
      }),
    );
  });
});

describe('validateAll', () => {
  it('finds failures at every level, in the character set of the level', () => {
    const name = Buffer.from('é'.repeat(64));
    const raw = rawDataSet(
      rawElement('00080005', 'CS', 'ISO_IR 192'),
      rawElement('00080020', 'DA', 'x'),
      rawSequence(
        '00081140',
        rawDataSet(rawElement('00080060', 'CS', 'ct'), rawElement('00100020', 'LO', name)),
        rawDataSet(rawElement('00080005', 'CS', 'ISO_IR 100'), rawElement('00100020', 'LO', name)),
      ),
    );
    expect([...validateAll(raw)].map((failure) => failure.tag)).toEqual([
      '00080020',
      '00080060',
      '00100020',
    ]);
  });

  it('has nothing to say about a data set that keeps the rules', () => {
    const raw = rawDataSet(rawElement('00080060', 'CS', 'CT'), leftOut('7FE00010', 'OW', 99));
    expect([...validateAll(raw)]).toEqual([]);
  });
});

describe('validateVR', () => {
  it('compares with the dictionary', () => {
    expect(validateVR(rawElement('00100020', 'LO', 'x'))).toBeUndefined();
    expect(validateVR(rawElement('00100020', 'SH', 'x'))).toBe(
      "Dicom element 'PatientID' failed validation for VR 'SH': " +
        "The extended query tag 'PatientID' is expected to have VR 'LO' but has 'SH' in file.",
    );
  });

  it('compares with what the caller expects of a private attribute', () => {
    expect(validateVR(rawElement('00091001', 'LO', 'x'))).toBeUndefined();
    expect(validateVR(rawElement('00091001', 'LO', 'x'), 'SH')).toContain("'SH' but has 'LO'");
  });
});

describe('validateRequiredUids', () => {
  const study = rawElement('0020000D', 'UI', '1.2.1\0');
  const series = rawElement('0020000E', 'UI', '1.2.2 ');
  const instance = rawElement('00080018', 'UI', '1.2.3');
  const sopClass = rawElement('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.2');

  it('is content with four UIDs, whatever their padding', () => {
    expect(validateRequiredUids(rawDataSet(sopClass, instance, study, series))).toEqual([]);
  });

  it('tells what is absent, empty or no UID', () => {
    const raw = rawDataSet(
      rawElement('0020000D', 'UI', '\0\0'),
      series,
      rawElement('00080018', 'UI', '1.2.x'),
    );
    expect(validateRequiredUids(raw)).toEqual([
      { tag: '0020000D', message: "The required tag '(0020,000d)' is missing." },
      {
        tag: '00080018',
        message: expect.stringMatching(
          /^Dicom element 'SOPInstanceUID' failed validation for VR 'UI': DICOM Identifier is invalid\./,
        ),
      },
      { tag: '00080016', message: "The required tag '(0008,0016)' is missing." },
    ]);
  });
});

describe('hasText', () => {
  it('is true of more than padding', () => {
    expect(hasText(rawElement('00100020', 'LO', ' a'))).toBe(true);
    expect(hasText(rawElement('00100020', 'LO', '  \0'))).toBe(false);
    expect(hasText(rawElement('00100020', 'LO', ''))).toBe(false);
    expect(hasText(undefined)).toBe(false);
  });
});

describe('missingMessage', () => {
  it('spells the tag in lower case', () => {
    expect(missingMessage(tag('0020000D'))).toBe("The required tag '(0020,000d)' is missing.");
  });
});
