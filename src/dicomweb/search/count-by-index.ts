/**
 * Counts the results of a search by the keys of one index, a thousand with a call: where the rows of an index say
 * all that the search asks for, nothing but studies that are just being written has to be read.
 */
import { vrOf } from '../../dicom/dictionary.js';
import type { StudyInstanceUID } from '../../dicom/uid.js';
import { chunksOfSize } from '../../group-by.js';
import { decodeValue } from '../../storage/archive/keys.js';
import { tableLimits } from '../../storage/table-store.js';
import type { Total } from './count-matches.js';
import { isPlain } from './match/text-matching.js';
import type { Search, SearchRoute } from './parse-search.js';
import { usableIndexes, type ChosenIndex } from './walk/choose-index.js';
import { seriesElement } from './walk/computed.js';
import { Effort } from './walk/effort.js';
import { studyPasses } from './walk/find-studies.js';
import { walkIndex, type SearchContext } from './walk/walk.js';

/** Index rows that are counted at most. */
export const mostCountedRows = 100_000;
/** Studies that are just being written, and are read for that, at most. */
const mostRead = 500;
/** Of them at the same time. */
const atOnce = 100;

type CountContext = Omit<SearchContext, 'effort'>;

/** The index whose rows say all that a search asks for; `undefined` where there is none. */
function decidingIndex({ level }: SearchRoute, { predicates }: Search): ChosenIndex | undefined {
  const [only] = predicates;
  if (only === undefined || predicates.length > 1 || level === 'instance') return undefined;
  if (only.key.level !== level || only.key.queryTag !== undefined || only.isDecided !== true) {
    return undefined;
  }
  const index = usableIndexes(predicates, level)[0];
  return index?.sought.every(({ kind }) => kind !== 'part') === true ? index : undefined;
}

/** Whether a value in a key is one of those that compare as they are indexed. */
function isTelling({ attribute: { tag } }: ChosenIndex, value: string): boolean {
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
  const doubts = await archive.doubts();
  // What has several of the sought values counts once.
  const found = new Map<string, StudyInstanceUID>();
  const unlike = new Set<StudyInstanceUID>();
  let [rows, isWhole] = [0, true];
  const hits = walkIndex({ ...context, effort: new Effort() }, index, tableLimits.pageRows, {});
  for await (const { uids, values, last } of hits) {
    if (!values.every((value) => isTelling(index, value))) unlike.add(uids.study);
    found.set(`${uids.study}|${uids.series ?? ''}`, uids.study);
    isWhole = last || ++rows < mostCountedRows;
    if (!isWhole) break;
  }
  const inDoubt = await doubts.studies(context.partition);
  if (inDoubt === undefined) return undefined;
  const isSure = (study: StudyInstanceUID) => !inDoubt.has(study) && !unlike.has(study);
  const doubtful = [...new Set(found.values())].filter((study) => !isSure(study));
  if (doubtful.length > mostRead) return undefined;
  const sure = [...found.values()].filter(isSure).length;
  return { count: sure + (await countIn(context, route, search, doubtful)), isExact: isWhole };
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
