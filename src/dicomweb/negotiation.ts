/** Choosing the representation of an answer from what a route offers. */
import { ServiceError } from '../errors.js';
import {
  describeOffers,
  negotiate,
  parseAccept,
  type AcceptRange,
  type Choice,
  type Offer,
} from '../http/accept.js';
import { queryValues } from '../http/query-string.js';
import type { RequestHead } from '../http/incoming-request.js';
import { BoundedCache } from '../bounded-cache.js';

const mostKnownCharacters = 64 * 1024;

/** The representation that a request asks for (PS3.18 §8.7.5); `undefined` when it is not offered. */
export function acceptedOf(request: RequestHead, offers: readonly Offer[]): Choice | undefined {
  return negotiate(rangesOf(request), offers);
}

/** What clients accept, by how they say it: few do otherwise than others or than before. */
const known = new BoundedCache<readonly AcceptRange[]>(mostKnownCharacters);

function rangesOf(request: RequestHead): readonly AcceptRange[] {
  const accept = queryValues(request.query, 'accept');
  const header = request.headers.get('accept');
  const said = JSON.stringify([header, ...accept]);
  const before = known.get(said);
  if (before !== undefined) return before;
  const ranges = parseAccept(header, accept);
  known.set(said, ranges, said.length);
  return ranges;
}

/** Tells requests apart that accept different things; for entity tags of answers with many choices. */
export function acceptKey(request: RequestHead): string {
  return JSON.stringify(rangesOf(request));
}

/**
 * The representation to send (PS3.18 §8.7.5): the `accept` query parameter comes before the header.
 *
 * @throws ServiceError `not-acceptable` that lists what is offered.
 */
export function chooseRepresentation(request: RequestHead, offers: readonly Offer[]): Choice {
  const choice = acceptedOf(request, offers);
  if (choice === undefined) {
    const offered = describeOffers(offers);
    throw new ServiceError(
      'not-acceptable',
      offered.length === 0
        ? 'The instance is stored in a transfer syntax that web services do not send (PS3.18 §8.7.3), and cannot be had in another.'
        : `None of the media types and transfer syntaxes asked for is offered. Offered: ${offered.join(' | ')}`,
      { offered },
    );
  }
  return choice;
}

/**
 * The transfer syntax to send (PS3.18 §8.7.3): the one asked for; by default that of the media type
 * when it was named without one; and the first of the offer, which is the stored one where it can be,
 * to those who take any.
 */
export function syntaxToSend({ offer, transferSyntax, byName }: Choice): string {
  const [first = ''] = offer.transferSyntaxes ?? [];
  const takesAny = transferSyntax === '*' || (transferSyntax === undefined && !byName);
  return takesAny ? first : (transferSyntax ?? offer.defaultTransferSyntax ?? first);
}

/** JSON that is no DICOM: what answers about the service are in, and bodies that ask for something. */
export const jsonOffers: readonly Offer[] = [{ mediaType: 'application/json', form: 'single' }];

/** What every route with a DICOM JSON answer offers. */
export const dicomJsonOffers: readonly Offer[] = [
  { mediaType: 'application/dicom+json', form: 'single' },
  { mediaType: 'application/json', form: 'single' },
];
