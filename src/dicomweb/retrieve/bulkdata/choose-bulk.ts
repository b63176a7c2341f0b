/** In which media type and transfer syntax a bulk value, or the frames of it, is sent (PS3.18 §8.7.3, §10.4.4). */
import type { TransferSyntax } from '../../../dicom/transfer-syntax.js';
import { ServiceError } from '../../../errors.js';
import type { Offer } from '../../../http/accept.js';
import { formatMediaType } from '../../../http/media-type.js';
import type { InstanceIndex, InstanceRecord } from '../../../storage/archive/records.js';
import { chooseRepresentation, syntaxToSend } from '../../negotiation.js';
import type { RequestContext } from '../../route.js';
import { chosenSyntax, frameMediaTypes, frameOffers, frameType } from '../frame-offers.js';
import type { RetrievePolicy } from '../retrieve-policy.js';
import { loadImage, type StoredImage } from '../stored-image.js';
import { storedSyntax } from '../stored-syntax.js';
import { conceivableTargets, frameTargets, haveSameFrames } from '../transcode-targets.js';
import { hasFrames, type BulkResource } from './bulk-resource.js';

export const octetStream = 'application/octet-stream';

/** All that a value can be had in. */
export const anyValueOffers: readonly Offer[] = [...frameMediaTypes, 'application/pdf'].flatMap(
  (mediaType) => [
    { mediaType, form: 'multipart' },
    { mediaType, form: 'single' },
  ],
);

/** What many values are sent in. */
export const valuesOffers: readonly Offer[] = [{ mediaType: octetStream, form: 'multipart' }];

/** A value of a stored instance. */
export interface FoundBulk {
  readonly record: InstanceRecord;
  readonly index: InstanceIndex;
  readonly resource: BulkResource;
  /** Whether it stands for frames, not for the value that they make up. */
  readonly frameByFrame: boolean;
}

/** How it is sent. */
export interface ChosenBulk extends FoundBulk {
  readonly form: Offer['form'];
  readonly mediaType: string;
  /** The media type with the transfer syntax, where that is told. */
  readonly contentType: string;
  /** There when its frames have to be taken to another syntax. */
  readonly transcode?: { readonly image: StoredImage; readonly to: TransferSyntax };
}

/** A value in plain bytes, or in its own type. */
function valueOffers(
  forms: readonly Offer['form'][],
  ownType: string | undefined,
): readonly Offer[] {
  const mediaTypes = [...new Set([ownType ?? octetStream, octetStream])];
  return mediaTypes.flatMap((mediaType) => forms.map((form) => ({ mediaType, form })));
}

/** Compressed bytes that nothing here decodes. */
function compressedOffers(from: TransferSyntax, forms: readonly Offer['form'][]): readonly Offer[] {
  return valueOffers(forms, from.frameMediaType).map((offer) => ({
    ...offer,
    transferSyntaxes: [from.uid],
  }));
}

/** Pixel data; several compressed frames come in parts only, and what comes as it is stored is preferred. */
function pixelOffers(
  { resource, index, frameByFrame }: FoundBulk,
  from: TransferSyntax,
  targets: readonly TransferSyntax[],
  forms: readonly Offer['form'][],
  policy: RetrievePolicy,
): readonly Offer[] {
  const several = (index.frames?.frames ?? 0) > 1;
  const alone = (one: TransferSyntax) => !one.encapsulated || !(several || frameByFrame);
  const offers = frameOffers(from, targets, forms, policy).flatMap((offer) => {
    if (offer.form === 'multipart') return [offer];
    const known = [from, ...targets].filter(alone).map(({ uid }) => String(uid));
    const transferSyntaxes = offer.transferSyntaxes?.filter((uid) => known.includes(uid)) ?? [];
    return transferSyntaxes.length === 0 ? [] : [{ ...offer, transferSyntaxes }];
  });
  const rank = ({ form, mediaType }: Offer) =>
    (resource.kind === 'frames' && form === 'single' ? 2 : 0) +
    (mediaType === from.frameMediaType ? 0 : 1);
  return offers.toSorted((one, other) => rank(one) - rank(other));
}

function offersOf(
  found: FoundBulk,
  from: TransferSyntax,
  targets: readonly TransferSyntax[],
  forms: readonly Offer['form'][],
  policy: RetrievePolicy,
  ownType?: string,
): readonly Offer[] {
  if (hasFrames(found.resource, found.index)) {
    return pixelOffers(found, from, targets, forms, policy);
  }
  return found.resource.kind === 'fragments'
    ? compressedOffers(from, forms)
    : valueOffers(forms, ownType);
}

/** Whether what is stored goes out as it is; a native value is turned round while it is read. */
function isSentAsStored(
  { resource }: FoundBulk,
  from: TransferSyntax,
  to: TransferSyntax,
): boolean {
  return (
    haveSameFrames(from, to) ||
    (resource.kind === 'bytes' && !from.encapsulated && !to.encapsulated)
  );
}

/**
 * Settles how a value is sent: by the transfer syntaxes at first, and by what is known of the pixels when
 * they have to be decoded.
 *
 * @param ownType the media type of a document.
 * @param stored reads what is known of the pixels, where that has been read already.
 * @throws ServiceError `not-acceptable`; `instance-not-found` when it was deleted meanwhile.
 */
export async function chooseBulk(
  context: RequestContext,
  found: FoundBulk,
  forms: readonly Offer['form'][],
  { ownType, stored }: { readonly ownType?: string; readonly stored?: StoredImage } = {},
): Promise<ChosenBulk> {
  const { request, services, profile } = context;
  const policy = profile.retrieve;
  const { record, index, resource } = found;
  const from = storedSyntax(record);
  const choose = (targets: readonly TransferSyntax[]) =>
    chooseRepresentation(request, offersOf(found, from, targets, forms, policy, ownType));

  if (!hasFrames(resource, index)) {
    const { offer } = choose([]);
    const { form } = offer;
    if (resource.kind !== 'fragments') {
      const { mediaType } = offer;
      return { ...found, form, mediaType, contentType: mediaType };
    }
    const mediaType = frameType(offer, from, policy);
    return { ...found, form, mediaType, contentType: labelled(mediaType, from) };
  }

  let choice = choose(conceivableTargets(from));
  let to = chosenSyntax(choice, from);
  let image: StoredImage | undefined;
  if (!isSentAsStored(found, from, to)) {
    image = stored ?? (await loadImage(context, record, index));
    if (image.record.version !== record.version) {
      throw new ServiceError('instance-not-found', 'The instance has just been replaced.');
    }
    choice = choose(frameTargets(image, services.limits.pixels));
    to = chosenSyntax(choice, from);
  }
  const { form } = choice.offer;
  const mediaType = frameType(choice.offer, to, policy);
  const isValue = !from.encapsulated && !to.encapsulated && resource.kind === 'bytes';
  const contentType = isValue ? mediaType : labelled(mediaType, to);
  return {
    ...found,
    form,
    mediaType,
    contentType,
    ...(image !== undefined && !isSentAsStored(found, from, to) && { transcode: { image, to } }),
  };
}

function labelled(mediaType: string, to: TransferSyntax): string {
  return formatMediaType(mediaType, { 'transfer-syntax': to.uid });
}

/** Whether the pixels have to be known before it can be said how a value is sent. */
export function dependsOnPixels({ request, profile }: RequestContext, found: FoundBulk): boolean {
  const from = storedSyntax(found.record);
  const targets = conceivableTargets(from);
  const offers = offersOf(found, from, targets, ['multipart'], profile.retrieve);
  const choice = chooseRepresentation(request, offers);
  return (
    hasFrames(found.resource, found.index) &&
    syntaxToSend(choice) !== from.uid &&
    !isSentAsStored(found, from, chosenSyntax(choice, from))
  );
}
