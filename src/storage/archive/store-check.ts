/**
 * The check of a whole store: what the tables and containers hold is compared with what the catalog
 * says, study by study. It may run beside live traffic: what is being written is left alone.
 */
import { checkBlobs } from './store-check/check-blobs.js';
import { checkCatalog } from './store-check/check-catalog.js';
import { contextOf, type CheckOptions, type Stores } from './store-check/check-context.js';
import { checkIndex } from './store-check/check-index.js';
import { checkLog } from './store-check/check-log.js';
import { Census } from './store-check/check-totals.js';
import type { Finding } from './store-check/finding.js';

/**
 * Looks at every row and every blob and yields what is amiss, as it is met. What is mended meanwhile
 * is not found again by later passes. Memory holds the rows and the names of the blobs of one study,
 * without data sets.
 *
 * Calls: a thousandth per row and two list pages per study, and one point read per index row each way.
 *
 * @throws ServiceError `storage-unavailable`.
 */
export async function* checkStore(
  stores: Stores,
  options: CheckOptions = {},
): AsyncGenerator<Finding, void, undefined> {
  const context = contextOf(stores, options);
  const census = await Census.begin(context);
  yield* checkCatalog(context, (rows) => census.count(rows));
  yield* checkIndex(context);
  yield* checkBlobs(context);
  yield* checkLog(context);
  yield* census.findings(context);
}
