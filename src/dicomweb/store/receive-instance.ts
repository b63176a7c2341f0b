/**
 * Receives one instance: its bytes go to a blob while they arrive, and at their end it is known
 * whether the instance may be committed. Only the header up to the pixel data is held.
 */
import { Part10Reader, type Part10Limits, type RawIdentity } from '../../dicom/part10/part10.js';
import type { Tag } from '../../dicom/tag.js';
import { parseUid, type InstanceUids, type StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import type { StoredFile } from '../../storage/archive/archive.js';
import type { Profile } from '../profile.js';
import type { RequestContext } from '../route.js';
import type { Services } from '../services.js';
import type { HeldByRequest } from './held-headers.js';
import { commentOf, type AcceptedHeader, type JudgedHeader } from './judge-header.js';
import type { FailureReason, WarningReason } from './reason-codes.js';

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
  /** Why its bytes could not be read, if so. */
  readonly code?: ErrorCode;
  /** Comments for the client; never patient data. */
  readonly comments: readonly string[];
}

/** An instance that may be committed once its file, which has been read to its end, is in its blob. */
export interface Received {
  readonly kind: 'received';
  readonly file: StoredFile;
  readonly warning: WarningReason | undefined;
  readonly comments: readonly string[];
}

/** What receiving an instance needs of a request; work without a request has as much. */
export interface ReceiveContext extends Pick<RequestContext, 'partition' | 'signal'> {
  readonly services: Pick<Services, 'archive' | 'limits' | 'headers'>;
  readonly profile: Pick<Profile, 'store'>;
  /** Counts what is held; of an instance that is received its metadata, until the request ends. */
  readonly held: HeldByRequest;
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
 * blob. The last of it may still be on its way there: `file.uploaded` says when it is over.
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
  let counted = 0;
  const hold = (bytes: number): void => {
    context.held.add(bytes - counted);
    counted = bytes;
  };
  try {
    const early: Uint8Array[] = [];
    let earlyBytes = 0;
    while (!reader.identityComplete) {
      const next = await chunks.next();
      if (next.done === true) break;
      await reader.push(next.value);
      early.push(next.value);
      earlyBytes += next.value.length;
      hold(earlyBytes + reader.heldBytes);
      if (earlyBytes > services.limits.part10.headerBytes)
        throw lateIdentity(services.limits.part10);
    }
    const uids = uidsOf(reader.identity);
    if (uids === undefined) throw new Refused(await refuseUnnamed(reader, chunks, context, hold));
    refuseOtherStudy(uids, study, reader.identity);
    if ((await isRepeated?.(uids)) === true) {
      const claimed = claimedUids(reader.identity);
      throw new Refused({ kind: 'refused', reason: 'already-exists', claimed, comments: [] });
    }
    services.archive.expect(partition, uids.study);

    const version = services.archive.newVersion();
    let accepted: AcceptedHeader | undefined;
    let length = earlyBytes;
    let accept: () => void = () => undefined;
    const isAccepted = new Promise<void>((resolve) => (accept = resolve));
    async function* bytes(): AsyncGenerator<Uint8Array, void, undefined> {
      yield* early.splice(0);
      for await (const chunk of chunks) {
        await reader.push(chunk);
        hold(reader.heldBytes);
        length += chunk.length;
        yield chunk;
      }
      const judged = await judgeEnded(reader, context);
      if (judged.kind === 'refused') {
        const claimed = claimedUids(reader.identity);
        throw new Refused({ ...judged, reason: 'validation-failed', claimed });
      }
      hold(judged.metadata.length);
      accepted = judged;
      accept();
      onConsumed();
    }
    const body = withoutPreamble(bytes());
    const uploaded = services.archive.putFile(partition, uids, version, body, signal);
    // Whoever commits the file waits for it as well.
    uploaded.catch(() => undefined);
    await Promise.race([isAccepted, uploaded]);
    if (accepted === undefined) throw new RangeError('a file was stored before it ended');
    const { sopClass, transferSyntax, dataSet, metadata, index, warning, comments } = accepted;
    const described = { sopClass, transferSyntax, length, dataSet, metadata, index };
    return { kind: 'received', file: { uids, version, ...described, uploaded }, warning, comments };
  } catch (error) {
    hold(0);
    if (error instanceof Refused) return error.refusal;
    if (error instanceof ServiceError && fileErrors.has(error.code)) {
      return {
        kind: 'refused',
        reason: 'cannot-understand',
        code: error.code,
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

async function judgeEnded(
  reader: Part10Reader,
  { services, profile, signal }: ReceiveContext,
): Promise<JudgedHeader> {
  return await services.headers.judge(
    { scanned: await reader.end(), policy: profile.store },
    signal,
  );
}

/** Reads on to the end of a file without usable UIDs, to say all that is wrong with it. */
async function refuseUnnamed(
  reader: Part10Reader,
  chunks: AsyncIterable<Uint8Array>,
  context: ReceiveContext,
  hold: (bytes: number) => void,
): Promise<Refusal> {
  for await (const chunk of chunks) {
    await reader.push(chunk);
    hold(reader.heldBytes);
  }
  const judged = await judgeEnded(reader, context);
  hold(0);
  const comments =
    judged.kind === 'refused'
      ? judged.comments
      : ['The elements of the data set are not in ascending order of tags (PS3.5 §7.1).'];
  const claimed = claimedUids(reader.identity);
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
