/** Holds the search against the naive scan, for one random case. */
import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import { normalisedValues } from '../../../../src/dicom/normalise.js';
import { encodeValue } from '../../../../src/storage/archive/keys.js';
import { MemoryTableStore } from '../../../../src/storage/memory/memory-table-store.js';
import { ArchiveUnderTest } from './archive-under-test.js';
import { groupBy } from '../../../../src/group-by.js';
import { Refused, trim } from './naive-matching.js';
import {
  elementsOf,
  naivePatients,
  naiveSearch,
  nameIn,
  replay,
  textIn,
  type NaiveResult,
} from './naive-search.js';
import type { Case, Order, PatientQuery, RandomQuery } from './random-archive.js';

const shownFacts = {
  study: ['0020000D', '00080061', '00080062', '00083002', '00201206', '00201208', '00100020'],
  series: ['0020000D', '0020000E', '00080016', '00083002', '00201209'],
  instance: ['0020000D', '0020000E', '00080018', '00080016', '00083002', '00200013'],
} as const;

type Level = keyof typeof shownFacts;

/** What one result says, spelled so that it can be compared and sorted. */
function spell(facts: Readonly<Record<string, unknown>>, level: Level): string {
  return JSON.stringify(shownFacts[level].map((tag) => facts[tag] ?? ''));
}

function spellResult(result: DataSet, level: Level): string {
  const elements = elementsOf(result);
  const entries = shownFacts[level].map((tag) => {
    const values = elements[tag]?.Value ?? [];
    return [tag, values.length > 1 ? (values as string[]).join() : values[0]] as const;
  });
  return spell(Object.fromEntries(entries), level);
}

function orRefused<Result>(search: () => Result): Result | undefined {
  try {
    return search();
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}

function expected(studies: ReturnType<typeof replay>, { naive }: RandomQuery) {
  return orRefused(() => naiveSearch(studies, naive));
}

/** Studies come newest first unless a range, a beginning or a part of values is walked. */
function isNewestFirst({ naive: { keys, rules }, orders }: RandomQuery): boolean {
  const isPart = keys.some(({ vr }) => vr === 'PN') && rules.fuzzy !== 'off';
  return orders.length === 0 && !isPart && !keys.some(({ text }) => /[-*?]/.test(text));
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
      const uid = elementsOf(result)['0020000D']?.Value?.[0];
      return made.get(uid as string);
    });
    if (level === 'study')
      deepStrictEqual(
        order,
        order.toSorted((a = 0, b = 0) => b - a),
      );
  }
  if (level === 'instance') checkInstanceOrder(whole.results, query);
  deepStrictEqual(await asker.pages('link'), found);
  deepStrictEqual(await asker.pages('offset'), found);
  const counted = await asker.ask(`limit=${String(query.pageSize)}&includetotal=true`);
  strictEqual(counted.total, String(wanted.length));
  await checkSingle(archive, studies, query);
  await checkOrder(asker, query, wanted);
}

/** The total of one key alone, which the keys of its index may tell. */
async function checkSingle(
  archive: ArchiveUnderTest,
  studies: ReturnType<typeof replay>,
  { route, params, version, naive, single }: RandomQuery,
): Promise<void> {
  const wanted = orRefused(() => naiveSearch(studies, { ...naive, keys: single.keys }));
  if (wanted === undefined) return;
  const counted = `${single.query}&limit=1&includetotal=true`;
  const { total } = await archive.search(route, params, counted, version);
  strictEqual(total, String(wanted.length));
}

/** Within a series instances come by their numbers, then by their UIDs, unless an index finds them by UID. */
function checkInstanceOrder(results: readonly DataSet[], { naive: { keys, study } }: RandomQuery) {
  if (study === undefined && keys.some(({ path }) => path.join() === '00080018')) return;
  const bySeries = groupBy(results, (result) => elementsOf(result)['0020000E']?.Value?.[0]);
  for (const instances of bySeries.values()) {
    const order = instances.map((one) => {
      const valueOf = (tag: string) => textIn(elementsOf(one)[tag]);
      return `${valueOf('00200013').padStart(3)} ${valueOf('00080018')}`;
    });
    deepStrictEqual(order, order.toSorted());
  }
}

/** By what a result is ordered, spelled so that texts compare. */
function sortKeyOf(result: DataSet, { attribute, descending }: Order): string | undefined {
  const { tag, vr } = attribute;
  const texts = normalisedValues(elementsOf(result)[tag]).map((text) => {
    if (vr === 'IS' || vr === 'DS') return Number(text).toFixed(4).padStart(12, '0');
    return vr === 'DA' ? text : encodeValue(text);
  });
  texts.sort();
  // Of two values that begin alike the longer comes first, ascending as well.
  const end = descending || vr === 'DA' ? '' : '|';
  const one = descending ? texts.at(-1) : texts[0];
  return one === undefined ? undefined : one + end;
}

/** Whether one result may come before another. */
function isInOrder(a: DataSet, b: DataSet, orders: readonly Order[]): boolean {
  for (const order of orders) {
    const [first, second] = [sortKeyOf(a, order), sortKeyOf(b, order)];
    if (first === second) continue;
    if (first === undefined || second === undefined) return second === undefined;
    return first < second !== order.descending;
  }
  return true;
}

/** `orderby` shows the same results in the order of their values, those without one last. */
async function checkOrder(
  asker: Asker,
  { orders, naive: { level } }: RandomQuery,
  wanted: readonly NaiveResult[],
): Promise<void> {
  if (orders.length === 0) return;
  const names = orders.map(({ attribute, descending }) => {
    return (descending ? '-' : '') + attribute.keyword;
  });
  const fields = orders.map(({ attribute }) => attribute.tag);
  const orderBy = `orderby=${names.join()}`;
  const { results } = await asker.ask(`limit=200&${orderBy}&includefield=${fields.join()}`);
  const found = results.map((result) => spellResult(result, level));
  deepStrictEqual([...found].sort(), wanted.map(({ facts }) => spell(facts, level)).sort());
  for (const [position, result] of results.entries()) {
    const next = results[position + 1];
    if (next !== undefined) ok(isInOrder(result, next, orders), JSON.stringify([orders, results]));
  }
  deepStrictEqual(await asker.orderedPages(orderBy), found);
}

function spellPatient(patient: DataSet): string {
  const elements = elementsOf(patient);
  const id = trim(textIn(elements['00100020']));
  const counts = ['00201200', '00201202', '00201204'].map((tag) => elements[tag]?.Value?.[0]);
  return JSON.stringify([id, counts]);
}

/** Patients: whole, by pages, and who they are. */
async function checkPatients(
  archive: ArchiveUnderTest,
  studies: ReturnType<typeof replay>,
  { query, version, naive, pageSize }: PatientQuery,
): Promise<void> {
  const wanted = orRefused(() => naivePatients(studies, naive));
  const ask = async (more: string) =>
    await archive.search('searchForPatients', {}, `${query}&${more}`, version);
  const whole = await ask('limit=200');
  if (wanted === undefined) {
    strictEqual(whole.status, 400);
    return;
  }
  const found = whole.results.map(spellPatient);
  const expected = wanted.map(({ id, counts }) => JSON.stringify([id, counts]));
  deepStrictEqual([...found].sort(), expected.sort());
  for (const result of whole.results) {
    const elements = elementsOf(result);
    const id = trim(textIn(elements['00100020']));
    const patient = wanted.find((one) => one.id === id);
    ok(patient?.names.includes(nameIn(elements['00100010'])));
  }
  const pages: string[] = [];
  let answer = await ask(`limit=${String(pageSize)}`);
  for (;;) {
    pages.push(...answer.results.map(spellPatient));
    if (answer.next !== undefined) {
      answer = await archive.search('searchForPatients', {}, answer.next, version);
    } else if (/additional results/.test(answer.warning ?? '')) {
      answer = await ask(`limit=${String(pageSize)}&offset=${String(pages.length)}`);
    } else break;
  }
  deepStrictEqual(pages, found);
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
export async function checkCase({
  history,
  queries,
  patients,
  meanwhile,
  seed,
}: Case): Promise<void> {
  const options = seed === undefined ? {} : { shortPagesSeed: seed };
  const archive = new ArchiveUnderTest(new MemoryTableStore(options));
  for (const deeds of history) await archive.perform(deeds);
  const studies = replay(await archive.changes());
  for (const query of queries) await checkQuery(archive, studies, query);
  await checkPatients(archive, studies, patients);
  const last = queries.at(-1);
  if (last !== undefined) await checkMeanwhile(archive, last, meanwhile);
}
