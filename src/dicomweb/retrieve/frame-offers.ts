/** In which media types and transfer syntaxes frames are offered (PS3.18 tables 8.7.3-4 and 8.7.3-5). */
import {
  transferSyntaxes,
  transferSyntaxOf,
  type TransferSyntax,
} from '../../dicom/transfer-syntax.js';
import type { Choice, Offer } from '../../http/accept.js';
import { syntaxToSend } from '../negotiation.js';
import type { RetrievePolicy } from './retrieve-policy.js';
import { explicitLittleEndian, sendable } from './transcode-targets.js';

const octetStream = 'application/octet-stream';

/**
 * The offers of a frame that is stored in one syntax and can be had in others. As bytes it comes in
 * any of them, by default uncompressed where that can be; as an image in those of the media type, by
 * default as stored, else lossless.
 */
export function frameOffers(
  stored: TransferSyntax,
  targets: readonly TransferSyntax[],
  forms: readonly Offer['form'][],
  policy: RetrievePolicy,
): readonly Offer[] {
  const syntaxes = sendable(stored, targets, policy);
  if (syntaxes.length === 0) return [];
  const byType = new Map<string, string[]>([[octetStream, syntaxes.map(({ uid }) => uid)]]);
  for (const { uid, frameMediaType } of syntaxes) {
    if (frameMediaType === octetStream) continue;
    const known = byType.get(frameMediaType);
    if (known === undefined) byType.set(frameMediaType, [uid]);
    else known.push(uid);
  }
  const plain = syntaxes.some(({ uid }) => uid === explicitLittleEndian);
  return forms.flatMap((form) =>
    [...byType].map(([mediaType, transferSyntaxes]) => ({
      mediaType,
      form,
      transferSyntaxes,
      ...(mediaType === octetStream && plain && { defaultTransferSyntax: explicitLittleEndian }),
    })),
  );
}

/** Every media type that a frame of some instance comes in. */
export const frameMediaTypes: readonly string[] = [
  ...new Set([octetStream, ...transferSyntaxes.map(({ frameMediaType }) => frameMediaType)]),
];

/** What frames can be had in as far as nothing is known of them. */
export const anyFrameOffers: readonly Offer[] = (['multipart', 'single'] as const).flatMap((form) =>
  frameMediaTypes.map((mediaType) => ({ mediaType, form })),
);

/** The media type in which a frame comes: compressed ones may be no plain bytes. */
export function frameType(
  { mediaType }: Offer,
  to: TransferSyntax,
  { compressedFrames }: RetrievePolicy,
): string {
  return compressedFrames === 'own-type' && to.encapsulated ? to.frameMediaType : mediaType;
}

/** The syntax that was chosen among such offers. */
export function chosenSyntax(choice: Choice, stored: TransferSyntax): TransferSyntax {
  return transferSyntaxOf(syntaxToSend(choice)) ?? stored;
}
