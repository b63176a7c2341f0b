import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../src/dicom/data-set.js';
import { toNativeXml } from '../../src/dicom/native-xml.js';

function attributesOf(dataSet: unknown): string {
  const xml = toNativeXml(dataSet as DataSet);
  const [, content = ''] = /<NativeDicomModel[^>]*>(.*)<\/NativeDicomModel>$/s.exec(xml) ?? [];
  return content;
}

describe('toNativeXml', () => {
  it('is an XML document in the namespace of PS3.19', () => {
    expect(toNativeXml({})).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n' +
        '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">' +
        '</NativeDicomModel>',
    );
  });

  it('numbers values from one and leaves empty ones out', () => {
    expect(attributesOf({ '00080060': { vr: 'CS', Value: ['CT', null, 'MR'] } })).toBe(
      '<DicomAttribute tag="00080060" vr="CS" keyword="Modality">' +
        '<Value number="1">CT</Value><Value number="3">MR</Value></DicomAttribute>',
    );
  });

  it('takes names apart, in every component group', () => {
    const name = { Alphabetic: 'Yamada^Tarou^^Dr', Ideographic: '山田^太郎' };
    expect(attributesOf({ '00100010': { vr: 'PN', Value: [name] } })).toBe(
      '<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1">' +
        '<Alphabetic><FamilyName>Yamada</FamilyName><GivenName>Tarou</GivenName>' +
        '<NamePrefix>Dr</NamePrefix></Alphabetic>' +
        '<Ideographic><FamilyName>山田</FamilyName><GivenName>太郎</GivenName></Ideographic>' +
        '</PersonName></DicomAttribute>',
    );
  });

  it('writes items, inline and bulk data', () => {
    const item = { '00420011': { vr: 'OB', BulkDataURI: 'http://h/a?b&c' } };
    expect(
      attributesOf({
        '00081199': { vr: 'SQ', Value: [item] },
        '00282000': { vr: 'OB', InlineBinary: 'AAE=' },
      }),
    ).toBe(
      '<DicomAttribute tag="00081199" vr="SQ" keyword="ReferencedSOPSequence"><Item number="1">' +
        '<DicomAttribute tag="00420011" vr="OB" keyword="EncapsulatedDocument">' +
        '<BulkData uri="http://h/a?b&amp;c"/></DicomAttribute></Item></DicomAttribute>' +
        '<DicomAttribute tag="00282000" vr="OB" keyword="ICCProfile">' +
        '<InlineBinary>AAE=</InlineBinary></DicomAttribute>',
    );
  });

  it('names the creator of private attributes', () => {
    expect(
      attributesOf({
        '00291010': { vr: 'LO', Value: ['x'] },
        '00290010': { vr: 'LO', Value: ['ACME "1"'] },
      }),
    ).toContain('<DicomAttribute tag="00291010" vr="LO" privateCreator="ACME &quot;1&quot;">');
  });

  it('escapes markup, and replaces what XML cannot carry', () => {
    expect(attributesOf({ '00104000': { vr: 'LT', Value: ['a<b>&\r\n\u0000𝄞'] } })).toContain(
      '<Value number="1">a&lt;b&gt;&amp;&#13;\n\uFFFD𝄞</Value>',
    );
  });
});
