/**
 * Receives one instance: its bytes go to a blob while they arrive, and at their end it is known
 * whether the instance may be committed. Only the header up to the pixel data is held.
 */
import { Part10Reader, type Part10Limits, type RawIdentity } from '../../dicom/part10/part10.js';
import type { Tag } from '../../dicom/tag.js';
import { parseUid, type InstanceUids, type StudyInstanceUID } from '../../dicom/uid.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import type { StoredFile } from '../../storage/archive/archive.js';
import type { QueryTag } from '../../storage/archive/index/query-tags.js';
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
  /** The extended query tags, where the profile asks for them. */
  readonly queryTags?: Promise<readonly QueryTag[]> | undefined;
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

/**
 * Zeroes the preamble, which may hold anything, executable code included (PS3.10 §7.1).
 *
 * @param take the next chunk of the file; `undefined` after the last.
 * @param leave lets go of what has not been taken.
 */
function withoutPreambleOf(
  take: () => Promise<Uint8Array | undefined>,
  leave: () => Promise<unknown>,
): AsyncIterableIterator<Uint8Array, undefined> {
  let position = 0;
  /** What follows the preamble in its chunk. */
  let rest: Uint8Array | undefined;
  const end = { done: true, value: undefined } as const;
  const passed = (chunk: Uint8Array | undefined): IteratorResult<Uint8Array, undefined> => {
    if (chunk === undefined) return end;
    if (position >= preambleBytes) return { done: false, value: chunk };
    const within = Math.min(preambleBytes - position, chunk.length);
    position += within;
    if (within < chunk.length) rest = chunk.subarray(within);
    return { done: false, value: new Uint8Array(within) };
  };
  const body: AsyncIterableIterator<Uint8Array, undefined> = {
    [Symbol.asyncIterator]: () => body,
    next() {
      if (rest === undefined) return take().then(passed);
      const chunk = rest;
      rest = undefined;
      return Promise.resolve(passed(chunk));
    },
    async return() {
      await leave();
      return end;
    },
  };
  return body;
}

/** The same of a source. */
export function withoutPreamble(
  source: AsyncIterable<Uint8Array>,
): AsyncIterableIterator<Uint8Array, undefined> {
  const chunks = source[Symbol.asyncIterator]();
  return withoutPreambleOf(
    async () => {
      const step = await chunks.next();
      return step.done === true ? undefined : step.value;
    },
    async () => await chunks.return?.(),
  );
}

/** Takes the chunks of one file to its reader, and counts them. */
class Arrival {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #reader: Part10Reader;
  readonly #limit: number;
  #ended = false;
  /** Bytes so far. */
  length = 0;

  constructor(source: AsyncIterable<Uint8Array>, reader: Part10Reader, limit: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#reader = reader;
    this.#limit = limit;
  }

  /**
   * The next chunk, which the reader has read; `undefined` after the last.
   *
   * @throws ServiceError `payload-too-large`, and what the source and the reader throw.
   */
  async next(): Promise<Uint8Array | undefined> {
    const step = await this.#source.next();
    if (step.done === true) {
      this.#ended = true;
      return undefined;
    }
    this.length += step.value.length;
    if (this.length > this.#limit) {
      await this.leave();
      const limitValue = this.#limit;
      const message = `An instance is larger than ${limitValue} bytes.`;
      throw new ServiceError('payload-too-large', message, {
        limit: 'maxInstanceBytes',
        limitValue,
      });
    }
    // Without a wait when there is none: that is as good as always.
    const reading = this.#reader.push(step.value);
    if (reading !== undefined) await reading;
    return step.value;
  }

  /** Lets go of the source, unless it has ended. */
  async leave(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#source.return?.();
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
  const arrival = new Arrival(source, reader, services.limits.instanceBytes);
  let counted = 0;
  const hold = (bytes: number): void => {
    context.held.add(bytes - counted);
    counted = bytes;
  };
  try {
    const early: Uint8Array[] = [];
    while (!reader.identityComplete) {
      const chunk = await arrival.next();
      if (chunk === undefined) break;
      early.push(chunk);
      hold(arrival.length + reader.heldBytes);
      if (arrival.length > services.limits.part10.headerBytes)
        throw lateIdentity(services.limits.part10);
    }
    const uids = uidsOf(reader.identity);
    if (uids === undefined) throw new Refused(await refuseUnnamed(reader, arrival, context, hold));
    refuseOtherStudy(uids, study, reader.identity);
    if ((await isRepeated?.(uids)) === true) {
      const claimed = claimedUids(reader.identity);
      throw new Refused({ kind: 'refused', reason: 'already-exists', claimed, comments: [] });
    }
    services.archive.expect(partition, uids.study);

    const version = services.archive.newVersion();
    let accepted: AcceptedHeader | undefined;
    let accept: () => void = () => undefined;
    const isAccepted = new Promise<void>((resolve) => (accept = resolve));
    /** The next chunk; after the last the file is judged. */
    async function chunkOf(): Promise<Uint8Array | undefined> {
      const before = early.shift();
      if (before !== undefined) return before;
      const chunk = await arrival.next();
      if (chunk !== undefined) {
        hold(reader.heldBytes);
        return chunk;
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
      return undefined;
    }
    const leave = async () => {
      await arrival.leave();
    };
    const body = withoutPreambleOf(chunkOf, leave);
    const uploaded = services.archive.putFile(partition, uids, version, body, signal);
    // Whoever commits the file waits for it as well.
    uploaded.catch(() => undefined);
    await Promise.race([isAccepted, uploaded]);
    if (accepted === undefined) throw new RangeError('a file was stored before it ended');
    const { sopClass, transferSyntax, dataSet, metadata, index, warning, comments } = accepted;
    const { length } = arrival;
    const described = { sopClass, transferSyntax, length, dataSet, metadata, index };
    return { kind: 'received', file: { uids, version, ...described, uploaded }, warning, comments };
  } catch (error) {
    hold(0);
    await arrival.leave();
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
  { services, profile, queryTags, signal }: ReceiveContext,
): Promise<JudgedHeader> {
  const scanned = await reader.end();
  const tags = await queryTags;
  const job = { scanned, policy: profile.store, ...(tags && { queryTags: tags }) };
  return await services.headers.judge(job, signal);
}

/** Reads on to the end of a file without usable UIDs, to say all that is wrong with it. */
async function refuseUnnamed(
  reader: Part10Reader,
  arrival: Arrival,
  context: ReceiveContext,
  hold: (bytes: number) => void,
): Promise<Refusal> {
  while ((await arrival.next()) !== undefined) hold(reader.heldBytes);
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
