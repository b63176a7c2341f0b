/** Store Instances (PS3.18 §10.5): POST of DICOM files to the archive or to one study. */
import type { InstanceUids, StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError } from '../../errors.js';
import type { QueryTag } from '../../storage/archive/index/query-tags.js';
import { tagSetOf } from '../../storage/archive/query-tag-list.js';
import type { StoreMode } from '../../storage/archive/commit/store-commit.js';
import { takeTurns } from '../../take-turns.js';
import { chooseRepresentation } from '../negotiation.js';
import { studyOf } from '../path-uids.js';
import { answering, type RequestContext } from '../route.js';
import { expiringOf, type Expiring } from './expiry.js';
import type { FailureReason } from './reason-codes.js';
import {
  receiveInstance,
  type ReceiveContext,
  type Received,
  type Refusal,
} from './receive-instance.js';
import { ProgressDeadline } from '../progress-deadline.js';
import { instanceOffers, instancesInRequest, isLoneFile } from './request-parts.js';
import { type StoreOutcome, storeResponse, storeResponseOffers } from './store-response.js';
import type { Reply } from '../../http/reply.js';

const storing = { answers: storeResponseOffers, takes: instanceOffers } as const;

/** `POST studies`: stores instances of any studies. */
export const storeInstances = answering(storing, async (context) => {
  return await store(context, 'create', undefined);
});

/** `POST studies/{study}`: stores instances of one study and refuses those of others. */
export const storeInstancesInStudy = answering(storing, async (context) => {
  return await store(context, 'create', studyOf(context.params).study);
});

/** `PUT studies`: as POST, but instances that are there already get a new version. */
export const replaceInstances = answering(storing, async (context) => {
  return await store(context, 'replace', undefined);
});

/** `PUT studies/{study}`: as POST, but instances that are there already get a new version. */
export const replaceInstancesInStudy = answering(storing, async (context) => {
  return await store(context, 'replace', studyOf(context.params).study);
});

async function store(
  context: RequestContext,
  mode: StoreMode,
  study: StudyInstanceUID | undefined,
): Promise<Reply> {
  const { offer } = chooseRepresentation(context.request, storeResponseOffers);
  const expiring = expiringOf(context);
  const outcomes = await context.services.storeGate.pass(
    async () => await receiveAndCommit(context, mode, study, expiring),
  );
  refuseStrayBody(context, outcomes);
  return await storeResponse(context, outcomes, study, offer.mediaType);
}

/** @throws ServiceError `not-dicom` when the whole body is no DICOM file and the profile calls that a bad request. */
function refuseStrayBody(
  { request, profile }: RequestContext,
  [outcome]: readonly StoreOutcome[],
): void {
  if (profile.store.loneBody !== 'bad-request' || !isLoneFile(request)) return;
  if (outcome?.kind !== 'refused' || outcome.code !== 'not-dicom') return;
  throw new ServiceError('not-dicom', outcome.comments.join(' '));
}

async function receiveAndCommit(
  context: RequestContext,
  mode: StoreMode,
  study: StudyInstanceUID | undefined,
  expiring: Expiring,
): Promise<readonly StoreOutcome[]> {
  const deadline = new ProgressDeadline();
  const held = context.services.heldHeaders.open();
  const queryTags = queryTagsFor(context);
  try {
    const received = await receiveAll({ ...context, held, queryTags }, mode, study, deadline);
    try {
      await expiring.before(studiesOf(received, (one) => one.kind === 'received' && one.file.uids));
    } catch (error) {
      discardAll(context, received);
      throw error;
    }
    const outcomes = await commitAll(context, mode, received, deadline);
    await expiring.after(studiesOf(outcomes, (one) => one.kind === 'stored' && one.uids));
    return outcomes;
  } finally {
    deadline.clear();
    held.release();
  }
}

/** The tags that there are when the request begins, where their values decide: read while the body arrives. */
function queryTagsFor({
  services,
  profile,
}: RequestContext): Promise<readonly QueryTag[]> | undefined {
  if (!profile.store.refuseInvalidQueryTags) return undefined;
  const reading = services.archive.queryTags.read().then((list) => tagSetOf(list).tags);
  // Whoever judges waits for it; a request may hold nothing to judge.
  reading.catch(() => undefined);
  return reading;
}

/** Removes the files of what will not be committed. */
function discardAll(
  { services, partition }: RequestContext,
  received: readonly (Received | Refusal)[],
): void {
  const files = received.flatMap((one) => (one.kind === 'received' ? [one.file] : []));
  services.archive.discardFiles(partition, files);
}

/** The studies of some of the instances. */
function studiesOf<One>(
  all: readonly One[],
  uidsOf: (one: One) => InstanceUids | false,
): ReadonlySet<StudyInstanceUID> {
  return new Set(all.map(uidsOf).flatMap((uids) => (uids === false ? [] : [uids.study])));
}

async function commitAll(
  context: RequestContext,
  mode: StoreMode,
  received: readonly (Received | Refusal)[],
  deadline: ProgressDeadline,
): Promise<readonly StoreOutcome[]> {
  const committed = await Promise.allSettled(
    received.map(async (one) =>
      one.kind === 'refused'
        ? one
        : await deadline.outcomeOf(commitInstance(context, mode, one, deadline.missed)),
    ),
  );
  const failure = committed.find((result) => result.status === 'rejected');
  const anyStored = committed.some(
    (result) => result.status === 'fulfilled' && result.value.kind === 'stored',
  );
  // Nothing stored because storage is away: the request failed, not its instances.
  if (failure !== undefined && !anyStored) throw failure.reason;
  // Instances that were committed together fail together: their one error is told once.
  const errors = new Set<unknown>();
  for (const one of committed) if (one.status === 'rejected') errors.add(one.reason);
  for (const error of errors) context.noteFault(error);
  return committed.map((result, position) =>
    result.status === 'fulfilled'
      ? result.value
      : failedToCommit(received[position], result.reason),
  );
}

/**
 * Reads the request to its end before anything is committed, so that a request that breaks off
 * leaves nothing. An instance that is in a request again is not received again, unless it shall
 * replace the one before. Blobs are written while later instances arrive, a bounded number at a time.
 */
async function receiveAll(
  context: RequestContext & ReceiveContext,
  mode: StoreMode,
  study: StudyInstanceUID | undefined,
  deadline: ProgressDeadline,
): Promise<readonly (Received | Refusal)[]> {
  const { uploadsPerRequest } = context.services.limits;
  const receiving: Promise<Received | Refusal>[] = [];
  const onTheirWay = new Set<Promise<unknown>>();
  const newest = new Map<string, Promise<Received | Refusal>>();
  const isRepeated = async (
    { study: inStudy, series, instance }: InstanceUids,
    current: () => Promise<Received | Refusal>,
  ) => {
    const key = [inStudy, series, instance].join('/');
    const before = mode === 'create' ? await newest.get(key) : undefined;
    if (before?.kind === 'received') return true;
    newest.set(key, current());
    return false;
  };
  try {
    for await (const source of instancesInRequest(context)) {
      await new Promise<void>((resolve) => {
        const one: Promise<Received | Refusal> = receiveInstance(
          context,
          source,
          study,
          resolve,
          async (uids) => await isRepeated(uids, () => one),
        );
        receiving.push(one);
        const over = one.then(uploadOf);
        onTheirWay.add(over);
        const leave = () => void onTheirWay.delete(over);
        over.then(leave, leave);
      });
      while (onTheirWay.size >= uploadsPerRequest)
        await Promise.race(onTheirWay).catch(() => undefined);
      await takeTurns();
    }
    deadline.start();
    for (const one of onTheirWay) void one.finally(() => deadline.extend()).catch(() => undefined);
    return await deadline.bound(Promise.all(receiving));
  } catch (error) {
    const discarded = Promise.allSettled(receiving).then(async (results) => {
      await Promise.allSettled(receiving.map(async (one) => await uploadOf(await one)));
      const received = results.flatMap((result) =>
        result.status === 'fulfilled' && result.value.kind === 'received'
          ? [result.value.file]
          : [],
      );
      context.services.archive.discardFiles(context.partition, received);
      return results;
    });
    const settled = await deadline.bound(discarded);
    const first = settled.find((result) => result.status === 'rejected');
    throw first === undefined ? error : first.reason;
  }
}

/** Settles when the upload of an instance is over. */
async function uploadOf(one: Received | Refusal): Promise<void> {
  if (one.kind === 'received') await one.file.uploaded;
}

async function commitInstance(
  { services, partition, noteStored }: RequestContext,
  mode: StoreMode,
  received: Received,
  givenUp: AbortSignal,
): Promise<StoreOutcome> {
  const { file, warning, comments } = received;
  const { uids, sopClass } = file;
  const result = await services.archive.store(partition, { ...file, givenUp }, mode);
  if (result === 'stored') {
    noteStored(uids.study);
    return { kind: 'stored', uids, sopClass, warning, comments };
  }
  return result === 'exists'
    ? refused('already-exists', received)
    : refused('out-of-resources', received, [failureComments.full]);
}

/** What tells a client whether to try again: `272` is said of both (PS3.18 §I.2.2). */
const failureComments = {
  full: 'The study has no room for it. Storing it again will fail again.',
  passing:
    'Storage did not answer in time. Store it again: if it is there after all, that is said.',
  fault:
    'The service failed. The failure is logged under the X-Request-Id of this response. Storing it again may fail again.',
} as const;

function failedToCommit(received: Received | Refusal | undefined, error: unknown): StoreOutcome {
  const isPassing =
    error instanceof ServiceError &&
    (error.code === 'storage-unavailable' || error.code === 'overloaded');
  const comment = isPassing ? failureComments.passing : failureComments.fault;
  if (received?.kind === 'received') return refused('processing-failure', received, [comment]);
  throw new RangeError('a refusal has nothing to commit');
}

function refused(
  reason: FailureReason,
  { file: { uids, sopClass } }: Received,
  comments: readonly string[] = [],
): Refusal {
  const claimed = { sopClass, instance: uids.instance };
  return { kind: 'refused', reason, claimed, comments };
}
