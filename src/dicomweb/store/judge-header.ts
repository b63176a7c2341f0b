/**
 * What a header comes to: whether its instance is let in, and what is kept of it. The work grows with
 * the number of elements, so it can be done in another thread (`header-work.ts`).
 */
import { attributesOf } from '../../dicom/json.js';
import { interpret, type ScannedInstance } from '../../dicom/part10/interpret.js';
import { spellingsOf } from '../../dicom/spelling.js';
import { formatTag, type Tag } from '../../dicom/tag.js';
import { parseUid, type SOPClassUID } from '../../dicom/uid.js';
import type { ValidationFailure } from '../../dicom/validate.js';
import type { StoredFile } from '../../storage/archive/archive.js';
import { condense } from '../../storage/archive/condense.js';
import type { QueryTag } from '../../storage/archive/index/query-tags.js';
import { takeTurns } from '../../take-turns.js';
import type { WarningReason } from './reason-codes.js';
import { judge, type Failures, type StorePolicy } from './store-policy.js';

/** A header and the policy that it is judged by: plain values. */
export interface HeaderJob {
  readonly scanned: ScannedInstance;
  readonly policy: StorePolicy;
  /** The extended query tags, where the policy asks for them. */
  readonly queryTags?: readonly QueryTag[];
}

/** A header that is let in: little, whatever its size, since it may have to wait for its commit. */
export interface AcceptedHeader extends Omit<StoredFile, 'uids' | 'version' | 'length'> {
  readonly kind: 'accepted';
  readonly metadata: Uint8Array;
  readonly warning: WarningReason | undefined;
  /** Comments for the client; never patient data. */
  readonly comments: readonly string[];
}

export interface RefusedHeader {
  readonly kind: 'refused';
  readonly comments: readonly string[];
}

export type JudgedHeader = AcceptedHeader | RefusedHeader;

/** `DICOM100: (gggg,eeee) - …`, the form that clients of the Microsoft server know. */
export function commentOf({ tag, message }: ValidationFailure): string {
  return `DICOM100: ${formatTag(tag)} - ${message}`;
}

function commentsOn({ named, tags }: Failures): readonly string[] {
  const comments = named.map(commentOf);
  const more = tags.size - comments.length;
  return more > 0
    ? [...comments, `DICOM100: ${more} more attributes failed validation.`]
    : comments;
}

/**
 * Judges the header of a file that has been read to its end.
 *
 * @throws ServiceError `dicom-malformed`.
 */
export async function judgeHeader(job: HeaderJob): Promise<JudgedHeader> {
  const { scanned, policy, queryTags } = job;
  const { dataSet: raw, frames } = interpret(scanned);
  await takeTurns();
  const { errors, warnings } = judge(raw, policy, queryTags);
  const sopClass = parseUid<SOPClassUID>(scanned.identity.sopClass ?? '');
  if (errors.tags.size > 0 || sopClass === undefined) {
    return { kind: 'refused', comments: commentsOn(errors) };
  }
  await takeTurns();
  const { transferSyntax } = scanned.meta;
  return {
    kind: 'accepted',
    sopClass,
    transferSyntax: transferSyntax.uid,
    ...(await condense(
      without(attributesOf(raw), warnings.tags),
      without(spellingsOf(raw), warnings.tags),
    )),
    index: { frames, bulk: scanned.bulk },
    warning:
      policy.warnImplicitVR && !transferSyntax.explicitVR
        ? 'data-set-does-not-match-sop-class'
        : warnings.tags.size > 0
          ? 'attributes-failed-validation'
          : undefined,
    comments: commentsOn(warnings),
  };
}

function* without<OfTag extends readonly [Tag, ...unknown[]]>(
  attributes: Iterable<OfTag>,
  tags: ReadonlySet<Tag>,
): Generator<OfTag, void, undefined> {
  for (const attribute of attributes) if (!tags.has(attribute[0])) yield attribute;
}
