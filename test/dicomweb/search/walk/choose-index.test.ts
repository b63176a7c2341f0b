import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../../src/dicom/attribute.js';
import { keywordOf } from '../../../../src/dicom/dictionary.js';
import { chooseIndex } from '../../../../src/dicomweb/search/walk/choose-index.js';
import { isConfirmed } from '../../../../src/dicomweb/search/walk/walk.js';
import { parseSearch } from '../../../../src/dicomweb/search/parse-search.js';
import { standardSearchPolicy } from '../../../../src/dicomweb/search/search-policy.js';
import type { Level } from '../../../../src/storage/archive/keys.js';
import { indexedValue } from '../../../../src/storage/archive/index/search-index.js';
import type { Ulid } from '../../../../src/storage/archive/ulid.js';

function choose(query: string, level: Level = 'study') {
  const route = { level: 'instance', levels: ['study', 'series', 'instance'] } as const;
  const url = new URL(`http://archive.example/instances?${query}`);
  const { predicates } = parseSearch(url, route, false, standardSearchPolicy);
  return chooseIndex(predicates, level);
}

describe('chooseIndex', () => {
  it.each<[string, Level, string | undefined]>([
    ['StudyDate=20240101&PatientID=a', 'study', 'PatientID'],
    ['PatientName=a*&StudyDate=20240101-', 'study', 'PatientName'],
    ['ModalitiesInStudy=CT&StudyDate=20240101-', 'study', 'StudyDate'],
    ['PatientName=*a&ModalitiesInStudy=CT', 'study', 'ModalitiesInStudy'],
    ['PatientSex=F', 'study', undefined],
    ['Modality=CT&PatientID=a', 'series', 'Modality'],
    ['SOPInstanceUID=1.2', 'instance', 'SOPInstanceUID'],
  ])('takes for %s at the level %s: %s', (query, level, keyword) => {
    const tag = choose(query, level)?.attribute.tag;
    expect(tag && keywordOf(tag)).toBe(keyword);
  });
});

describe('isConfirmed', () => {
  const [created, write, later] = ['0', '1', '2'].map((digit) => digit.repeat(26) as Ulid) as [
    Ulid,
    Ulid,
    Ulid,
  ];
  const tag = attribute('ModalitiesInStudy');
  const record = {
    created,
    indexes: { [tag]: { [indexedValue(tag, 'ct')]: write, [indexedValue(tag, 'mr')]: later } },
  };
  const confirmed = (query: string, hit: Partial<Parameters<typeof isConfirmed>[1]>) => {
    const chosen = choose(query);
    if (chosen === undefined) throw new Error('no index');
    return isConfirmed(chosen, { created, write, values: ['ct'], ...hit }, record);
  };

  it('confirms what the record says of itself', () => {
    expect(confirmed('ModalitiesInStudy=CT', {})).toBe(true);
    expect(confirmed('ModalitiesInStudy=CT,MR', {})).toBe(true);
    expect(confirmed('ModalitiesInStudy=C*', {})).toBe(true);
  });

  it('takes no row of another write, of another making, or with another value', () => {
    expect(confirmed('ModalitiesInStudy=CT', { write: later })).toBe(false);
    expect(confirmed('ModalitiesInStudy=CT', { created: write })).toBe(false);
    expect(confirmed('ModalitiesInStudy=US', { values: ['us'] })).toBe(false);
  });

  it('counts what a walk meets under several values once, under the first', () => {
    const mr = { values: ['mr'], write: later };
    expect(confirmed('ModalitiesInStudy=MR,CT', mr)).toBe(true);
    expect(confirmed('ModalitiesInStudy=MR,CT', {})).toBe(false);
    expect(confirmed('ModalitiesInStudy=CT,MR', { values: ['mr', 'ct'] })).toBe(true);
  });
});
