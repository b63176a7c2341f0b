/**
 * Receives one instance: its bytes go to a blob while they arrive, and at their end it is known
 * whether the instance may be committed. Only the header up to the pixel data is held.
 */
import { toDataSet } from '../../dicom/json.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import {
  Part10Reader,
  type ParsedInstance,
  type Part10Limits,
  type RawIdentity,
} from '../../dicom/part10.js';
import { formatTag, type Tag } from '../../dicom/tag.js';
import {
  parseUid,
  type InstanceUids,
  type SOPClassUID,
  type StudyInstanceUID,
} from '../../dicom/uid.js';
import type { ValidationFailure } from '../../dicom/validate.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import { takeTurns } from '../../take-turns.js';
import type { StoredFile } from '../../storage/archive/archive.js';
import { condense } from '../../storage/archive/condense.js';
import type { Profile } from '../profile.js';
import type { RequestContext } from '../route.js';
import type { Services } from '../services.js';
import type { FailureReason, WarningReason } from './reason-codes.js';
import { judge } from './store-policy.js';

/** The UIDs of an instance as far as they could be read, valid or not. */
export interface ClaimedUids {
  readonly sopClass?: string;
  readonly instance?: string;
}

/** An instance that is not stored, and why. */
export interface Refusal {
  readonly kind: 'refused';
  readonly reason: FailureReason;
  readonly claimed: ClaimedUids;
  /** Comments for the client; never patient data. */
  readonly comments: readonly string[];
}

/** An instance whose file is in its blob, not yet committed. */
export interface Received {
  readonly kind: 'received';
  readonly file: StoredFile;
  readonly warning: WarningReason | undefined;
  readonly comments: readonly string[];
}

/** What receiving an instance needs of a request; work without a request has as much. */
export interface ReceiveContext extends Pick<RequestContext, 'partition' | 'signal'> {
  readonly services: Pick<Services, 'archive' | 'limits' | 'largeHeaders'>;
  readonly profile: Pick<Profile, 'store'>;
}

/** Errors of one file, as opposed to errors of the request. */
const fileErrors: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'not-dicom',
  'dicom-malformed',
  'dicom-truncated',
  'dicom-limit-exceeded',
]);

/** Carries a refusal out of the stream that feeds the blob, so that the blob is not made. */
class Refused extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}

/** `DICOM100: (gggg,eeee) - …`, the form that clients of the Microsoft server know. */
function commentOf({ tag, message }: ValidationFailure): string {
  return `DICOM100: ${formatTag(tag)} - ${message}`;
}

/** The UIDs as they stand, but for the padding of their values (PS3.5 §6.2). */
function claimedUids({ sopClass, instance }: RawIdentity): ClaimedUids {
  const unpadded = (uid: string) => uid.replace(/[ \0]+$/, '');
  return {
    ...(sopClass !== undefined && { sopClass: unpadded(sopClass) }),
    ...(instance !== undefined && { instance: unpadded(instance) }),
  };
}

function uidsOf(identity: RawIdentity): InstanceUids | undefined {
  const study = parseUid<InstanceUids['study']>(identity.study ?? '');
  const series = parseUid<InstanceUids['series']>(identity.series ?? '');
  const instance = parseUid<InstanceUids['instance']>(identity.instance ?? '');
  return study && series && instance && { study, series, instance };
}

const preambleBytes = 128;

/** Zeroes the preamble, which may hold anything, executable code included (PS3.10 §7.1). */
export async function* withoutPreamble(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let position = 0;
  for await (const chunk of source) {
    const within = Math.min(Math.max(preambleBytes - position, 0), chunk.length);
    position += chunk.length;
    if (within > 0) yield new Uint8Array(within);
    if (within < chunk.length) yield chunk.subarray(within);
  }
}

async function* limitInstance(
  source: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const chunk of source) {
    length += chunk.length;
    if (length > limit) {
      throw new ServiceError('payload-too-large', `An instance is larger than ${limit} bytes.`, {
        limit: 'maxInstanceBytes',
        limitValue: limit,
      });
    }
    yield chunk;
  }
}

/**
 * Reads one Part 10 file from `source` to its end, judges it by the profile and streams it to its
 * blob.
 *
 * @param study - the study that the request is for, if it names one.
 * @param onConsumed - called when nothing more is read from `source`, while the blob may still be
 *   on its way.
 * @param isRepeated - asked as soon as the UIDs are known: whether they belong to an instance that has
 *   just been received, so that this one need not be.
 * @throws ServiceError for what ends the whole request: storage away, client gone, too large.
 */
export async function receiveInstance(
  context: ReceiveContext,
  source: AsyncIterable<Uint8Array>,
  study: StudyInstanceUID | undefined,
  onConsumed: () => void,
  isRepeated?: (uids: InstanceUids) => Promise<boolean>,
): Promise<Received | Refusal> {
  const { services, partition, signal } = context;
  const reader = new Part10Reader(services.limits.part10);
  const chunks = limitInstance(source, services.limits.instanceBytes);
  try {
    const held: Uint8Array[] = [];
    let heldBytes = 0;
    while (!reader.identityComplete) {
      const next = await chunks.next();
      if (next.done === true) break;
      await reader.push(next.value);
      held.push(next.value);
      heldBytes += next.value.length;
      if (heldBytes > services.limits.part10.headerBytes)
        throw lateIdentity(services.limits.part10);
    }
    const uids = uidsOf(reader.identity);
    if (uids === undefined) throw new Refused(await refuseUnnamed(reader, chunks, context));
    refuseOtherStudy(uids, study, reader.identity);
    if ((await isRepeated?.(uids)) === true) {
      const claimed = claimedUids(reader.identity);
      throw new Refused({ kind: 'refused', reason: 'already-exists', claimed, comments: [] });
    }
    services.archive.expect(partition, uids.study);

    const version = services.archive.newVersion();
    let judged: Judged | undefined;
    async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* held.splice(0);
      for await (const chunk of chunks) {
        await reader.push(chunk);
        yield chunk;
      }
      judged = await services.largeHeaders.work(reader.heldBytes, async () => {
        const claimed = claimedUids(reader.identity);
        return await judgeParsed(await reader.finish(), context, claimed);
      });
      onConsumed();
    }
    const body = withoutPreamble(bytes());
    const length = await services.archive.putFile(partition, uids, version, body, signal);
    if (judged === undefined) throw new RangeError('a file was stored before it ended');
    const { warning, comments, ...described } = judged;
    return { kind: 'received', file: { uids, version, length, ...described }, warning, comments };
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    if (error instanceof ServiceError && fileErrors.has(error.code)) {
      return {
        kind: 'refused',
        reason: 'cannot-understand',
        claimed: claimedUids(reader.identity),
        comments: [error.message],
      };
    }
    throw error;
  } finally {
    onConsumed();
  }
}

/** Until its UIDs have passed a file has no place to go to, and is held. */
function lateIdentity({ headerBytes }: Part10Limits): ServiceError {
  return new ServiceError(
    'dicom-limit-exceeded',
    `The UIDs of the instance do not come within its first ${headerBytes} bytes.`,
    { limit: 'headerBytes', limitValue: headerBytes },
  );
}

/** What a header comes to: little, whatever its size, since it may have to wait for its commit. */
interface Judged
  extends Omit<StoredFile, 'uids' | 'version' | 'length'>, Pick<Received, 'warning' | 'comments'> {}

/** Failed attributes that an answer names. */
const mostComments = 200;

function commentsOn(failures: readonly ValidationFailure[]): readonly string[] {
  const comments = failures.slice(0, mostComments).map(commentOf);
  const more = failures.length - comments.length;
  return more > 0
    ? [...comments, `DICOM100: ${more} more attributes failed validation.`]
    : comments;
}

/** Reads on to the end of a file without usable UIDs, to say all that is wrong with it. */
async function refuseUnnamed(
  reader: Part10Reader,
  chunks: AsyncIterable<Uint8Array>,
  { profile, services }: ReceiveContext,
): Promise<Refusal> {
  for await (const chunk of chunks) await reader.push(chunk);
  const { errors } = await services.largeHeaders.work(reader.heldBytes, async () =>
    judge((await reader.finish()).dataSet, profile.store),
  );
  const claimed = claimedUids(reader.identity);
  const comments =
    errors.length > 0
      ? commentsOn(errors)
      : ['The elements of the data set are not in ascending order of tags (PS3.5 §7.1).'];
  return { kind: 'refused', reason: 'validation-failed', claimed, comments };
}

function refuseOtherStudy(
  uids: InstanceUids,
  study: StudyInstanceUID | undefined,
  identity: RawIdentity,
): void {
  if (study === undefined || study === uids.study) return;
  const tag = '0020000D' as Tag;
  const message = 'The StudyInstanceUID is not that of the study in the path.';
  throw new Refused({
    kind: 'refused',
    reason: 'study-mismatch',
    claimed: claimedUids(identity),
    comments: [commentOf({ tag, message })],
  });
}

/** @throws Refused when the profile does not let the data set in. */
async function judgeParsed(
  parsed: ParsedInstance,
  { profile: { store } }: ReceiveContext,
  claimed: ClaimedUids,
): Promise<Judged> {
  const { errors, warnings } = judge(parsed.dataSet, store);
  await takeTurns(parsed.heldBytes);
  const sopClass = parseUid<SOPClassUID>(claimed.sopClass ?? '');
  if (errors.length > 0 || sopClass === undefined) {
    const comments = commentsOn(errors);
    throw new Refused({ kind: 'refused', reason: 'validation-failed', claimed, comments });
  }
  const dataSet = without(
    toDataSet(parsed.dataSet),
    warnings.map(({ tag }) => tag),
  );
  await takeTurns(parsed.heldBytes);
  return {
    sopClass,
    transferSyntax: parsed.meta.transferSyntax.uid,
    ...(await condense(dataSet)),
    index: { frames: parsed.frames, bulk: parsed.bulk },
    warning:
      store.warnImplicitVR && !parsed.meta.transferSyntax.explicitVR
        ? 'data-set-does-not-match-sop-class'
        : warnings.length > 0
          ? 'attributes-failed-validation'
          : undefined,
    comments: commentsOn(warnings),
  };
}

function without(dataSet: DataSet, tags: readonly Tag[]): DataSet {
  if (tags.length === 0) return dataSet;
  const dropped = new Set(tags);
  const kept: Record<Tag, Element> = {};
  for (const [tag, element] of Object.entries(dataSet) as [Tag, Element][]) {
    if (!dropped.has(tag)) kept[tag] = element;
  }
  return kept;
}
