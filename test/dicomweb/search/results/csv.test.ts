import { describe, expect, it } from '@jest/globals';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import { toCsv } from '../../../../src/dicomweb/search/results/csv.js';

const results = (...rows: unknown[]) => rows as DataSet[];

describe('toCsv', () => {
  it('has a column per attribute that any result has, in order of tag', () => {
    const csv = toCsv(
      results(
        { '00100020': { vr: 'LO', Value: ['P1'] }, '00201208': { vr: 'IS', Value: [3] } },
        { '00080020': { vr: 'DA', Value: ['20240102'] }, '00100020': { vr: 'LO' } },
      ),
    );
    expect(csv).toBe(
      'StudyDate,PatientID,NumberOfStudyRelatedInstances\r\n,P1,3\r\n20240102,,\r\n',
    );
  });

  it('joins values and name groups as a file does, and quotes what needs it', () => {
    const csv = toCsv(
      results({
        '00080061': { vr: 'CS', Value: ['CT', 'MR'] },
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^"J"', Ideographic: '山^太' }] },
        '00081030': { vr: 'LO', Value: ['head, neck'] },
      }),
    );
    expect(csv).toBe(
      'ModalitiesInStudy,StudyDescription,PatientName\r\nCT\\MR,"head, neck","Doe^""J""=山^太"\r\n',
    );
  });

  it.each([
    ['=cmd|x', "'=cmd|x"],
    ['+1+1', "'+1+1"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ['-12.5', '-12.5'],
    ['+3e2', '+3e2'],
    ['a=b', 'a=b'],
  ])('makes a formula text, and leaves a number one: %s', (value, cell) => {
    const csv = toCsv(results({ '00081030': { vr: 'LO', Value: [value] } }));
    expect(csv).toBe(`StudyDescription\r\n${cell}\r\n`);
  });

  it('leaves sequences out', () => {
    const csv = toCsv(results({ '00400275': { vr: 'SQ', Value: [{}] }, '00080060': { vr: 'CS' } }));
    expect(csv).toBe('Modality\r\n\r\n');
  });
});
