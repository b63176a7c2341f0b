import { describe, expect, it } from '@jest/globals';
import { parsePart10 } from '../../../src/dicom/part10/part10.js';
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
} from '../../support/part10-builder.js';
import { readChunks } from '../../support/dicom/plain-instance.js';

function encodeFileEndingInSequence(): Buffer {
  const file = buildPart10({
    elements: [sequence('00081140', [[element('00081155', 'UI', '1.2')]], 'undefined')],
  });
  return file.subarray(0, -16);
}

describe('parsePart10 of a file that cannot be read', () => {
  it.each([
    ['empty', Buffer.alloc(0), 'not-dicom'],
    ['without DICM', buildPart10({ magic: 'MCID' }), 'not-dicom'],
    ['cut within the preamble', sampleInstance().subarray(0, 100), 'not-dicom'],
    ['without transfer syntax', buildPart10({ omitMeta: ['00020010'] }), 'dicom-malformed'],
    [
      'with a transfer syntax that is no UID',
      buildPart10({ meta: [element('00020010', 'UI', 'JPEG')] }),
      'dicom-malformed',
    ],
    ['cut within the file meta information', sampleInstance().subarray(0, 200), 'dicom-truncated'],
    ['cut within pixel data', sampleInstance().subarray(0, -10), 'dicom-truncated'],
    [
      'with an item where an element should be',
      buildPart10({ trailing: Buffer.from('feff00e000000000', 'hex') }),
      'dicom-malformed',
    ],
    [
      'with an element where an item should be',
      buildPart10({
        elements: [binary('00081140', 'SQ', encodeDataSet([element('00080060', 'CS', 'CT')]))],
      }),
      'dicom-malformed',
    ],
    [
      'with an element longer than the item around it',
      buildPart10({
        elements: [
          sequence('00081140', [[{ ...element('00081155', 'UI', '1.2'), declaredLength: 40 }]]),
          element('00100010', 'PN', 'x'.repeat(100)),
        ],
      }),
      'dicom-malformed',
    ],
    ['cut within a sequence of undefined length', encodeFileEndingInSequence(), 'dicom-truncated'],
    [
      'with an item that ends within a header',
      buildPart10({
        elements: [
          binary('00081140', 'SQ', Buffer.from('feff00e00400000008005511', 'hex')),
          element('00100020', 'LO', 'after1'),
        ],
      }),
      'dicom-malformed',
    ],
    [
      'with a delimiter before a sequence has its length',
      buildPart10({
        elements: [
          binary(
            '00081140',
            'SQ',
            Buffer.from('feff00e0fffffffffeffdde000000000feff00e000000000', 'hex'),
          ),
        ],
      }),
      'dicom-malformed',
    ],
    [
      'with an element among the fragments',
      buildPart10({
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: [ramp(4)], undelimited: true },
        trailing: encodeDataSet([element('7FE10010', 'LO', 'odd1')]),
      }),
      'dicom-malformed',
    ],
    [
      'with file meta information of undefined length',
      buildPart10({
        meta: [{ tag: '00020102', vr: 'OB', declaredLength: 0xffffffff, bytes: ramp(2) }],
      }),
      'dicom-malformed',
    ],
    [
      'with text of undefined length',
      buildPart10({
        elements: [{ tag: '00400500', vr: 'UT', declaredLength: 0xffffffff, bytes: ramp(4) }],
      }),
      'dicom-malformed',
    ],
    [
      'with something after null padding',
      buildPart10({
        elements: sampleElements(),
        trailing: Buffer.concat([Buffer.alloc(64), ramp(9)]),
      }),
      'dicom-malformed',
    ],
  ])('refuses a file %s', async (_, file, code) => {
    await expect(parsePart10(file)).rejects.toMatchObject({ name: 'ServiceError', code });
    await expect(readChunks(chunksOf(file, 7))).rejects.toMatchObject({
      name: 'ServiceError',
      code,
    });
  });

  it('names tag, offset and missing bytes of a value that is cut', async () => {
    const file = sampleInstance();
    await expect(parsePart10(file.subarray(0, -10))).rejects.toMatchObject({
      message: expect.stringContaining('(7fe0,0010)') as unknown,
      facts: { tag: '7FE00010', offset: file.length - 512 },
    });
    await expect(parsePart10(file.subarray(0, -10))).rejects.toThrow(/10 are missing/);
  });
});
