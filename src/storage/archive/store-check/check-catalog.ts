/** The first pass: every study of the catalog, with its index rows and blobs. */
import type { CheckContext } from './check-context.js';
import type { Finding } from './finding.js';
import { judgeBlobs } from './judge-blobs.js';
import { judgeBrowseRow, judgeIndexRows } from './judge-index.js';
import { judgeRows } from './judge-rows.js';
import { isUnchanged, readStudy, studiesOf, type CheckedStudy } from './checked-study.js';

/** A study that changes under every look is left to the next check. */
const mostLooks = 5;

async function judge(context: CheckContext, rows: CheckedStudy): Promise<readonly Finding[]> {
  const amiss = judgeRows(rows);
  const found = [
    ...amiss,
    ...(await judgeIndexRows(context, rows)),
    // A study row that is wrong differs from its copy for that reason; mending it renews the copy.
    ...(amiss.length > 0 ? [] : await judgeBrowseRow(context, rows)),
  ];
  // A row that cannot be read may name any blob.
  return rows.unreadable.length > 0 ? found : [...found, ...(await judgeBlobs(context, rows))];
}

/** Looks again, until nobody has changed the study from the first row read to the last blob listed. */
async function judgeAgain(
  context: CheckContext,
  { partition, study }: CheckedStudy,
): Promise<readonly Finding[]> {
  for (let look = 0; look < mostLooks; look++) {
    const rows = await readStudy(context.tables, partition, study);
    const found = await judge(context, rows);
    if (await isUnchanged(context.tables, rows)) return found;
  }
  return [];
}

/**
 * What is amiss in the studies of the catalog.
 *
 * @param onStudy - told of each.
 */
export async function* checkCatalog(
  context: CheckContext,
  onStudy: (rows: CheckedStudy) => void,
): AsyncGenerator<Finding> {
  let done = 0;
  for await (const rows of studiesOf(context.tables)) {
    // The rows of the pass may be of several moments: they only raise suspicions.
    const suspicions = await judge(context, rows);
    if (suspicions.length > 0) yield* await judgeAgain(context, rows);
    onStudy(rows);
    context.progress('catalog', (done += 1));
  }
}
