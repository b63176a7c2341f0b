/** The request for a bulk update, as in the Microsoft server: judged whole, then a job. */
import { attribute } from '../../dicom/attribute.js';
import { stringifyDataSet } from '../../dicom/json.js';
import { parseUid, type StudyInstanceUID } from '../../dicom/uid.js';
import { invalidUid } from '../../dicom/validate.js';
import { ServiceError } from '../../errors.js';
import { reply, type Reply } from '../../http/reply.js';
import { newJobId } from '../../jobs/job.js';
import { invalidMember, objectAt, readJsonBody, type JsonObject } from '../json-body.js';
import { jsonOffers } from '../negotiation.js';
import { operationUrl, startedOperation } from '../operations/operation-url.js';
import { answering } from '../route.js';
import { expiringOf } from '../store/expiry.js';
import { readChanges } from './read-changes.js';
import { beforeUpdate, type UpdateInput } from './update-job.js';

/** Studies that one request may name. */
export const mostStudies = 50;

function studiesIn(body: JsonObject): readonly StudyInstanceUID[] {
  const values = body.get('studyinstanceuids') ?? [];
  if (!Array.isArray(values)) throw invalidMember('StudyInstanceUids', 'An array is expected.');
  if (values.length === 0) {
    throw new ServiceError(
      'invalid-body',
      "The required field 'StudyInstanceUids' is missing or empty.",
    );
  }
  if (values.length > mostStudies) {
    throw new ServiceError(
      'invalid-body',
      `StudyInstanceUids count exceeded maximum length '${mostStudies}'`,
    );
  }
  const studies = values.map((value: unknown) => {
    const uid = typeof value === 'string' ? parseUid<StudyInstanceUID>(value) : undefined;
    if (uid === undefined) throw new ServiceError('invalid-body', invalidUid);
    return uid;
  });
  return [...new Set(studies)];
}

/** The refusal of attributes, in the form that clients of the Microsoft server know. */
function refusedAttributes(comments: readonly string[]): Reply {
  const Value = comments.map((comment) => ({
    [attribute('ErrorComment')]: { vr: 'LO' as const, Value: [comment] },
  }));
  const body = stringifyDataSet({
    [attribute('FailedAttributesSequence')]: { vr: 'SQ', Value },
  });
  return reply(body, { status: 400, headers: { 'Content-Type': 'application/dicom+json' } });
}

/**
 * `POST studies/$bulkUpdate`: begins to give attributes of whole studies other values. 202 with the URL of the
 * operation.
 *
 * @throws ServiceError `unsupported-media-type`, `invalid-body`, `invalid-header`, `operation-running`,
 *   `storage-unavailable`.
 */
export const updateStudies = answering(
  { answers: jsonOffers, takes: jsonOffers },
  async (context) => {
    const { services, partition, profile } = context;
    if (!profile.operations.bulkUpdate) return reply(null, { status: 404 });
    const body = objectAt(await readJsonBody(context), '$');
    const studies = studiesIn(body);
    const { changes, comments } = readChanges(body.get('changedataset'));
    if (comments.length > 0) {
      if (profile.operations.refusals === 'dicom-json') return refusedAttributes(comments);
      throw new ServiceError('invalid-body', comments.join('\n'), { parameter: 'changeDataset' });
    }
    const expiring = expiringOf(context);
    const registered = await services.partitionRegistry.list();
    const partitionKey = registered.find(({ name }) => name === partition)?.key ?? 1;
    const id = newJobId();
    const input: UpdateInput = { partition, studies, changes };
    const state = JSON.stringify(beforeUpdate(studies.length, partitionKey));
    await expiring.before(new Set(studies));
    const running = await services.jobs.startAlone('update', JSON.stringify(input), state, {
      id,
      partition,
    });
    if (running !== id) {
      throw new ServiceError(
        'operation-running',
        `There is already an active update operation with ID '${running}'.`,
        // The Microsoft server does not name it here.
        profile.operations.refusals === 'dicom-json'
          ? {}
          : { location: operationUrl(context, running) },
      );
    }
    context.noteUpdate(id, studies);
    await expiring.after(new Set(studies));
    return startedOperation(context, id);
  },
);
