import { describe, expect, it } from '@jest/globals';
import { parsePart10, type ParsedInstance } from '../../../src/dicom/part10/part10.js';
import type { RawDataSet, RawElement } from '../../../src/dicom/raw-data-set.js';
import {
  binary,
  buildPart10,
  chunksOf,
  element,
  encodeDataSet,
  ramp,
  sampleElements,
  sampleInstance,
  sequence,
  syntaxes,
  type Part10Spec,
} from '../../support/part10-builder.js';
import { plain, readChunks } from '../../support/dicom/plain-instance.js';

const uncompressed = ['explicit', 'implicit', 'bigEndian', 'deflated'] as const;

function at(dataSet: RawDataSet, tag: string): RawElement | undefined {
  return dataSet.elements.find((one) => one.tag === tag);
}

function text(dataSet: RawDataSet, tag: string): string | undefined {
  const bytes = at(dataSet, tag)?.bytes;
  return bytes && Buffer.from(bytes).toString('latin1');
}

function vrs(dataSet: RawDataSet): Record<string, string> {
  return Object.fromEntries(dataSet.elements.map(({ tag, vr }) => [tag, vr]));
}

async function parse(spec: Part10Spec): Promise<ParsedInstance> {
  return await parsePart10(buildPart10(spec));
}

describe('parsePart10', () => {
  it.each(uncompressed)('reads a file in %s', async (name) => {
    const file = sampleInstance({ transferSyntaxUID: syntaxes[name] });
    const parsed = await parsePart10(file);
    expect(parsed.meta).toMatchObject({
      transferSyntaxUID: syntaxes[name],
      mediaStorageSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      mediaStorageSOPInstanceUID: '1.2.826.0.1.3680043.8.498.3',
    });
    expect(parsed.length).toBe(file.length);
    expect(parsed.dataSet.bigEndian).toBe(name === 'bigEndian');
    expect(parsed.dataSet.elements.map(({ tag }) => tag)).toEqual([
      ...sampleElements().map(({ tag }) => tag),
      '7FE00010',
    ]);
    expect(text(parsed.dataSet, '00100010')).toBe('Doe^Jane');
    expect(vrs(parsed.dataSet)).toMatchObject({ '00100010': 'PN', '00280010': 'US' });
    expect(at(parsed.dataSet, '7FE00010')).toMatchObject({ vr: 'OW', length: 512 });
    expect(at(parsed.dataSet, '7FE00010')?.bytes).toBeUndefined();
    expect(parsed.bulk).toMatchObject([{ path: '7FE00010', vr: 'OW', length: 512 }]);
    expect(parsed.frames).toMatchObject({
      kind: 'native',
      length: 512,
      frames: 1,
      frameBits: 4096,
    });
  });

  it('says where values are in the file', async () => {
    const file = sampleInstance();
    const { dataSet, bulk } = await parsePart10(file);
    for (const { offset, length, bytes } of dataSet.elements) {
      if (bytes) expect(file.subarray(offset, offset + length)).toEqual(Buffer.from(bytes));
    }
    const [pixels] = bulk;
    expect(pixels && file.subarray(pixels.offset, pixels.offset + pixels.length)).toEqual(
      ramp(512),
    );
  });

  it.each([1, 3, 13, 131, 1000])('reads the same from chunks of %p bytes', async (size) => {
    for (const name of uncompressed) {
      const file = sampleInstance({
        transferSyntaxUID: syntaxes[name],
        overrides: [sequence('00081140', [[element('00081155', 'UI', '1.2')], []], 'undefined')],
      });
      expect(await readChunks(chunksOf(file, size))).toEqual(plain(await parsePart10(file)));
    }
  });

  it('reads 64-bit integers, which dicom-parser cannot', async () => {
    const { dataSet } = await parse({
      elements: [
        element('00089459', 'SV', '-5'),
        element('00091010', 'UV', '18446744073709551615'),
        binary('00091011', 'OV', ramp(8)),
        element('00100020', 'LO', 'after'),
      ],
    });
    expect(vrs(dataSet)).toEqual({
      '00089459': 'SV',
      '00091010': 'UV',
      '00091011': 'OV',
      '00100020': 'LO',
    });
    expect(at(dataSet, '00091010')?.bytes).toEqual(Buffer.alloc(8, 255));
    expect(text(dataSet, '00100020')).toBe('after ');
  });

  it.each(['defined', 'undefined'] as const)(
    'reads nested sequences of %s length',
    async (form) => {
      const inner = sequence('00082112', [[element('00081155', 'UI', '1.2.3')], []], form);
      for (const name of uncompressed) {
        const { dataSet } = await parse({
          transferSyntaxUID: syntaxes[name],
          elements: [
            sequence('00081140', [[inner, element('00081160', 'IS', '7')]], form),
            element('00100020', 'LO', 'after1'),
          ],
        });
        const item = at(dataSet, '00081140')?.items?.[0];
        expect(item?.elements.map(({ tag, vr }) => tag + vr)).toEqual(['00081160IS', '00082112SQ']);
        const items = item && at(item, '00082112')?.items;
        expect(items?.map(({ elements }) => elements.length)).toEqual([1, 0]);
        expect(text(dataSet, '00100020')).toBe('after1');
      }
    },
  );

  it('gives the length of a sequence without its delimiter', async () => {
    const item = [element('00081155', 'UI', '1.2.3')];
    const lengths = async (form: 'defined' | 'undefined'): Promise<number | undefined> =>
      at((await parse({ elements: [sequence('00081140', [item], form)] })).dataSet, '00081140')
        ?.length;
    expect(await lengths('defined')).toBe(8 + 14);
    expect(await lengths('undefined')).toBe(8 + 14 + 8);
  });

  it('leaves the pixel data of icons out, however short', async () => {
    const { bulk } = await parse({
      elements: [sequence('00880200', [[binary('7FE00010', 'OB', ramp(4))]])],
    });
    expect(bulk).toMatchObject([{ path: '00880200/0/7FE00010', vr: 'OB', length: 4 }]);
  });

  it('leaves long bulk values out at every depth and holds short ones', async () => {
    const file = buildPart10({
      elements: [
        binary('00091010', 'OB', ramp(256)),
        binary('00091011', 'OB', ramp(258)),
        sequence('54000100', [
          [binary('54001010', 'OW', ramp(300))],
          [binary('54001010', 'OW', ramp(400))],
        ]),
        element('00400500', 'UT', 'x'.repeat(100_000)),
      ],
    });
    const { bulk, dataSet } = await parsePart10(file);
    expect(bulk.map(({ path, length }) => [path, length])).toEqual([
      ['00091011', 258],
      ['54000100/0/54001010', 300],
      ['54000100/1/54001010', 400],
    ]);
    for (const { offset, length } of bulk) {
      expect(file.subarray(offset, offset + length)).toEqual(ramp(length));
    }
    expect(at(dataSet, '00091010')?.bytes).toEqual(ramp(256));
    expect(at(dataSet, '00400500')?.bytes).toHaveLength(100_000);
    expect(at(dataSet, '54000100')?.items).toHaveLength(2);
  });

  it('reads a sequence hidden in UN of undefined length as implicit VR', async () => {
    for (const name of ['explicit', 'bigEndian'] as const) {
      const { dataSet } = await parse({
        transferSyntaxUID: syntaxes[name],
        elements: [
          {
            tag: '00091010',
            vr: 'UN',
            declaredLength: 0xffffffff,
            bytes: encodeDataSet(
              [sequence('00091010', [[element('00280010', 'US', 258)]], 'undefined')],
              syntaxes.implicit,
            ).subarray(8),
          },
          element('00100020', 'LO', 'after1'),
        ],
      });
      const [item] = at(dataSet, '00091010')?.items ?? [];
      expect(item).toMatchObject({ bigEndian: false, elements: [{ tag: '00280010', vr: 'US' }] });
      expect(item && at(item, '00280010')?.bytes).toEqual(Buffer.from([2, 1]));
      expect(text(dataSet, '00100020')).toBe('after1');
    }
  });

  it('takes the VR of a known attribute from the dictionary where the file says UN', async () => {
    const { dataSet } = await parse({
      elements: [
        binary('0020000D', 'UN', Buffer.from('1.2.3\0')),
        binary('00091011', 'UN', Buffer.from('ab')),
      ],
    });
    expect(vrs(dataSet)).toEqual({ '0020000D': 'UI', '00091011': 'UN' });
  });

  it.each([
    ['??', 16],
    ['  ', 16],
    ['ZZ', 16],
    ['ZZ', 32],
  ] as const)('reads VR %j with a length of %p bits', async (vr, lengthBits) => {
    const { dataSet } = await parse({
      elements: [
        { tag: '00091010', vr, lengthBits, bytes: Buffer.from('odd ') },
        { tag: '00100010', vr, lengthBits, bytes: Buffer.from('Doe ') },
        element('00100020', 'LO', 'after1'),
      ],
    });
    expect(vrs(dataSet)).toEqual({ '00091010': 'UN', '00100010': 'PN', '00100020': 'LO' });
    expect(text(dataSet, '00100010')).toBe('Doe ');
  });

  it('reads items in implicit VR within an explicit data set', async () => {
    const content = encodeDataSet([element('00081155', 'UI', '1.2.3')], syntaxes.implicit);
    const header = Buffer.from('feff00e000000000', 'hex');
    header.writeUInt32LE(content.length, 4);
    const { dataSet } = await parse({
      elements: [binary('00081140', 'SQ', Buffer.concat([header, content]))],
    });
    expect(at(dataSet, '00081140')?.items).toMatchObject([
      { elements: [{ tag: '00081155', vr: 'UI', length: 6 }] },
    ]);
  });

  it.each([
    ['implicit', syntaxes.explicit],
    ['explicit', syntaxes.implicit],
  ] as const)('reads a data set in %s VR that names the other', async (name, claimed) => {
    const body = encodeDataSet(sampleElements(), syntaxes[name]);
    const { dataSet } = await parse({ transferSyntaxUID: claimed, trailing: body });
    expect(text(dataSet, '00100010')).toBe('Doe^Jane');
  });

  it('settles US or SS by PixelRepresentation in implicit VR', async () => {
    const vrOfSmallest = async (representation: number, transferSyntaxUID: string) =>
      vrs(
        (
          await parse({
            transferSyntaxUID,
            elements: [element('00280103', 'US', representation), element('00280106', 'US', 1)],
          })
        ).dataSet,
      )['00280106'];
    expect(await vrOfSmallest(1, syntaxes.implicit)).toBe('SS');
    expect(await vrOfSmallest(0, syntaxes.implicit)).toBe('US');
    expect(await vrOfSmallest(1, syntaxes.explicit)).toBe('US');
  });

  it('keeps the first of duplicate elements, sequences included', async () => {
    const { dataSet, bulk } = await parse({
      keepOrder: true,
      elements: [
        element('00100020', 'LO', 'first1'),
        sequence('00081140', [[element('00081155', 'UI', '1.2')]]),
        element('00100020', 'LO', 'second'),
        sequence('00081140', [[binary('00091010', 'OB', ramp(300))]], 'undefined'),
        element('00100030', 'DA', '19700101'),
      ],
    });
    expect(dataSet.elements.map(({ tag }) => tag)).toEqual(['00100020', '00081140', '00100030']);
    expect(text(dataSet, '00100020')).toBe('first1');
    expect(at(dataSet, '00081140')?.items?.[0]?.elements[0]?.tag).toBe('00081155');
    expect(bulk).toEqual([]);
  });

  it('keeps elements of low groups in the order of the file', async () => {
    const { dataSet } = await parse({
      elements: [element('00000902', 'LO', 'note'), element('00080060', 'CS', 'CT')],
    });
    expect(dataSet.elements.map(({ tag }) => tag)).toEqual(['00000902', '00080060']);
  });

  it.each([
    ['nulls to fill a block', Buffer.alloc(700)],
    ['a single null', Buffer.alloc(1)],
    ['a data set trailing padding element', encodeDataSet([binary('FFFCFFFC', 'OB', ramp(500))])],
    ['a stray sequence delimiter', Buffer.from('feffdde000000000', 'hex')],
  ])('reads a file with %s at its end', async (_, trailing) => {
    const { dataSet } = await parse({ elements: sampleElements(), trailing });
    expect(text(dataSet, '00100010')).toBe('Doe^Jane');
  });

  it.each([
    ['no group length', { omitMeta: ['00020000'] }],
    ['a group length that is too short', { metaGroupLength: 10 }],
    ['a group length that is too long', { metaGroupLength: 100_000 }],
    ['file meta information in implicit VR', { metaImplicit: true }],
    [
      'a transfer syntax padded with a space',
      { meta: [element('00020010', 'LO', syntaxes.explicit)] },
    ],
    ['a preamble that is not null', { preamble: ramp(128) }],
  ] satisfies [string, Part10Spec][])('reads a file with %s', async (_, spec) => {
    const { meta, dataSet } = await parse({ elements: sampleElements(), ...spec });
    expect(meta.transferSyntaxUID).toBe(syntaxes.explicit);
    expect(text(dataSet, '00100010')).toBe('Doe^Jane');
  });

  it('reads a file without a data set', async () => {
    expect((await parse({})).dataSet.elements).toEqual([]);
  });

  it('reads odd lengths', async () => {
    const { dataSet } = await parse({
      elements: [binary('00100020', 'LO', Buffer.from('odd')), element('00100040', 'CS', 'F')],
    });
    expect(text(dataSet, '00100020')).toBe('odd');
    expect(text(dataSet, '00100040')).toBe('F ');
  });

  it('skips encapsulated pixel data of an icon, which gets no frames', async () => {
    const icon = Buffer.from('feff00e000000000feff00e004000000ffd8ffd9feffdde000000000', 'hex');
    const file = buildPart10({
      elements: [
        sequence(
          '00880200',
          [[{ tag: '7FE00010', vr: 'OB', declaredLength: 0xffffffff, bytes: icon }]],
          'undefined',
        ),
        element('00880140', 'UI', '1.2.34'),
      ],
    });
    const { bulk, dataSet, frames } = await parsePart10(file);
    expect(bulk).toMatchObject([{ path: '00880200/0/7FE00010', vr: 'OB', length: 20 }]);
    expect(text(dataSet, '00880140')).toBe('1.2.34');
    expect(frames).toBeUndefined();
  });

  it.each([
    ['an item delimiter', 'feff00e0ffffffff0800551155490400312e3200feffdde000000000'],
    [
      'nothing, but an item delimiter too many',
      'feff00e0ffffffff0800551155490400312e3200feff0de000000000feff0de000000000feffdde000000000',
    ],
  ])('reads a sequence that lacks %s', async (_, hex) => {
    const { dataSet } = await parse({
      elements: [
        { tag: '00081140', vr: 'SQ', declaredLength: 0xffffffff, bytes: Buffer.from(hex, 'hex') },
        element('00100020', 'LO', 'after1'),
      ],
    });
    expect(at(dataSet, '00081140')?.items).toMatchObject([{ elements: [{ tag: '00081155' }] }]);
    expect(text(dataSet, '00100020')).toBe('after1');
  });
});
