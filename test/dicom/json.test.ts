import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DataSet } from '../../src/dicom/data-set.js';
import {
  maxInlineBinaryBytes,
  stringifiedPieces,
  stringifyDataSet,
  toDataSet,
  withBulkDataBase,
  withoutBulk,
} from '../../src/dicom/json.js';
import type { RawDataSet, RawElement } from '../../src/dicom/raw-data-set.js';
import { tagFrom } from '../../src/dicom/tag.js';
import { parseVR, vrTable, type VR } from '../../src/dicom/vr.js';
import {
  bigEndianDataSet,
  leftOut,
  rawDataSet,
  rawElement,
  rawSequence,
  tag,
} from '../support/dicom/raw-data-set.js';

describe('toDataSet', () => {
  it('makes the model of a data set', () => {
    const raw = rawDataSet(
      rawElement('00080005', 'CS', 'ISO_IR 192'),
      rawElement('00080020', 'DA', '20240229'),
      rawElement('00100010', 'PN', 'M\xc3\xbcller^Anna '),
      rawElement('00100020', 'LO', ''),
      rawElement('00280010', 'US', Uint8Array.of(0, 2)),
    );
    expect(toDataSet(raw)).toEqual({
      '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
      '00080020': { vr: 'DA', Value: ['20240229'] },
      '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Anna' }] },
      '00100020': { vr: 'LO' },
      '00280010': { vr: 'US', Value: [512] },
    });
  });

  it('leaves out group lengths and file meta information', () => {
    const raw = rawDataSet(
      rawElement('00020010', 'UI', '1.2.840.10008.1.2'),
      rawElement('00080000', 'UL', Uint8Array.of(1, 0, 0, 0)),
      rawElement('00091001', 'LO', 'x'),
    );
    expect(Object.keys(toDataSet(raw))).toEqual(['00091001']);
  });

  it('has the last of an attribute that is there twice', () => {
    const raw = rawDataSet(rawElement('00100020', 'LO', 'A'), rawElement('00100020', 'LO', 'B'));
    expect(toDataSet(raw)).toEqual({ '00100020': { vr: 'LO', Value: ['B'] } });
  });

  it('nests sequences, whose items inherit the character set or bring their own', () => {
    const name = '\xe9';
    const raw = rawDataSet(
      rawElement('00080005', 'CS', 'ISO_IR 144'),
      rawSequence(
        '00081140',
        rawDataSet(rawElement('00081030', 'LO', name)),
        rawDataSet(rawElement('00080005', 'CS', 'ISO_IR 100'), rawElement('00081030', 'LO', name)),
        rawDataSet(),
      ),
    );
    expect(toDataSet(raw)['00081140' as never]).toEqual({
      vr: 'SQ',
      Value: [
        { '00081030': { vr: 'LO', Value: ['щ'] } },
        {
          '00080005': { vr: 'CS', Value: ['ISO_IR 100'] },
          '00081030': { vr: 'LO', Value: ['é'] },
        },
        {},
      ],
    });
  });

  it('has no Value for a sequence without items', () => {
    expect(toDataSet(rawDataSet(rawSequence('00081140')))).toEqual({ '00081140': { vr: 'SQ' } });
  });

  it('takes an unknown element with items for a sequence', () => {
    const element: RawElement = { ...rawSequence('00091010', rawDataSet()), vr: 'UN' };
    expect(toDataSet(rawDataSet(element))).toEqual({ '00091010': { vr: 'SQ', Value: [{}] } });
  });

  it('puts short binary values inline and refers to long ones', () => {
    const raw = rawDataSet(
      rawElement('00091001', 'OB', new Uint8Array(maxInlineBinaryBytes)),
      rawElement('00091002', 'UN', new Uint8Array(maxInlineBinaryBytes + 1)),
      rawElement('00091003', 'UN', 'abc'),
      rawElement('00091004', 'OW', ''),
    );
    const dataSet = toDataSet(raw);
    expect(dataSet[tag('00091001')]?.InlineBinary).toHaveLength(344);
    expect(dataSet[tag('00091002')]).toEqual({ vr: 'UN', BulkDataURI: '00091002' });
    expect(dataSet[tag('00091003')]).toEqual({ vr: 'UN', InlineBinary: 'YWJj' });
    expect(dataSet[tag('00091004')]).toEqual({ vr: 'OW' });
  });

  it('refers to pixel data and to whatever was left out, by attribute path', () => {
    const waveform = rawDataSet(leftOut('54001010', 'OW', 9000), rawElement('54001004', 'US', ''));
    const raw = rawDataSet(
      leftOut('00091001', 'UT', 5_000_000),
      rawSequence('54000100', rawDataSet(), waveform),
      rawElement('7FE00010', 'OB', 'abcd'),
    );
    expect(toDataSet(raw)).toEqual({
      '00091001': { vr: 'UT', BulkDataURI: '00091001' },
      '54000100': {
        vr: 'SQ',
        Value: [
          {},
          {
            '54001004': { vr: 'US' },
            '54001010': { vr: 'OW', BulkDataURI: '54000100/1/54001010' },
          },
        ],
      },
      '7FE00010': { vr: 'OB', BulkDataURI: '7FE00010' },
    });
  });

  it('writes binary values of big-endian data sets in little-endian order', () => {
    const raw = bigEndianDataSet(
      rawElement('00091001', 'OW', Uint8Array.of(1, 2, 3, 4, 5)),
      rawElement('00091002', 'OF', Uint8Array.of(1, 2, 3, 4)),
      rawElement('00091003', 'OB', Uint8Array.of(1, 2, 3, 4)),
      rawElement('00280010', 'US', Uint8Array.of(2, 0)),
    );
    const inline = (bytes: readonly number[]) => Buffer.from(bytes).toString('base64');
    expect(toDataSet(raw)).toEqual({
      '00091001': { vr: 'OW', InlineBinary: inline([2, 1, 4, 3, 5]) },
      '00091002': { vr: 'OF', InlineBinary: inline([4, 3, 2, 1]) },
      '00091003': { vr: 'OB', InlineBinary: inline([1, 2, 3, 4]) },
      '00280010': { vr: 'US', Value: [512] },
    });
  });

  it('has the shape of PS3.18 Annex F whatever the bytes', () => {
    const vr = fc.constantFrom(...(Object.keys(vrTable) as VR[]).filter((name) => name !== 'SQ'));
    const leaf = fc
      .record({ group: fc.nat(0xffff), element: fc.nat(0xffff), vr, bytes: fc.uint8Array() })
      .map(({ group, element, ...rest }) => ({
        ...rest,
        tag: tagFrom(group, element),
        offset: 0,
        length: rest.bytes.length,
      }));
    const { raw } = fc.letrec<{ raw: RawDataSet; element: RawElement }>((tie) => ({
      element: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('raw'), { maxLength: 2 }).map((items) => rawSequence('00081140', ...items)),
      ),
      raw: fc.record({
        bigEndian: fc.boolean(),
        elements: fc.array(tie('element'), { maxLength: 5 }),
      }),
    }));
    fc.assert(
      fc.property(raw, (dataSet) => {
        const text = stringifyDataSet(toDataSet(dataSet));
        expectShape(JSON.parse(text) as never);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(toDataSet(dataSet))));
        expect([...stringifiedPieces(toDataSet(dataSet))].join('')).toBe(text);
      }),
    );
  });
});

const contents = ['Value', 'InlineBinary', 'BulkDataURI'];

/** Asserts the rules of PS3.18 §F.2 on a parsed data set. */
function expectShape(dataSet: Record<string, Record<string, unknown>>): void {
  for (const [key, element] of Object.entries(dataSet)) {
    expect(key).toMatch(/^(?!0002)[0-9A-F]{8}(?<!0000)$/);
    expect(parseVR(String(element['vr']))).toBeDefined();
    const members = Object.keys(element).filter((member) => member !== 'vr');
    expect(members.length).toBeLessThanOrEqual(1);
    for (const member of members) expect(contents).toContain(member);
    if (!('Value' in element)) continue;
    const values = element['Value'] as unknown[];
    expect(values.length).toBeGreaterThan(0);
    if (element['vr'] === 'SQ') values.forEach((item) => expectShape(item as never));
    else if (element['vr'] !== 'PN') {
      for (const value of values) expect(value === null || typeof value !== 'object').toBe(true);
    }
  }
}

const nested: DataSet = {
  [tag('30060020')]: {
    vr: 'SQ',
    Value: [{ [tag('30060022')]: { vr: 'IS', Value: [1] }, [tag('00091001')]: { vr: 'UN' } }],
  },
  [tag('7FE00010')]: { vr: 'OW', BulkDataURI: '7FE00010' },
  [tag('00080018')]: { vr: 'UI', Value: ['1.2'] },
};

describe('stringifyDataSet', () => {
  it('orders attributes by tag, also those that look like array indexes', () => {
    expect(stringifyDataSet(nested)).toBe(
      '{"00080018":{"vr":"UI","Value":["1.2"]},' +
        '"30060020":{"vr":"SQ","Value":[{"00091001":{"vr":"UN"},"30060022":{"vr":"IS","Value":[1]}}]},' +
        '"7FE00010":{"vr":"OW","BulkDataURI":"7FE00010"}}',
    );
  });

  it('writes empty data sets and sequences', () => {
    expect(stringifyDataSet({})).toBe('{}');
    expect(stringifyDataSet({ [tag('00081140')]: { vr: 'SQ', Value: [{}] } })).toBe(
      '{"00081140":{"vr":"SQ","Value":[{}]}}',
    );
  });
});

describe('withoutBulk', () => {
  it('drops binary values at every level and keeps the rest', () => {
    expect(withoutBulk(nested)).toEqual({
      '00080018': { vr: 'UI', Value: ['1.2'] },
      '30060020': { vr: 'SQ', Value: [{ '30060022': { vr: 'IS', Value: [1] } }] },
    });
  });

  it.each(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN'] as const)('drops %s', (vr) => {
    expect(withoutBulk({ [tag('00091001')]: { vr, InlineBinary: 'AA==' } })).toEqual({});
  });
});

describe('withBulkDataBase', () => {
  it('makes every reference absolute', () => {
    const dataSet: DataSet = {
      [tag('54000100')]: {
        vr: 'SQ',
        Value: [{ [tag('54001010')]: { vr: 'OW', BulkDataURI: '54000100/0/54001010' } }],
      },
      [tag('7FE00010')]: { vr: 'OW', BulkDataURI: '7FE00010' },
    };
    expect(JSON.parse(withBulkDataBase(stringifyDataSet(dataSet), 'https://h/$&"/'))).toEqual({
      '54000100': {
        vr: 'SQ',
        Value: [{ '54001010': { vr: 'OW', BulkDataURI: 'https://h/$&"/54000100/0/54001010' } }],
      },
      '7FE00010': { vr: 'OW', BulkDataURI: 'https://h/$&"/7FE00010' },
    });
  });

  it('does not touch text, whatever it says', () => {
    const hostile = fc.constantFrom('"BulkDataURI":"', '\\"BulkDataURI":"x', 'BulkDataURI', '"');
    const texts = fc.array(fc.oneof(hostile, fc.string()), { minLength: 1 });
    fc.assert(
      fc.property(texts, (values) => {
        const json = stringifyDataSet({ [tag('00081030')]: { vr: 'LO', Value: values } });
        expect(withBulkDataBase(json, 'https://h/')).toBe(json);
      }),
    );
  });
});
