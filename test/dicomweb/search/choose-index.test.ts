import { describe, expect, it } from '@jest/globals';
import { keywordOf } from '../../../src/dicom/dictionary.js';
import { chooseIndex, reportedValue } from '../../../src/dicomweb/search/choose-index.js';
import { parseSearch } from '../../../src/dicomweb/search/parse-search.js';
import { standardSearchPolicy } from '../../../src/dicomweb/search/search-policy.js';
import type { Level } from '../../../src/storage/archive/keys.js';
import { indexedValue } from '../../../src/storage/archive/search-index.js';
import type { Ulid } from '../../../src/storage/archive/ulid.js';

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

describe('reportedValue', () => {
  it('is the first that a walk meets of several values of one thing', () => {
    const tag = choose('ModalitiesInStudy=MR,CT')?.attribute.tag;
    if (tag === undefined) throw new Error('no index');
    const write = '0'.repeat(26) as Ulid;
    const indexes = {
      [tag]: { [indexedValue(tag, 'ct')]: write, [indexedValue(tag, 'mr')]: write },
    };
    const reported = (query: string) => {
      const chosen = choose(query);
      return chosen && reportedValue(chosen, indexes);
    };
    expect(reported('ModalitiesInStudy=MR,CT')).toBe('mr');
    expect(reported('ModalitiesInStudy=CT')).toBe('ct');
    expect(reported('ModalitiesInStudy=M*')).toBe('mr');
    expect(reported('ModalitiesInStudy=US')).toBeUndefined();
  });
});
