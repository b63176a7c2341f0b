/** Which of many instances are there: a page or two for each series rather than a call for each. */
import type { InstanceUids, SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { groupBy } from '../../../group-by.js';
import { rowPages } from '../../row-pages.js';
import type { TableStore } from '../../table-store.js';
import { instanceRow, type Catalog, type InstanceRow } from '../catalog.js';
import { afterRow, instanceRowKey, instanceRows, type Partition } from '../keys.js';
import { instanceProperties } from '../records.js';

type Wanted = Omit<InstanceUids, 'study'>;

export interface PresentParts {
  readonly tables: TableStore;
  readonly catalog: Catalog;
}

/** Pages of a series that are read rather than asking for every row by itself. */
const mostPages = 2;

/**
 * The rows of some instances that are there, without their data sets: a page or two for each series,
 * and point reads for what they do not reach.
 *
 * @param isHint - whether what the first page of a series does not reach may count as not there.
 */
export async function presentInstances(
  parts: PresentParts,
  partition: Partition,
  study: StudyInstanceUID,
  wanted: Iterable<Wanted>,
  isHint: boolean,
): Promise<readonly InstanceRow[]> {
  const series = [...groupBy(wanted, (uids) => uids.series)];
  const found = await Promise.all(
    series.map(async ([uid, some]) =>
      some.length === 1
        ? await pointReads(parts, partition, study, some)
        : await presentInSeries(parts, partition, study, uid, some, isHint),
    ),
  );
  return found.flat();
}

async function pointReads(
  { catalog }: PresentParts,
  partition: Partition,
  study: StudyInstanceUID,
  wanted: readonly Wanted[],
): Promise<readonly InstanceRow[]> {
  const rows = await Promise.all(
    wanted.map(
      async (uids) => await catalog.instance(partition, { study, ...uids }, instanceProperties),
    ),
  );
  return rows.filter((row) => row !== undefined);
}

async function presentInSeries(
  parts: PresentParts,
  partition: Partition,
  study: StudyInstanceUID,
  series: SeriesInstanceUID,
  wanted: readonly Wanted[],
  isHint: boolean,
): Promise<readonly InstanceRow[]> {
  const sought = new Map(wanted.map((uids) => [instanceRowKey(uids), uids]));
  const keys = [...sought.keys()].sort();
  const range = {
    ...instanceRows(partition, study, series),
    from: keys[0] ?? '',
    to: afterRow(keys.at(-1) ?? ''),
  };
  const found: InstanceRow[] = [];
  let pages = 0;
  const options = { select: instanceProperties };
  for await (const { rows, isLast } of rowPages(parts.tables, 'catalog', range, options)) {
    for (const entity of rows) {
      if (sought.has(entity.rowKey)) found.push(instanceRow(study, entity));
    }
    const reached = rows.at(-1)?.rowKey ?? '';
    pages += 1;
    if (isLast || pages < (isHint ? 1 : mostPages)) continue;
    if (isHint) break;
    const left = [...sought].filter(([key]) => key > reached).map(([, uids]) => uids);
    return [...found, ...(await pointReads(parts, partition, study, left))];
  }
  return found;
}
