/**
 * Which version of instances is retrieved: the newest, or by the header `msdicom-request-original` of the Microsoft
 * server the one before the first bulk update.
 */
import type { InstanceUids, SeriesInstanceUID, StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { InstancePaging, InstanceRow } from '../../storage/archive/catalog.js';
import type { RequestContext } from '../route.js';

export const originalHeader = 'msdicom-request-original';

type Context = Pick<RequestContext, 'services' | 'partition' | 'request'>;

/** @throws ServiceError `invalid-header` for a value that is neither `true` nor `false`. */
export function asksForOriginals({ request }: Pick<Context, 'request'>): boolean {
  const value = request.headers.get(originalHeader)?.trim().toLowerCase() ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  throw new ServiceError('invalid-header', `The header ${originalHeader} must be true or false.`, {
    parameter: originalHeader,
  });
}

/**
 * The row of an instance in the version that is asked for.
 *
 * @param select - properties to read; all when left out.
 * @throws ServiceError `invalid-header`.
 */
export async function requestedInstance(
  context: Context,
  uids: InstanceUids,
  select?: readonly string[],
): Promise<InstanceRow | undefined> {
  const { services, partition } = context;
  const { catalog, originals } = services.archive;
  const reader = asksForOriginals(context) ? originals : catalog;
  return await reader.instance(partition, uids, select);
}

/**
 * Pages of the rows of a study or series in the version that is asked for.
 *
 * @throws ServiceError `invalid-header`.
 */
export function requestedInstances(
  context: Context,
  study: StudyInstanceUID,
  series: SeriesInstanceUID | undefined,
  select: readonly string[] | 'all',
  paging: InstancePaging = {},
): AsyncIterable<readonly InstanceRow[]> {
  const { services, partition } = context;
  const { catalog, originals } = services.archive;
  const pages = catalog.instances(partition, study, series, select, paging);
  return asksForOriginals(context) ? originals.of(partition, study, pages, select) : pages;
}
