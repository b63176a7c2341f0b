/**
 * Counts the results of a search by the keys of one index, a thousand with a call: where the rows of an index say
 * all that the search asks for, nothing but studies that are just being written has to be read.
 */
import { vrOf } from '../../dicom/dictionary.js';
import type { StudyInstanceUID } from '../../dicom/uid.js';
import { chunksOfSize } from '../../group-by.js';
import type { IndexedAttribute } from '../../storage/archive/index/attributes.js';
import type { SoughtRange, SoughtValues } from '../../storage/archive/index/search-index.js';
import { decodeValue, parseIndexRowKey } from '../../storage/archive/keys.js';
import type { Total } from './count-matches.js';
import { isPlain } from './match/text-matching.js';
import type { Search, SearchRoute } from './parse-search.js';
import { Tally } from './tally.js';
import { usableIndexes } from './walk/choose-index.js';
import { seriesElement } from './walk/computed.js';
import { studyPasses } from './walk/find-studies.js';
import type { SearchContext } from './walk/walk.js';

/** Index rows that are counted at most. */
export const mostCountedRows = 1_000_000;
/** Studies that are just being written, and are read for that, at most. */
const mostRead = 500;
/** Of them at the same time. */
const atOnce = 100;

type CountContext = Omit<SearchContext, 'effort'>;

/** The index whose rows say all that a search asks for, and which of them; `undefined` where there is none. */
function decidingIndex({ level }: SearchRoute, { predicates }: Search) {
  const [only] = predicates;
  if (only === undefined || predicates.length > 1 || level === 'instance') return undefined;
  if (only.key.level !== level || only.key.queryTag !== undefined || only.isDecided !== true) {
    return undefined;
  }
  const index = usableIndexes(predicates, level)[0];
  const sought = index?.sought.filter(isRange) ?? [];
  if (index === undefined || sought.length < index.sought.length) return undefined;
  return { attribute: index.attribute, sought };
}

function isRange(sought: SoughtValues): sought is SoughtRange {
  return sought.kind !== 'part' && sought.kind !== 'reverse';
}

/** Whether a value in a key is one of those that compare as they are indexed. */
function isTelling({ tag }: IndexedAttribute, value: string): boolean {
  return vrOf(tag) === 'DA' ? /^\d{8}$/.test(value) : isPlain(decodeValue(value));
}

/**
 * The total of a search with one key, of a whole archive.
 *
 * @returns `undefined` where keys of an index do not tell it.
 */
export async function countByIndex(
  context: CountContext,
  route: SearchRoute,
  search: Search,
): Promise<Total | undefined> {
  const index = decidingIndex(route, search);
  if (index === undefined) return undefined;
  const { archive } = context.services;
  const { partition, signal } = context;
  const doubts = await archive.doubts();
  const tally = new Tally();
  const unlike = new Set<StudyInstanceUID>();
  let [rows, isWhole] = [0, true];
  for await (const keys of archive.index.keys(partition, index.attribute, index.sought, signal)) {
    isWhole = rows < mostCountedRows;
    if (!isWhole) break;
    rows += keys.length;
    let telling: string | undefined;
    for (const key of keys) {
      const { value, uids } = parseIndexRowKey(key);
      const isUnlike = value !== telling && !isTelling(index.attribute, value);
      if (isUnlike) unlike.add(uids.study);
      else telling = value;
      tally.add(uids.study, `${uids.study}|${uids.series ?? ''}`);
    }
    if (unlike.size > mostRead) return undefined;
  }
  const inDoubt = await doubts.studies(partition);
  if (inDoubt === undefined) return undefined;
  const { count, met } = tally.without([...inDoubt, ...unlike]);
  if (met.length > mostRead) return undefined;
  return { count: count + (await countIn(context, route, search, met)), isExact: isWhole };
}

/** How many results are in some studies, by their rows. */
async function countIn(
  { services, partition }: CountContext,
  { level }: SearchRoute,
  { predicates }: Search,
  studies: readonly StudyInstanceUID[],
): Promise<number> {
  const { catalog } = services.archive;
  let count = 0;
  for (const some of chunksOfSize(studies, atOnce)) {
    const counts = await Promise.all(
      some.map(async (uid) => {
        const { study, series } = await catalog.state(partition, uid);
        if (study === undefined) return 0;
        if (level === 'study') return Number(studyPasses(predicates, study.record));
        return [...series.values()].filter(({ record }) =>
          predicates.every(({ matches }) => matches((tag) => seriesElement(record, tag))),
        ).length;
      }),
    );
    count += counts.reduce((sum, one) => sum + one, 0);
  }
  return count;
}
