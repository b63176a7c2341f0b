/** Long work as clients see it, in the shape of the Microsoft server. */
import { reaches } from '../../auth/roles.js';
import { ServiceError } from '../../errors.js';
import { jsonReply, reply, type Reply } from '../../http/reply.js';
import { isOver, parseJobId, type Job } from '../../jobs/job.js';
import type { ExportState } from '../export/export-job.js';
import { answering, type RequestContext } from '../route.js';
import { tagUrlsOf } from '../query-tags/query-tags.js';
import { percentOf, type ReindexState } from '../query-tags/reindex-job.js';
import { errorsOf, percentOfUpdate, type UpdateState } from '../update/update-job.js';
import { timeText } from '../time-text.js';
import { operationUrl } from './operation-url.js';
import { jsonOffers } from '../negotiation.js';

/** What a client is told of the work of each type, besides what all have. */
const details: Readonly<
  Record<Job['type'], (job: Job, context: RequestContext) => object | Promise<object>>
> = {
  export: ({ state }) => {
    const { exported, skipped, errorHref } = JSON.parse(state) as ExportState;
    return { results: { exported, skipped, errorHref } };
  },
  reindex: async ({ status, state: text }, context) => {
    const state = JSON.parse(text) as ReindexState;
    const percentComplete = status === 'succeeded' ? 100 : percentOf(state);
    return { percentComplete, resources: await tagUrlsOf(context, state.tags) };
  },
  untag: () => ({}),
  update: ({ status, state: text }, { profile }) => {
    const state = JSON.parse(text) as UpdateState;
    const errors = errorsOf(state, profile.operations.refusals === 'problem');
    return {
      percentComplete: isOver({ status }) ? 100 : percentOfUpdate(state),
      results: {
        studyProcessed: state.at,
        studyUpdated: state.studiesUpdated,
        studyFailed: state.failedStudies.length,
        instanceUpdated: state.instancesUpdated,
        ...(errors.length > 0 && { errors }),
      },
    };
  },
};

/** A job in the words of a profile. */
async function describe(job: Job, context: RequestContext): Promise<object> {
  const { operations } = context.profile;
  return {
    operationId: job.id,
    type: job.type,
    createdTime: timeText(job.created),
    lastUpdatedTime: timeText(job.updated),
    status: job.status === 'succeeded' ? operations.succeeded : job.status,
    ...(await details[job.type](job, context)),
  };
}

/** Operations that are listed; the Microsoft server lists none. */
const mostListed = 100;

/**
 * `GET operations`: the newest operations of the partitions in which the caller may ask, whoever started them, each as
 * {@link readOperation} tells of it.
 */
export const listOperations = answering({ answers: jsonOffers }, async (context) => {
  const { services, reach } = context;
  const jobs = await services.jobs.newest(mostListed, (job) => reaches(reach, job.partition));
  const answer = await Promise.all(jobs.map(async (job) => await describe(job, context)));
  return jsonReply(answer, { headers: { 'Cache-Control': 'no-store' } });
});

function notFound(): ServiceError {
  return new ServiceError('operation-not-found', 'There is no such operation, or it is long over.');
}

/** An operation of a partition in which the caller may ask; others are not there for them. */
async function operationIn({ services, params, reach }: RequestContext): Promise<Job> {
  const id = parseJobId(params['operation'] ?? '');
  const job = id && (await services.jobs.find(id));
  if (job === undefined || !reaches(reach, job.partition)) throw notFound();
  return job;
}

/**
 * `GET operations/{operation}`: 202 while the work goes on, then 200.
 *
 * @throws ServiceError `operation-not-found`, also for what is no id.
 */
export const readOperation = answering({ answers: jsonOffers }, async (context) => {
  const job = await operationIn(context);
  const answer = await describe(job, context);
  const headers = { 'Cache-Control': 'no-store' };
  if (isOver(job)) return jsonReply(answer, { headers });
  const Location = operationUrl(context, job.id);
  return jsonReply(answer, { status: 202, headers: { ...headers, Location } });
});

/**
 * `DELETE operations/{operation}`: ends the work where it is; 204, also when it is over.
 *
 * @throws ServiceError `operation-not-found`.
 */
export async function cancelOperation(context: RequestContext): Promise<Reply> {
  const { id } = await operationIn(context);
  if (!(await context.services.jobs.cancel(id))) throw notFound();
  return reply(null, { status: 204 });
}
