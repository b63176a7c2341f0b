import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { attribute } from '../../../../src/dicom/attribute.js';
import { chooseIndex } from '../../../../src/dicomweb/search/walk/choose-index.js';
import { Effort } from '../../../../src/dicomweb/search/walk/effort.js';
import { parseSearch } from '../../../../src/dicomweb/search/parse-search.js';
import { standardSearchPolicy } from '../../../../src/dicomweb/search/search-policy.js';
import {
  studyReader,
  type ReadStudies,
} from '../../../../src/dicomweb/search/walk/studies-of-hits.js';
import type { OrderedHit } from '../../../../src/dicomweb/search/walk/walk.js';
import { defaultPartition as partition } from '../../../../src/storage/archive/keys.js';
import { FilledTables } from '../../../support/storage/filled-archive.js';
import { uidsOf } from '../../../support/storage/numbered-studies.js';
import { ArchiveUnderTest } from '../model/archive-under-test.js';

describe('studyReader', () => {
  const tables = new FilledTables();
  const { services } = new ArchiveUnderTest(tables);
  const signal = new AbortController().signal;

  beforeAll(() => {
    tables.grow(500);
  });

  /** The hit of an index on the study with a number. */
  async function hitOn(number: number): Promise<OrderedHit> {
    const of = { level: 'study', tag: attribute('AccessionNumber') } as const;
    const sought = { kind: 'value', value: `a${String(number)}` } as const;
    for await (const hit of services.archive.index.walk(partition, of, sought, {})) {
      return { ...hit, key: hit.rowKey, values: [hit.value] };
    }
    throw new Error('no such study');
  }

  function readerFor(query: string): ReadStudies {
    const url = new URL(`http://archive.example/studies?${query}`);
    const route = { level: 'study', levels: ['study'] } as const;
    const { predicates } = parseSearch(url, route, false, standardSearchPolicy);
    const chosen = chooseIndex(predicates, 'study');
    if (chosen === undefined) throw new Error('no index');
    const context = { services, partition, signal, effort: new Effort() };
    return studyReader(context, chosen);
  }

  async function read(reader: ReadStudies, numbers: readonly number[]) {
    const hits = await Promise.all(numbers.map(hitOn));
    tables.take();
    const studies = await reader(hits);
    expect(studies.map((study) => study?.study)).toEqual(numbers.map((n) => uidsOf(n).study));
    return tables.take().calls;
  }

  const thinned = 'StudyDate=19900101-19900201&PatientName=*a*';

  it('reads studies that were stored side by side with one call', async () => {
    expect(await read(readerFor(thinned), [40, 42, 41, 47])).toBe(1);
    expect(await read(readerFor('StudyDate=19900101-19900201'), [40, 42, 41])).toBe(1);
  });

  it('reads every study by itself, where studies of a value were stored at any time', async () => {
    expect(await read(readerFor('PatientName=a*&PatientSex=F'), [40, 42, 41])).toBe(3);
  });

  it('reads those by themselves that the stretch does not reach, and then no stretch again', async () => {
    const reader = readerFor(thinned);
    expect(await read(reader, [1, 100, 200, 300, 400, 499])).toBe(1 + 5);
    expect(await read(reader, [40, 42, 41, 47])).toBe(4);
  });

  it('reads what the study list is not sure of', async () => {
    const { browse } = services.archive;
    const { created } = await hitOn(7);
    const [copy] = await browse.between(partition, [created, created], 1);
    if (copy === undefined) throw new Error('no copy');
    jest.spyOn(browse, 'between').mockResolvedValueOnce([{ ...copy, unsure: true }]);
    // The stand-in for the list costs nothing.
    expect(await read(readerFor(thinned), [7, 8])).toBe(2);
  });
});
