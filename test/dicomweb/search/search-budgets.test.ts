/** What searches cost, counted: the same in a small archive and in a large one. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Element, PersonName } from '../../../src/dicom/data-set.js';
import { FilledTables, type Cost } from '../../support/storage/filled-archive.js';
import { dateOf, familyOf, studiesPerDay, uidsOf } from '../../support/storage/numbered-studies.js';
import { isNightly } from '../../support/nightly.js';
import { ArchiveUnderTest, type SearchRouteName } from './model/archive-under-test.js';

/** The largest one every night: values that each study has for itself have to be sorted. */
const sizes = [10, 1_000, isNightly ? 50_000 : 5_000];
const tables = new FilledTables();
const archive = new ArchiveUnderTest(tables);

type Row = Readonly<Record<string, Element>>;

function valueIn(result: Row, tag: string): string {
  const [value] = result[tag]?.Value ?? [];
  return typeof value === 'string' ? value : '';
}

function nameIn(result: Row): string {
  return (result['00100010']?.Value?.[0] as PersonName).Alphabetic?.toLowerCase() ?? '';
}

interface Measured extends Cost {
  readonly results: number;
}

async function measure(route: SearchRouteName, query: string, most = 100): Promise<Measured> {
  tables.take();
  const { results } = await archive.search(route, {}, `limit=${String(most)}&${query}`);
  return { ...tables.take(), results: results.length };
}

/** Each with results in every archive: the first and the seventh study are always there. */
const queries: Readonly<Record<string, readonly [SearchRouteName, string, results: number]>> = {
  'a study by AccessionNumber': ['searchForStudies', 'AccessionNumber=A7', 1],
  'studies by PatientID': ['searchForStudies', 'PatientID=P3', 2],
  'a study by StudyID': ['searchForStudies', 'StudyID=S7', 1],
  'studies by a list of UIDs': ['searchForStudies', `StudyInstanceUID=1.2.840.1,1.2.840.7`, 2],
  'a series by its UID': ['searchForSeries', `SeriesInstanceUID=${uidsOf(7).series}`, 1],
  'an instance by its UID': ['searchForInstances', `SOPInstanceUID=${uidsOf(7).instance}`, 1],
  'an instance by all its UIDs': [
    'searchForInstances',
    `StudyInstanceUID=${uidsOf(7).study}&SeriesInstanceUID=${uidsOf(7).series}&SOPInstanceUID=${uidsOf(7).instance}`,
    1,
  ],
};
const costs = new Map<string, Measured>();

describe.each(sizes)('a search of %i studies', (size) => {
  beforeAll(() => {
    tables.grow(size);
  });

  it('reads a page of the study list in one call', async () => {
    const { results, ...cost } = await measure('searchForStudies', '', 10);
    expect(results).toBe(10);
    expect(cost).toEqual({ calls: 1, rounds: 1, rows: Math.min(size, 11) });
  });

  it.each(Object.entries(queries))('finds %s', async (name, [route, query, k]) => {
    const measured = await measure(route, query);
    const { results, calls, rounds, rows } = measured;
    expect(results).toBe(k);
    expect(rounds).toBeLessThanOrEqual(2);
    // A series is read with its study in one call; an instance is read beside them.
    expect(calls).toBeLessThanOrEqual(1 + k * (route === 'searchForInstances' ? 2 : 1));
    const levels = route === 'searchForStudies' ? 1 : route === 'searchForSeries' ? 2 : 3;
    expect(rows).toBeLessThanOrEqual(k * (1 + levels));
    expect(measured).toEqual(costs.get(name) ?? measured);
    costs.set(name, measured);
  });

  it.each([
    ['a day', `StudyDate=${dateOf(0)}`],
    ['a range of days', `StudyDate=${dateOf(0)}-${dateOf(0)}`],
    ['the beginning of a name', `PatientName=${familyOf(0).slice(0, 2)}*`],
    ['a modality', 'ModalitiesInStudy=CT'],
    ['a date with no end', `StudyDate=${dateOf(0)}-`],
  ])('finds a page by %s in two rounds', async (_what, query) => {
    const k = Math.min(size, studiesPerDay);
    const { results, calls, rounds, rows } = await measure('searchForStudies', query);
    expect(results).toBeGreaterThan(0);
    expect(results).toBeLessThanOrEqual(k);
    expect(rounds).toBeLessThanOrEqual(2);
    expect(calls).toBeLessThanOrEqual(1 + results);
    expect(rows).toBeLessThanOrEqual(2 * results);
  });

  it('finds a page of series by a modality in two rounds', async () => {
    const { results, ...cost } = await measure('searchForSeries', 'Modality=CT');
    expect(results).toBe(Math.min(Math.ceil(size / 8), 100));
    // Each series of the archive is alone in its study.
    expect(cost).toEqual({ calls: 1 + results, rounds: 2, rows: 3 * results });
  });

  it('reads many studies of a range of days at once, when other keys will leave few', async () => {
    const days = `StudyDate=${dateOf(0)}-${dateOf(7 * studiesPerDay - 1)}`;
    const name = `PatientName=*${familyOf(7)}*`;
    const { results, calls } = await measure('searchForStudies', `${days}&${name}`);
    expect(results).toBe(1);
    // Eight rounds for 700 studies, each a page of the index or a stretch of the list.
    expect(calls).toBeLessThanOrEqual(10);
  });

  it('looks up once what it meets under several values', async () => {
    const { results, calls, rounds } = await measure('searchForStudies', 'ModalitiesInStudy=CT,MR');
    expect(results).toBe(Math.min(Math.ceil(size / 8) * 2, 100));
    expect(calls).toBe(2 + results);
    expect(rounds).toBe(2);
  });

  it('goes on from any depth at the cost of the first page', async () => {
    const first = await archive.search('searchForStudies', {}, 'PatientName=*&limit=5');
    tables.take();
    let next = first.next;
    for (let page = 1; page < 5 && next !== undefined; page++) {
      const answer = await archive.search('searchForStudies', {}, next);
      expect(answer.results).toHaveLength(5);
      expect(tables.take()).toMatchObject({ calls: 1, rounds: 1 });
      next = answer.next;
    }
    const day = `StudyDate=${dateOf(0)}-${dateOf(size)}&limit=3`;
    let answer = await archive.search('searchForStudies', {}, day);
    const cost = tables.take();
    for (let page = 1; page < 3; page++) {
      answer = await archive.search('searchForStudies', {}, answer.next ?? '');
      expect(tables.take()).toEqual(cost);
    }
  });
});

describe('a search of a million studies', () => {
  const million = new FilledTables();
  const large = new ArchiveUnderTest(million);

  beforeAll(() => {
    million.grow(1_000_000);
  });

  /** An answer, and what it cost. */
  async function ask(query: string) {
    million.take();
    const answer = await large.search('searchForStudies', {}, query);
    return { ...answer, cost: million.take() };
  }

  const viewer = 'limit=101&includefield=00081030,00080060,00080090,00100030';

  it('finds a part of a name in three rounds, and no more calls than two beside the results', async () => {
    for (const part of [familyOf(618), familyOf(618).slice(1), `${familyOf(618).slice(2)}^giv`]) {
      const { results, cost } = await ask(`${viewer}&PatientName=*${part}*`);
      expect(results).toHaveLength(101);
      expect(cost.calls).toBeLessThanOrEqual(2 + results.length);
      expect(cost.rounds).toBeLessThanOrEqual(3);
    }
  });

  it('finds a part of a name within a week in three rounds', async () => {
    const week = `StudyDate=${dateOf(500_000)}-${dateOf(500_000 + 6 * studiesPerDay)}`;
    const { results, cost } = await ask(`${viewer}&PatientName=*${familyOf(500_300)}*&${week}`);
    expect(results).toHaveLength(1);
    expect(cost.rounds).toBeLessThanOrEqual(3);
    expect(cost.calls).toBeLessThanOrEqual(5);
  });

  it.each([
    ['PatientName', (one: Row) => nameIn(one)],
    ['-PatientName', (one: Row) => nameIn(one)],
    ['-StudyDate,-StudyTime', (one: Row) => valueIn(one, '00080020') + valueIn(one, '00080030')],
    ['StudyDate,PatientName', (one: Row) => valueIn(one, '00080020') + nameIn(one)],
  ])('shows page fifty of a list by %s at the cost of the first', async (order, keyOf) => {
    const first = await ask(`orderby=${order}&limit=10`);
    const keys = first.results.map(keyOf);
    let page = first;
    for (let number = 2; number <= 50; number++) {
      page = await ask(page.next ?? '');
      keys.push(...page.results.map(keyOf));
    }
    expect(keys).toHaveLength(50 * 10);
    const sorted = keys.toSorted();
    expect(keys).toEqual(order.startsWith('-') ? sorted.reverse() : sorted);
    // A page may begin or end among those of one day.
    const more = order.includes(',') ? 2 : 0;
    expect(page.cost.calls).toBeLessThanOrEqual(first.cost.calls + more);
    expect(page.cost.rounds).toBeLessThanOrEqual(first.cost.rounds + more);
    expect(first.cost.rounds).toBeLessThanOrEqual(3);
  });

  it.each([
    ['a day', `StudyDate=${dateOf(0)}`, studiesPerDay, 1],
    ['a month', `StudyDate=${dateOf(0)}-19900131`, 31 * studiesPerDay, 4],
    ['the beginning of a name', `PatientName=${familyOf(1).slice(0, 4)}*`, 5_103, 6],
    ['a name', `PatientName=${familyOf(7)}^Given`, 365, 1],
  ])('counts %s by the keys of its index', async (_what, query, count, pages) => {
    const { total, warning, cost } = await ask(`${query}&limit=1&includetotal=true`);
    expect([total, warning?.includes('lower bound')]).toEqual([String(count), false]);
    // The page, and what is open in the log.
    expect(cost.calls).toBeLessThanOrEqual(pages + 8);
  });

  it('counts an eighth of them by several stretches of its index at once', async () => {
    const { total, warning, cost } = await ask('ModalitiesInStudy=CT&limit=1&includetotal=true');
    expect([total, warning?.includes('lower bound')]).toEqual(['125000', false]);
    expect(cost.calls).toBeLessThanOrEqual(125 + 50);
    expect(cost.rounds).toBeLessThanOrEqual(50);
  });

  it('says of a total that is a bound that it is one', async () => {
    const { total, warning } = await ask(
      'ModalitiesInStudy=CT&StudyTime=000001&limit=1&includetotal=true',
    );
    expect(Number(total)).toBeLessThan(125_000);
    expect(warning).toMatch(
      /299 \S+: "X-Total-Count is a lower bound: there are more results than could be counted"$/,
    );
  });
});

describe('a search that reads much', () => {
  // 75 pages of the study list.
  const few = new FilledTables(40);
  const slow = new ArchiveUnderTest(few);

  beforeAll(() => {
    few.grow(3_000);
  });

  /** The results of a search and of the links that follow, and the calls of each page. */
  async function follow(query: string) {
    few.take();
    let answer = await slow.search('searchForStudies', {}, query);
    const calls = [few.take().calls];
    const pages = [answer];
    while (answer.next !== undefined) {
      answer = await slow.search('searchForStudies', {}, answer.next);
      calls.push(few.take().calls);
      pages.push(answer);
    }
    const uids = pages.flatMap(({ results }) =>
      results.map((one) => (one as Readonly<Record<string, Element>>)['0020000D']?.Value?.[0]),
    );
    return { uids, calls, pages };
  }

  it('ends after bounded calls with a warning and a link, when no index serves it', async () => {
    const { uids, calls, pages } = await follow('AccessionNumber=%3F7&StudyDescription=*7');
    expect(uids).toEqual([uidsOf(7).study]);
    expect(Math.max(...calls)).toBeLessThanOrEqual(25);
    expect(pages.length).toBeGreaterThan(2);
    for (const { warning, next } of pages) {
      if (next === undefined) expect(warning).toBeNull();
      else {
        expect(warning).toMatch(
          /^299 \S+: "The search was cut short; the next page goes on with it/,
        );
        // What to add, and the way to go on.
        expect(warning).toMatch(
          /Three letters or digits in a row of PatientName.*StudyDate, narrow it"$/,
        );
        expect(next).toContain('continuation=');
      }
    }
  });

  it('remembers what its offset has yet to pass over', async () => {
    const all = [2777, 1777, 777].map((study) => uidsOf(study).study);
    expect((await follow('StudyID=*777')).uids).toEqual(all);
    for (const offset of [1, 2, 3]) {
      const { uids, pages } = await follow(`StudyID=*777&offset=${offset}&limit=1`);
      expect(uids).toEqual(all.slice(offset));
      expect(pages.length).toBeGreaterThan(1);
    }
  });

  it('has no ceiling for offsets into what an index finds', async () => {
    const { results } = await slow.search(
      'searchForStudies',
      {},
      'ModalitiesInStudy=CT,MR,US,CR,DX,MG,PT,XA&offset=2990&limit=20',
    );
    expect(results).toHaveLength(10);
  });

  it('is refused where it has to be ordered', async () => {
    const { status } = await slow.search(
      'searchForStudies',
      {},
      'StudyDescription=*no&orderby=-StudyID',
    );
    expect(status).toBe(400);
  });
});
