/** Holds the search against the naive scan, for one random case. */
import { deepStrictEqual, strictEqual } from 'node:assert/strict';
import type { DataSet, Element } from '../../../../src/dicom/data-set.js';
import { normalisedValues } from '../../../../src/dicom/normalise.js';
import { encodeValue } from '../../../../src/storage/archive/keys.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { ArchiveUnderTest } from './archive-under-test.js';
import { Refused } from './naive-matching.js';
import { naiveSearch, replay, type NaiveResult } from './naive-search.js';
import type { Case, RandomQuery } from './random-archive.js';

const shownFacts = {
  study: ['0020000D', '00080061', '00201206', '00201208', '00100020'],
  series: ['0020000D', '0020000E', '00201209'],
  instance: ['0020000D', '0020000E', '00080018'],
} as const;

type Level = keyof typeof shownFacts;

/** What one result says, spelled so that it can be compared and sorted. */
function spell(facts: Readonly<Record<string, unknown>>, level: Level): string {
  return JSON.stringify(shownFacts[level].map((tag) => facts[tag] ?? ''));
}

function spellResult(result: DataSet, level: Level): string {
  const elements = result as Readonly<Record<string, Element | undefined>>;
  const entries = shownFacts[level].map((tag) => {
    const values = elements[tag]?.Value ?? [];
    return [tag, values.length > 1 ? (values as string[]).join() : values[0]] as const;
  });
  return spell(Object.fromEntries(entries), level);
}

function expected(studies: ReturnType<typeof replay>, { naive }: RandomQuery) {
  try {
    return naiveSearch(studies, naive);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

/** Studies come newest first unless a range, a beginning or a part of values is walked. */
function isNewestFirst({ naive: { keys, rules }, orderBy }: RandomQuery): boolean {
  const isPart = keys.some(({ vr }) => vr === 'PN') && rules.fuzzy !== 'off';
  return orderBy === undefined && !isPart && !keys.some(({ text }) => /[-*?]/.test(text));
}

class Asker {
  readonly #archive: ArchiveUnderTest;
  readonly #query: RandomQuery;

  constructor(archive: ArchiveUnderTest, query: RandomQuery) {
    this.#archive = archive;
    this.#query = query;
  }

  async ask(more: string) {
    const { route, params, query, version, naive } = this.#query;
    const fields = shownFacts[naive.level].join();
    const asked = `${query}&includefield=${fields}&${more}`;
    return await this.#archive.search(route, params, asked, version);
  }

  /** All pages in an order, by link where there is one, else by offset. */
  async orderedPages(order: string): Promise<string[]> {
    const { route, params, version, naive, pageSize } = this.#query;
    const found: string[] = [];
    let answer = await this.ask(`${order}&limit=${String(pageSize)}`);
    for (;;) {
      found.push(...answer.results.map((result) => spellResult(result, naive.level)));
      if (answer.next !== undefined) {
        answer = await this.#archive.search(route, params, answer.next, version);
      } else if (/additional results/.test(answer.warning ?? '')) {
        const offset = String(found.length);
        answer = await this.ask(`${order}&limit=${String(pageSize)}&offset=${offset}`);
      } else return found;
    }
  }

  /** All pages, by link or by offset. */
  async pages(by: 'link' | 'offset', between?: (page: number) => Promise<void>): Promise<string[]> {
    const { route, params, version, naive, pageSize } = this.#query;
    const found: string[] = [];
    let answer = await this.ask(`limit=${String(pageSize)}`);
    for (let page = 0; ; page++) {
      const isCut = /additional results|cut short/.test(answer.warning ?? '');
      strictEqual(isCut, answer.next !== undefined);
      strictEqual(answer.warning?.includes('nonsense') === true, version === undefined);
      found.push(...answer.results.map((result) => spellResult(result, naive.level)));
      await between?.(page);
      if (by === 'link') {
        if (answer.next === undefined) return found;
        answer = await this.#archive.search(route, params, answer.next, version);
      } else {
        if (answer.results.length < pageSize) return found;
        answer = await this.ask(`limit=${String(pageSize)}&offset=${String(found.length)}`);
      }
    }
  }
}

async function checkQuery(
  archive: ArchiveUnderTest,
  studies: ReturnType<typeof replay>,
  query: RandomQuery,
): Promise<void> {
  const wanted = expected(studies, query);
  const { level } = query.naive;
  const asker = new Asker(archive, query);
  const whole = await asker.ask('limit=200');
  if (wanted === undefined) {
    strictEqual(whole.status, 400);
    return;
  }
  strictEqual(whole.status, wanted.length === 0 && query.version === 'v2' ? 204 : 200);
  const found = whole.results.map((result) => spellResult(result, level));
  const scanned = wanted.map(({ facts }) => spell(facts, level));
  deepStrictEqual([...found].sort(), [...scanned].sort());
  if (isNewestFirst(query)) {
    const made = new Map(studies.map((study) => [study.uid, study.made]));
    const order = whole.results.map((result) => {
      const uid = (result as Readonly<Record<string, Element>>)['0020000D']?.Value?.[0];
      return made.get(uid as string);
    });
    if (level === 'study')
      deepStrictEqual(
        order,
        order.toSorted((a = 0, b = 0) => b - a),
      );
  }
  deepStrictEqual(await asker.pages('link'), found);
  deepStrictEqual(await asker.pages('offset'), found);
  const counted = await asker.ask(`limit=${String(query.pageSize)}&includetotal=true`);
  strictEqual(counted.total, String(wanted.length));
  await checkOrder(asker, query, wanted);
}

/** `orderby` shows the same results in the order of their values, those without one last. */
async function checkOrder(
  asker: Asker,
  { orderBy, naive: { level } }: RandomQuery,
  wanted: readonly NaiveResult[],
): Promise<void> {
  if (orderBy === undefined) return;
  const { attribute, descending } = orderBy;
  const sign = descending ? '-' : '';
  const more = `limit=200&orderby=${sign}${attribute.keyword}&includefield=${attribute.tag}`;
  const { results } = await asker.ask(more);
  const found = results.map((result) => spellResult(result, level));
  deepStrictEqual([...found].sort(), wanted.map(({ facts }) => spell(facts, level)).sort());
  const values = results.map((result) => {
    const element = (result as Readonly<Record<string, Element | undefined>>)[attribute.tag];
    const all = normalisedValues(element)
      .map((text) => (attribute.vr === 'DA' ? text : encodeValue(text)))
      .sort();
    return descending ? all.at(-1) : all[0];
  });
  const some = values.filter((value) => value !== undefined).sort();
  if (descending) some.reverse();
  // Of two values that begin alike the longer comes first, ascending as well.
  else some.sort((a, b) => (`${a}|` < `${b}|` ? -1 : 1));
  const none = values.filter((value) => value === undefined);
  deepStrictEqual(values, [...some, ...none]);
  deepStrictEqual(await asker.orderedPages(`orderby=${sign}${attribute.keyword}`), found);
}

/** While others store and delete, pages show what does not change once each. */
async function checkMeanwhile(
  archive: ArchiveUnderTest,
  query: RandomQuery,
  meanwhile: Case['meanwhile'],
): Promise<void> {
  const before = await archive.changes();
  const wanted = expected(replay(before), query);
  if (wanted === undefined) return;
  const found = await new Asker(archive, query).pages('link', async (page) => {
    await archive.perform(meanwhile[page] ?? []);
  });
  const after = replay(await archive.changes());
  const untouched = new Set(
    after.filter(({ touched }) => touched < before.length).map(({ uid }) => uid),
  );
  const { level } = query.naive;
  const still = wanted.filter(({ study }) => untouched.has(study.uid));
  const shown = found.filter((one) => untouched.has((JSON.parse(one) as string[])[0] ?? ''));
  deepStrictEqual(shown.sort(), still.map(({ facts }) => spell(facts, level)).sort());
}

/** @throws AssertionError where the search and the scan differ. */
export async function checkCase({ history, queries, meanwhile, seed }: Case): Promise<void> {
  const options = seed === undefined ? {} : { shortPagesSeed: seed };
  const archive = new ArchiveUnderTest(new MemoryTableStore(options));
  for (const deeds of history) await archive.perform(deeds);
  const studies = replay(await archive.changes());
  for (const query of queries) await checkQuery(archive, studies, query);
  const last = queries.at(-1);
  if (last !== undefined) await checkMeanwhile(archive, last, meanwhile);
}
