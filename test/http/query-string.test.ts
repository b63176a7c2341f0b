import { describe, expect, it } from '@jest/globals';
import { parseQuery, queryInteger, queryValue, queryValues } from '../../src/http/query-string.js';

describe('parseQuery', () => {
  it.each<[client: string, search: string, parameters: [string, string][]]>([
    [
      'OHIF, study list',
      '?limit=101&offset=0&fuzzymatching=true&includefield=00081030%2C00080060&PatientName=*x*&ModalitiesInStudy=CT%2CMR',
      [
        ['limit', '101'],
        ['offset', '0'],
        ['fuzzymatching', 'true'],
        ['includefield', '00081030,00080060'],
        ['PatientName', '*x*'],
        ['ModalitiesInStudy', 'CT,MR'],
      ],
    ],
    ['OHIF, several studies', '?StudyInstanceUID=1.2%5C1.3', [['StudyInstanceUID', '1.2\\1.3']]],
    [
      'Weasis, repeated includefield',
      '?00100020=a&includefield=00080020,00080030&includefield=00100040',
      [
        ['00100020', 'a'],
        ['includefield', '00080020,00080030'],
        ['includefield', '00100040'],
      ],
    ],
    ['Weasis, thumbnail', '?viewport=64%2C64', [['viewport', '64,64']]],
    ['a plus', '?PatientName=a+b%2Bc', [['PatientName', 'a b+c']]],
    ['an equals sign in a value', '?a=b=c', [['a', 'b=c']]],
    ['UTF-8', '?PatientName=M%C3%BCller', [['PatientName', 'M\u00fcller']]],
    ['a null padding', '?PatientID=a%00', [['PatientID', 'a\u0000']]],
    [
      'keys without value',
      '?a&b=&&=c',
      [
        ['a', ''],
        ['b', ''],
        ['', 'c'],
      ],
    ],
    ['nothing', '', []],
    ['a lone question mark', '?', []],
    ['no question mark', 'a=1', [['a', '1']]],
  ])('reads %s', (_client, search, parameters) => {
    const expected = parameters.map(([key, value]) => ({ key, value }));
    expect(parseQuery(search)).toEqual(expected);
    if (search.startsWith('?')) {
      expect(parseQuery(new URL(`http://host/studies${search}`))).toEqual(expected);
    }
  });

  it.each([
    ['PatientName=%', 'PatientName'],
    ['a=1&PatientName=%C3', 'PatientName'],
    ['%zz=1', '%zz'],
    ['Patient%20Name=%E4', 'Patient Name'],
  ])('refuses %j and names the parameter', (search, parameter) => {
    expect(() => parseQuery(search)).toThrow(
      expect.objectContaining({
        code: 'invalid-query',
        message: `The query parameter '${parameter}' is invalid. Its percent-encoding is malformed.`,
        facts: { parameter },
      }),
    );
  });

  it('repeats no more of a name than can be shown', () => {
    expect(() => parseQuery(`${'x'.repeat(99)}\u00e4%0A=%`)).toThrow(
      expect.objectContaining({ facts: { parameter: 'x'.repeat(64) } }),
    );
  });
});

describe('queryValues', () => {
  it('finds all values in order, whatever the case of the name', () => {
    const parameters = parseQuery('IncludeField=a&limit=1&includefield=b');
    expect(queryValues(parameters, 'includeField')).toEqual(['a', 'b']);
    expect(queryValues(parameters, 'offset')).toEqual([]);
  });
});

describe('queryValue', () => {
  it('finds the one value, also when it is repeated', () => {
    expect(queryValue(parseQuery('Limit=1&limit=1'), 'limit')).toBe('1');
    expect(queryValue(parseQuery('a=1'), 'limit')).toBeUndefined();
  });

  it('refuses values that contradict each other', () => {
    expect(() => queryValue(parseQuery('limit=1&LIMIT=2'), 'limit')).toThrow(
      expect.objectContaining({ code: 'invalid-query', facts: { parameter: 'limit' } }),
    );
  });
});

describe('queryInteger', () => {
  it.each([
    ['limit=0', 0],
    ['limit=101', 101],
    ['limit=%20200+', 200],
    ['limit=007', 7],
    ['other=1', undefined],
  ])('reads %j as %p', (search, value) => {
    expect(queryInteger(parseQuery(search), 'limit', { max: 200 })).toBe(value);
  });

  it.each(['', 'x', '1.5', '1e2', '0x10', '-1', '201', '9'.repeat(400), 'NaN', 'Infinity', '1,2'])(
    'refuses %j with the bounds',
    (value) => {
      expect(() => queryInteger(parseQuery(`limit=${value}`), 'limit', { max: 200 })).toThrow(
        expect.objectContaining({
          code: 'invalid-query',
          message: "The query parameter 'limit' is invalid. It must be an integer from 0 to 200.",
        }),
      );
    },
  );
});
