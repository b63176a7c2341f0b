/** How the studies that index rows point at are read: one by one, or as a stretch of the study list. */
import { attribute } from '../../../dicom/attribute.js';
import { browseRowKey } from '../../../storage/archive/keys.js';
import type { StudyRecord } from '../../../storage/archive/records.js';
import { tableLimits } from '../../../storage/table-store.js';
import type { ChosenIndex } from './choose-index.js';
import type { OrderedHit, SearchContext } from './walk.js';

/** The study of each hit; `undefined` where it is gone. */
export type ReadStudies = (
  hits: readonly OrderedHit[],
) => Promise<readonly (StudyRecord | undefined)[]>;

/** Indexes in whose order studies were stored, more or less. */
const followTime: ReadonlySet<string> = new Set([attribute('StudyDate')]);

/** Copies that are read for each hit of a round at most, and of how many at least one has to be of use. */
const copiesPerHit = 4;

/**
 * How a search reads the studies of its hits. Of many studies that were stored about the same time, the
 * covering copies in the study list are read, many with one call.
 */
export function studyReader(
  context: SearchContext,
  { attribute: { tag } }: ChosenIndex,
): ReadStudies {
  return followTime.has(tag) ? byTime(context) : oneByOne(context);
}

function oneByOne({ services, partition }: SearchContext): ReadStudies {
  const { catalog } = services.archive;
  return async (hits) => {
    // The words of a value lead to one study several times.
    const studies = new Map(
      [...new Set(hits.map(({ uids }) => uids.study))].map(
        (uid) => [uid, catalog.study(partition, uid)] as const,
      ),
    );
    return await Promise.all(hits.map(async ({ uids }) => await studies.get(uids.study)));
  };
}

function byTime(context: SearchContext): ReadStudies {
  const { services, partition, effort } = context;
  const readOneByOne = oneByOne(context);
  // An archive that was filled in another order than that of the dates has few of them side by side.
  let isOrdered = true;
  return async (hits) => {
    if (!isOrdered || hits.length === 1) return await readOneByOne(hits);
    const made = hits.map(({ created }) => created).sort();
    const [oldest, newest] = [made.at(0), made.at(-1)];
    if (oldest === undefined || newest === undefined) return [];
    effort.onPage();
    const limit = Math.min(hits.length * copiesPerHit, tableLimits.pageRows);
    const copies = await services.archive.browse.between(partition, [oldest, newest], limit);
    const known = new Map(
      copies.filter(({ unsure }) => !unsure).map(({ rowKey, record }) => [rowKey, record] as const),
    );
    const copyOf = ({ created, uids }: OrderedHit) => known.get(browseRowKey(created, uids.study));
    const left = hits.filter((hit) => copyOf(hit) === undefined);
    isOrdered = (hits.length - left.length) * copiesPerHit >= copies.length;
    const rows = await readOneByOne(left);
    const others = new Map(left.map((hit, position) => [hit, rows[position]] as const));
    return hits.map((hit) => copyOf(hit) ?? others.get(hit));
  };
}
