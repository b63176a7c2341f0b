import { describe, expect, it } from '@jest/globals';
import { parseSearch, type SearchRoute } from '../../../src/dicomweb/search/parse-search.js';
import {
  microsoftV2SearchPolicy,
  standardSearchPolicy,
  type SearchPolicy,
} from '../../../src/dicomweb/search/search-policy.js';

const studies: SearchRoute = { level: 'study', levels: ['study'] };
const seriesOfStudy: SearchRoute = { level: 'series', levels: ['series'] };

function parse(query: string, route = studies, policy: SearchPolicy = standardSearchPolicy) {
  const url = new URL(`http://archive.example/studies?${query}`);
  return parseSearch(url, route, route === seriesOfStudy, policy);
}

describe('parseSearch', () => {
  it('has defaults', () => {
    expect(parse('')).toMatchObject({
      predicates: [],
      keys: [],
      include: [],
      limit: 100,
      offset: 0,
      ordering: undefined,
      after: {},
    });
  });

  it('reads keys by keyword and by tag, and asks nothing of universal ones', () => {
    const { keys, predicates } = parse('PatientID=a&0020000d=1.2&PatientName=*&StudyID=');
    expect(keys).toEqual(['00100020', '0020000D', '00100010', '00200010']);
    expect(predicates.map(({ key }) => key.tag)).toEqual(['00100020', '0020000D']);
  });

  it('lowers a limit that is too large, or refuses it', () => {
    expect(parse('limit=100000').limit).toBe(standardSearchPolicy.mostResults);
    expect(() => parse('limit=201', studies, microsoftV2SearchPolicy)).toThrow(/limit/);
  });

  it('reads an order of up to four keys', () => {
    expect(parse('orderby=-StudyDate').ordering).toEqual({ tag: '00080020', descending: true });
    expect(parse('OrderBy=00100010').ordering).toEqual({ tag: '00100010', descending: false });
    // Studies list the classes of their instances in an attribute of their own.
    expect(parse('orderby=SOPClassUID').ordering).toEqual({ tag: '00080062', descending: false });
    expect(parse('orderby=-StudyDate,%20StudyTime').ordering).toEqual({
      tag: '00080020',
      descending: true,
      then: [{ tag: '00080030', descending: false }],
    });
    const five = 'StudyDate,StudyTime,PatientID,PatientName,PatientSex';
    for (const order of ['ProcedureCodeSequence', 'Modality', 'x', 'PatientSex,', five]) {
      expect(() => parse(`orderby=${order}`)).toThrow(/orderby/);
    }
  });

  it('has one identity for a search, whatever page and fields are asked for', () => {
    const { identity } = parse('PatientID=a');
    expect(parse('PatientID=a&limit=3&offset=9&includefield=all').identity).toBe(identity);
    expect(parse('00100020=a').identity).toBe(identity);
    expect(parse('PatientID=b').identity).not.toBe(identity);
    expect(parse('PatientID=a&fuzzymatching=true').identity).not.toBe(identity);
  });

  it('makes one predicate of a range of dates and one of times', () => {
    const ranges = parse('StudyDate=20240101-20240102&StudyTime=22-06').predicates;
    expect(ranges.map(({ key }) => key.tag)).toEqual(['00080020', '00080030']);
    expect(() => parse('StudyDate=20240101&StudyTime=22-06')).toThrow(/StudyTime/);
  });

  it('matches an attribute of several levels at the lowest that a route has', () => {
    const levels = ['study', 'series', 'instance'] as const;
    const keyAt = (most: number) =>
      parse('SOPClassUID=1.2', {
        level: levels[most] ?? 'study',
        levels: levels.slice(0, most + 1),
      }).predicates[0]?.key;
    // A study lists the classes of its instances.
    expect(keyAt(0)).toMatchObject({ level: 'study', tag: '00080062' });
    expect(keyAt(1)).toMatchObject({ level: 'series', tag: '00080016' });
    expect(keyAt(2)).toMatchObject({ level: 'instance', tag: '00080016' });
    expect(() => parse('NumberOfStudyRelatedInstances=many')).toThrow(
      /NumberOfStudyRelatedInstances/,
    );
  });

  it('takes any attribute within a study, of levels above in PS3.18 only', () => {
    expect(parse('AcquisitionNumber=1', seriesOfStudy).predicates[0]?.key).toMatchObject({
      level: 'series',
      inDataSet: true,
    });
    expect(parse('Modality=CT', seriesOfStudy).predicates[0]?.key.inDataSet).toBe(false);
    expect(parse('PatientID=1', seriesOfStudy).predicates).toHaveLength(1);
    expect(() => parse('PatientID=1', seriesOfStudy, microsoftV2SearchPolicy)).toThrow(/PatientID/);
    expect(() => parse('AcquisitionNumber=1', studies, microsoftV2SearchPolicy)).toThrow(
      /AcquisitionNumber/,
    );
  });

  it('passes over what is no key and names it, in PS3.18 only', () => {
    const query = 'AcquisitionNumber=1&foo=2&PatientID=a&Foo%22=3';
    expect(parse(query)).toMatchObject({
      keys: ['00100020'],
      ignored: ['AcquisitionNumber', 'foo', 'Foo"'],
    });
    expect(() => parse('foo=2', studies, microsoftV2SearchPolicy)).toThrow(
      /case-sensitive\. {2}If you would like/,
    );
  });

  it('reads the switches of extended matching, in PS3.18 only', () => {
    for (const name of ['emptyvaluematching', 'MultipleValueMatching']) {
      expect(parse(`${name}=true`).identity).not.toBe(parse('').identity);
      expect(() => parse(`${name}=1`)).toThrow(/true or false/);
      expect(() => parse(`${name}=true`, studies, microsoftV2SearchPolicy)).toThrow(
        /unknown query parameter/,
      );
    }
  });

  it.each([
    'RequestAttributesSequence=1',
    'PatientID.StudyDate=1',
    'SpecificCharacterSet=ISO_IR 100',
    'RequestAttributesSequence.=1',
  ])('refuses %s, or passes it over', (query) => {
    expect(() => parse(query, seriesOfStudy, microsoftV2SearchPolicy)).toThrow(/Invalid query/);
    expect(parse(query, seriesOfStudy)).toMatchObject({ keys: [], ignored: [query.split('=')[0]] });
  });
});
