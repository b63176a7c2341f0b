/** DELETE of a study, a series or an instance. */
import { ServiceError, type ErrorCode } from '../../errors.js';
import { instanceOf, seriesOf, studyOf } from '../path-uids.js';
import { ProgressDeadline } from '../progress-deadline.js';
import type { RequestContext } from '../route.js';
import type { DeleteScope } from '../../storage/archive/commit/delete-commit.js';
import type { StudyInstanceUID } from '../../dicom/uid.js';
import { reply, type Reply } from '../../http/reply.js';

async function deleteScope(
  { services, partition }: RequestContext,
  study: StudyInstanceUID,
  scope: DeleteScope,
  absent: { readonly code: ErrorCode; readonly what: string },
): Promise<Reply> {
  const deadline = new ProgressDeadline();
  deadline.start();
  const deleting = services.archive.delete(partition, study, scope, {
    onProgress: () => deadline.extend(),
    givenUp: deadline.missed,
  });
  const instances = await deadline.outcomeOf(deleting).finally(() => deadline.clear());
  if (instances === 0) throw new ServiceError(absent.code, `The ${absent.what} is not there.`);
  return reply(null, { status: 204 });
}

/** `DELETE studies/{study}`: 204, or 404 when there is no such study. */
export async function deleteStudy(context: RequestContext): Promise<Reply> {
  const { study } = studyOf(context.params);
  return await deleteScope(context, study, {}, { code: 'study-not-found', what: 'study' });
}

/** `DELETE studies/{study}/series/{series}`: 204, or 404 when there is no such series. */
export async function deleteSeries(context: RequestContext): Promise<Reply> {
  const { study, series } = seriesOf(context.params);
  const absent = { code: 'series-not-found', what: 'series' } as const;
  return await deleteScope(context, study, { series }, absent);
}

/** `DELETE studies/{study}/series/{series}/instances/{instance}`: 204, or 404 when there is none. */
export async function deleteInstance(context: RequestContext): Promise<Reply> {
  const { study, series, instance } = instanceOf(context.params);
  const absent = { code: 'instance-not-found', what: 'instance' } as const;
  return await deleteScope(context, study, { series, instance }, absent);
}
