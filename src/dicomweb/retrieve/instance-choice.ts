/** Which transfer syntax each instance of an answer is sent in (PS3.18 §8.7). */
import { transferSyntaxOf, type TransferSyntax } from '../../dicom/transfer-syntax.js';
import type { StudyInstanceUID, SeriesInstanceUID } from '../../dicom/uid.js';
import type { Choice, Offer } from '../../http/accept.js';
import { instanceProperties, type InstanceRecord } from '../../storage/archive/records.js';
import { acceptedOf, chooseRepresentation, syntaxToSend } from '../negotiation.js';
import { flatten } from '../read-ahead.js';
import type { RequestContext } from '../route.js';
import { requestedInstances } from './requested-version.js';
import { loadImage, storedImage, type StoredImage } from './stored-image.js';
import { storedSyntax } from './stored-syntax.js';
import type { RetrievePolicy } from './retrieve-policy.js';
import {
  conceivableTargets,
  explicitLittleEndian,
  fileTargets,
  sendable,
  touchesPixels,
} from './transcode-targets.js';

export const dicom = 'application/dicom';

/** How an instance is sent. */
export interface ChosenInstance {
  readonly record: InstanceRecord;
  readonly choice: Choice;
  readonly to: TransferSyntax;
  /** There when the instance has to be transcoded. */
  readonly image?: StoredImage;
}

/** A way to hand over files. */
export type Packaging = Pick<Offer, 'mediaType' | 'form'>;

/**
 * What a file can be had in: as stored, and re-encoded; by default explicit VR little endian
 * (PS3.18 table 8.7.3-2), and in an archive as stored.
 */
export function fileOffers(
  stored: TransferSyntax,
  targets: readonly TransferSyntax[],
  packagings: readonly Packaging[],
  policy: RetrievePolicy,
): readonly Offer[] {
  const transferSyntaxes = sendable(stored, targets, policy).map(({ uid }) => uid);
  if (transferSyntaxes.length === 0) return [];
  const plain = transferSyntaxes.some((uid) => uid === explicitLittleEndian);
  return packagings.map((packaging) => ({
    ...packaging,
    transferSyntaxes,
    ...(plain && packaging.mediaType === dicom && { defaultTransferSyntax: explicitLittleEndian }),
  }));
}

/**
 * Settles how an instance is sent: by the transfer syntaxes at first, and by what is known of its
 * pixels when they have to be decoded.
 *
 * @throws ServiceError `not-acceptable`; `instance-not-found` when it was deleted meanwhile.
 */
export async function chooseInstance(
  context: RequestContext,
  record: InstanceRecord,
  packagings: readonly Packaging[],
): Promise<ChosenInstance> {
  const { request, services, profile } = context;
  const from = storedSyntax(record);
  const choice = chooseRepresentation(
    request,
    fileOffers(from, conceivableTargets(from), packagings, profile.retrieve),
  );
  if (syntaxToSend(choice) === from.uid) return { record, choice, to: from };

  const image = await loadImage(context, record);
  const targets = fileTargets(image, services.limits.pixels);
  const offers = fileOffers(image.syntax, targets, packagings, profile.retrieve);
  const settled = chooseRepresentation(request, offers);
  const to = transferSyntaxOf(syntaxToSend(settled)) ?? image.syntax;
  const same = to.uid === image.syntax.uid;
  return { record: image.record, choice: settled, to, ...(!same && { image }) };
}

/** Whether a request takes instances in whatever syntax they are stored, if it must. */
function takesAnySyntax({ request }: RequestContext, packaging: Packaging): boolean {
  return acceptedOf(request, [{ ...packaging, transferSyntaxes: [''] }]) !== undefined;
}

/**
 * Refuses a request for several instances, before the first byte, when one of them cannot be had in
 * any syntax that the request names. Instances that appear or change later are not seen.
 *
 * @throws ServiceError `not-acceptable`
 */
export async function checkInstances(
  context: RequestContext,
  study: StudyInstanceUID,
  series: SeriesInstanceUID | undefined,
  packaging: Packaging,
): Promise<void> {
  if (takesAnySyntax(context, packaging)) return;
  const { request, services, profile } = context;
  const { limits } = services;
  /** Whether pixels have to be decoded, which their attributes may not permit. */
  const isOpen = (record: InstanceRecord): boolean => {
    const from = storedSyntax(record);
    const offers = fileOffers(from, conceivableTargets(from), [packaging], profile.retrieve);
    const to = transferSyntaxOf(syntaxToSend(chooseRepresentation(request, offers)));
    return to !== undefined && to.uid !== from.uid && touchesPixels(from, to);
  };
  let open = false;
  const records = requestedInstances(context, study, series, instanceProperties);
  for await (const { record } of flatten(records)) {
    open = isOpen(record) || open;
  }
  if (!open) return;
  for await (const row of flatten(requestedInstances(context, study, series, 'all'))) {
    if (!isOpen(row.record)) continue;
    const image = await storedImage(context, row);
    const targets = fileTargets(image, limits.pixels);
    const offers = fileOffers(image.syntax, targets, [packaging], profile.retrieve);
    chooseRepresentation(request, offers);
  }
}
