/** The answer to a store: Store Instances Response Module (PS3.18 §I.1) and its status. */
import { attribute } from '../../dicom/attribute.js';
import type { DataSet, Element } from '../../dicom/data-set.js';
import { stringifiedPieces } from '../../dicom/json.js';
import { nativeXmlPieces } from '../../dicom/native-xml.js';
import type { InstanceUids, SOPClassUID, StudyInstanceUID } from '../../dicom/uid.js';
import type { Offer } from '../../http/accept.js';
import { dicomJsonOffers } from '../negotiation.js';
import { joinedInTurns, takeTurns } from '../../take-turns.js';
import { resourcePath } from '../path-uids.js';
import type { RequestContext } from '../route.js';
import { failureReasons, warningReasons, type WarningReason } from './reason-codes.js';
import type { Refusal } from './receive-instance.js';
import type { StorePolicy } from './store-policy.js';
import { reply, type Reply } from '../../http/reply.js';

const dicomXml = 'application/dicom+xml';

/** What the answer to a store can be had in. */
export const storeResponseOffers: readonly Offer[] = [
  ...dicomJsonOffers,
  { mediaType: dicomXml, form: 'single' },
];

/** An instance that is stored. */
export interface Stored {
  readonly kind: 'stored';
  readonly uids: InstanceUids;
  readonly sopClass: SOPClassUID;
  readonly warning: WarningReason | undefined;
  readonly comments: readonly string[];
}

export type StoreOutcome = Stored | Refusal;

const tags = {
  errorComment: attribute('ErrorComment'),
  referencedSOPClassUID: attribute('ReferencedSOPClassUID'),
  referencedSOPInstanceUID: attribute('ReferencedSOPInstanceUID'),
  retrieveURL: attribute('RetrieveURL'),
  warningReason: attribute('WarningReason'),
  failureReason: attribute('FailureReason'),
  failedSOPSequence: attribute('FailedSOPSequence'),
  referencedSOPSequence: attribute('ReferencedSOPSequence'),
  failedAttributesSequence: attribute('FailedAttributesSequence'),
} as const;

function sequence(items: readonly DataSet[]): Element {
  return items.length > 0 ? { vr: 'SQ', Value: items } : { vr: 'SQ' };
}

function uidElement(uid: string): Element {
  return { vr: 'UI', Value: [uid] };
}

/** LO holds 64 characters; the Microsoft server writes longer comments, and so do we. */
function failedAttributes(comments: readonly string[], always: boolean): DataSet {
  if (comments.length === 0 && !always) return {};
  const items = comments.map((comment) => ({
    [tags.errorComment]: { vr: 'LO', Value: [comment] },
  })) as DataSet[];
  return { [tags.failedAttributesSequence]: sequence(items) };
}

function storedItem(stored: Stored, baseUrl: string, policy: StorePolicy): DataSet {
  return {
    [tags.referencedSOPClassUID]: uidElement(stored.sopClass),
    [tags.referencedSOPInstanceUID]: uidElement(stored.uids.instance),
    [tags.retrieveURL]: { vr: 'UR', Value: [baseUrl + resourcePath(stored.uids)] },
    ...(stored.warning !== undefined && {
      [tags.warningReason]: { vr: 'US', Value: [warningReasons[stored.warning]] },
    }),
    ...failedAttributes(stored.comments, policy.alwaysListFailedAttributes),
  };
}

function failedItem({ reason, claimed, comments }: Refusal, policy: StorePolicy): DataSet {
  const code = failureReasons[reason][policy.reasonCodes];
  return {
    ...(claimed.sopClass !== undefined && {
      [tags.referencedSOPClassUID]: uidElement(claimed.sopClass),
    }),
    ...(claimed.instance !== undefined && {
      [tags.referencedSOPInstanceUID]: uidElement(claimed.instance),
    }),
    [tags.failureReason]: { vr: 'US', Value: [code] },
    ...failedAttributes(comments, false),
  };
}

function statusOf(
  stored: readonly Stored[],
  failed: readonly Refusal[],
  policy: StorePolicy,
): number {
  if (stored.length === 0) return 409;
  if (failed.length > 0) return 202;
  return stored.some(({ warning }) => warning !== undefined) ? policy.warningStatus : 200;
}

type ResponseContext = Pick<RequestContext, 'baseUrl' | 'profile'>;

/** The data set of the response (PS3.18 §I.1) and its status, when there was something to store. */
export function storeResponseDataSet(
  { baseUrl, profile: { store: policy } }: ResponseContext,
  outcomes: readonly StoreOutcome[],
  study: StudyInstanceUID | undefined,
): { readonly status: number; readonly dataSet: DataSet } {
  const stored = outcomes.filter((outcome) => outcome.kind === 'stored');
  const failed = outcomes.filter((outcome) => outcome.kind === 'refused');
  const dataSet: DataSet = {
    ...(study !== undefined &&
      stored.length > 0 && {
        [tags.retrieveURL]: { vr: 'UR', Value: [baseUrl + resourcePath({ study })] },
      }),
    ...(failed.length > 0 && {
      [tags.failedSOPSequence]: sequence(failed.map((refusal) => failedItem(refusal, policy))),
    }),
    ...(stored.length > 0 && {
      [tags.referencedSOPSequence]: sequence(
        stored.map((item) => storedItem(item, baseUrl, policy)),
      ),
    }),
  };
  return { status: statusOf(stored, failed, policy), dataSet };
}

/**
 * Builds the response (PS3.18 §10.5.3): 200 all stored, 202 some or with warnings, 409 none, 204
 * when there was nothing to store. Others have their turns while it is written: a request may have had thousands of parts.
 *
 * @param study - the study in the path, if any.
 * @param mediaType - of the offer that was chosen.
 */
export async function storeResponse(
  context: ResponseContext,
  outcomes: readonly StoreOutcome[],
  study: StudyInstanceUID | undefined,
  mediaType: string,
): Promise<Reply> {
  if (outcomes.length === 0) return reply(null, { status: 204 });
  await takeTurns();
  const { status, dataSet } = storeResponseDataSet(context, outcomes, study);
  // Exactly this type for JSON of either name: a client reads nothing else (dicomweb-client).
  const [contentType, pieces] =
    mediaType === dicomXml
      ? [dicomXml, nativeXmlPieces(dataSet)]
      : ['application/dicom+json', stringifiedPieces(dataSet)];
  return reply(await joinedInTurns(pieces), { status, headers: { 'Content-Type': contentType } });
}
