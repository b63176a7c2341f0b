/** The layout of an archive: what its keys and rows mean, as a number in a row of its own. */
import { ServiceError } from '../../errors.js';
import type { TableStore } from '../table-store.js';
import { logHeadPartition, logLayoutKey } from './keys.js';
import { growLog } from './log/log-tail.js';

/** The layout that this code reads and writes. The first had one log of numbered entries, and no row. */
export const archiveLayout = 2;

/** Makes an empty store an archive of our layout; answers the layout of one that is not empty. */
async function layoutOf(tables: TableStore): Promise<number> {
  const row = await tables.get('log', logHeadPartition, logLayoutKey);
  if (row !== undefined) return Number(row.properties['layout']);
  const { entities } = await tables.scan('catalog', { limit: 1, select: [] });
  if (entities.length > 0) return 1;
  await tables.transact('log', logHeadPartition, [
    { kind: 'insert', rowKey: logLayoutKey, properties: { layout: archiveLayout } },
  ]);
  return await layoutOf(tables);
}

/**
 * Makes sure that a store is an archive of our layout, whose log has as many shards as are wanted, or
 * more. An empty store becomes one.
 *
 * @throws ServiceError `layout-unsupported`, `storage-unavailable`.
 */
export async function prepareArchive(tables: TableStore, shards: number): Promise<void> {
  const layout = await layoutOf(tables);
  if (layout !== archiveLayout) {
    throw new ServiceError(
      'layout-unsupported',
      `The archive has layout ${layout}; this version of the service reads and writes layout ${archiveLayout}. Start the version that wrote it, retrieve its studies, and store them in an empty storage account or data directory.`,
    );
  }
  await growLog(tables, shards);
}
