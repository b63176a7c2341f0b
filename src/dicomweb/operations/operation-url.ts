/** Where the state of long work is read, and the answer that says so. */
import { jsonReply, type Reply } from '../../http/reply.js';
import type { JobId } from '../../jobs/job.js';
import type { RequestContext } from '../route.js';

/** Operations are in no partition. */
export function operationUrl({ baseUrl }: Pick<RequestContext, 'baseUrl'>, id: JobId): string {
  return `${baseUrl.replace(/\/partitions\/[^/]*$/, '')}/operations/${id}`;
}

/** 202: the work has begun. */
export function startedOperation(context: RequestContext, id: JobId): Reply {
  const href = operationUrl(context, id);
  return jsonReply(
    { id, href },
    { status: 202, headers: { Location: href, 'Cache-Control': 'no-store' } },
  );
}
