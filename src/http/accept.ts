/**
 * Content negotiation (PS3.18 §8.7): which of the representations a resource offers is sent.
 * Reads whatever viewers send, leniently: an entry that cannot be read never spoils the others.
 */
import { splitUnquoted } from './header-list.js';
import { formatMediaType, parseMediaType, type MediaType } from './media-type.js';

/** One entry of an Accept header or query parameter. */
export interface AcceptRange {
  /** Lower case, by its present name; of the parts for `multipart/related`; with wildcards. */
  readonly mediaType: string;
  /** A bare wildcard takes either form. */
  readonly form: 'single' | 'multipart' | 'any';
  /** A UID, `*` for "as stored", undefined when none was named. */
  readonly transferSyntax: string | undefined;
  /** Weight from 0 (refused) to 1. */
  readonly quality: number;
}

/** A representation that a resource can be had in. */
export interface Offer {
  readonly mediaType: string;
  readonly form: 'single' | 'multipart';
  /** UIDs it can be had in, as stored or preferred first; absent where there is no such thing. */
  readonly transferSyntaxes?: readonly string[];
  /** The one of them that an entry stands for which names the media type and no syntax; the first
   * when left out. */
  readonly defaultTransferSyntax?: string;
}

/** The representation that an answer goes out in (RFC 9110 §12.5.1). */
export interface Choice {
  readonly offer: Offer;
  /** As asked: a UID that the offer has, `*`, or undefined when the client named none. */
  readonly transferSyntax: string | undefined;
  /** Whether the client named the media type, rather than take any. */
  readonly byName: boolean;
}

/** Names that media types had in older clients and editions of the standard. */
const presentNames: ReadonlyMap<string, string> = new Map([
  ['image/jpg', 'image/jpeg'],
  ['image/dicom+jpeg', 'image/jpeg'],
  ['image/jll', 'image/jpeg'],
  ['image/x-jls', 'image/jls'],
  ['image/dicom+jpeg-ls', 'image/jls'],
  ['image/x-dicom-rle', 'image/dicom-rle'],
  ['image/dicom+rle', 'image/dicom-rle'],
  ['image/dicom+jp2', 'image/jp2'],
  ['image/dicom+jpx', 'image/jpx'],
  ['image/jhc', 'image/jphc'],
]);

const anything: AcceptRange = {
  mediaType: '*/*',
  form: 'any',
  transferSyntax: undefined,
  quality: 1,
};

/**
 * Reads the Accept header (several lines joined by commas) and the values of the `accept` query
 * parameter, which overrides the header when at least one entry of it can be read (PS3.18 §8.7.6:
 * it is for links whose header the client cannot set). No header, or an empty one, accepts all.
 * Never throws; what cannot be read is left out.
 */
export function parseAccept(
  header: string | null,
  accept: readonly string[] = [],
): readonly AcceptRange[] {
  const overriding = accept.flatMap(parseRanges);
  if (overriding.length > 0) return overriding;
  return header === null || header.trim() === '' ? [anything] : parseRanges(header);
}

/**
 * Chooses the representation to send; undefined means 406. The order: weight; then an entry that
 * takes the bytes as stored (`transfer-syntax=*`); then the more specific entry; then one that names
 * the first syntax of its offer; then the order of the entries; then the order of the offers. As in RFC 9110 §12.5.1 the weight of an offer is that
 * of the most specific entries that match it. A weight of 0 refuses what its entry says: the media type, or one
 * syntax of it.
 */
export function negotiate(
  ranges: readonly AcceptRange[],
  offers: readonly Offer[],
): Choice | undefined {
  const refusing = ranges.filter(({ quality }) => quality === 0);
  const candidates = offers.flatMap((whole) => {
    const offer = withoutRefused(whole, refusing);
    if (offer === undefined) return [];
    const matching = ranges.flatMap((range, order) => {
      const choice = match(range, offer);
      if (choice === undefined) return [];
      return [{ choice, order, specificity: specificityOf(range), quality: range.quality }];
    });
    if (matching.length === 0) return [];
    const highest = Math.max(...matching.map(({ specificity }) => specificity));
    const deciding = matching.filter(({ specificity }) => specificity === highest);
    const refused = deciding
      .filter(({ quality }) => quality === 0)
      .map(({ choice }) => choice.transferSyntax);
    return deciding.filter(({ choice }) => !refused.includes(choice.transferSyntax));
  });
  const asStored = ({ choice }: (typeof candidates)[number]) =>
    choice.transferSyntax === '*' ? 1 : 0;
  const namesFirst = ({ choice: { offer, transferSyntax } }: (typeof candidates)[number]) =>
    transferSyntax !== undefined && transferSyntax === offer.transferSyntaxes?.[0] ? 1 : 0;
  const [best] = candidates.sort(
    (a, b) =>
      b.quality - a.quality ||
      asStored(b) - asStored(a) ||
      b.specificity - a.specificity ||
      namesFirst(b) - namesFirst(a) ||
      a.order - b.order,
  );
  return best?.choice;
}

/** An offer without the syntaxes that ranges of weight 0 refuse; `undefined` when none is left. */
function withoutRefused(offer: Offer, refusing: readonly AcceptRange[]): Offer | undefined {
  const refused = refusing.flatMap((range) =>
    range.transferSyntax !== undefined && match(range, offer) !== undefined
      ? [range.transferSyntax]
      : [],
  );
  const { transferSyntaxes, defaultTransferSyntax, ...packaging } = offer;
  if (transferSyntaxes === undefined || refused.length === 0) return offer;
  const left = transferSyntaxes.filter((uid) => !refused.includes(uid));
  const isDefaultLeft = defaultTransferSyntax !== undefined && left.includes(defaultTransferSyntax);
  return left.length === 0
    ? undefined
    : { ...packaging, transferSyntaxes: left, ...(isDefaultLeft && { defaultTransferSyntax }) };
}

/** The offers as Accept entries, one per transfer syntax: what a 406 tells the client to ask for. */
export function describeOffers(offers: readonly Offer[]): string[] {
  const lines = offers.flatMap(({ mediaType, form, transferSyntaxes = [undefined] }) =>
    transferSyntaxes.map((transferSyntax) =>
      form === 'multipart'
        ? formatMediaType('multipart/related', {
            type: mediaType,
            'transfer-syntax': transferSyntax,
          })
        : formatMediaType(mediaType, { 'transfer-syntax': transferSyntax }),
    ),
  );
  return [...new Set(lines)];
}

function parseRanges(text: string): AcceptRange[] {
  return splitUnquoted(text, ',').flatMap((entry) => {
    const range = parseRange(entry);
    return range === undefined ? [] : [range];
  });
}

function parseRange(entry: string): AcceptRange | undefined {
  const outer = parseMediaType(repaired(entry));
  if (outer === undefined) return undefined;
  const quality = qualityOf(outer.parameters.get('q'));
  if (outer.essence !== 'multipart/related' && outer.essence !== 'multipart/*') {
    const mediaType = presentName(outer.essence);
    const form = mediaType === '*/*' ? 'any' : 'single';
    return { mediaType, form, transferSyntax: transferSyntaxOf(outer), quality };
  }
  // Some clients write the parameters of the parts into the quoted type itself.
  const inner = parseMediaType(repaired(outer.parameters.get('type') ?? '*/*'));
  if (inner === undefined) return undefined;
  return {
    mediaType: presentName(inner.essence),
    form: 'multipart',
    transferSyntax: transferSyntaxOf(outer) ?? transferSyntaxOf(inner),
    quality,
  };
}

/** Restores what a query string does to '+', and the lone `*` of Java clients. */
function repaired(entry: string): string {
  const [essence = '', ...parameters] = splitUnquoted(entry, ';');
  return [essence === '*' ? '*/*' : essence.replace(/\s+/, '+'), ...parameters].join(';');
}

function presentName(mediaType: string): string {
  return presentNames.get(mediaType) ?? mediaType;
}

function transferSyntaxOf({ parameters }: MediaType): string | undefined {
  const value = parameters.get('transfer-syntax')?.trim();
  return value === '' ? undefined : value;
}

/** A weight that cannot be read counts as 1, as if it had not been written. */
function qualityOf(text: string | undefined): number {
  if (text === undefined || !/^(\d+\.?\d*|\.\d+)$/.test(text)) return 1;
  return Math.min(Number(text), 1);
}

function match(range: AcceptRange, offer: Offer): Choice | undefined {
  if (range.form !== 'any' && range.form !== offer.form) return undefined;
  if (!covers(range.mediaType, offer.mediaType)) return undefined;
  const byName = !range.mediaType.endsWith('/*');
  if (offer.transferSyntaxes === undefined || range.transferSyntax === undefined) {
    return { offer, transferSyntax: undefined, byName };
  }
  const available =
    range.transferSyntax === '*' || offer.transferSyntaxes.includes(range.transferSyntax);
  return available ? { offer, transferSyntax: range.transferSyntax, byName } : undefined;
}

function covers(range: string, mediaType: string): boolean {
  if (range === '*/*') return true;
  return range.endsWith('/*') ? mediaType.startsWith(range.slice(0, -1)) : range === mediaType;
}

/** From 0 for a bare wildcard to 3 for a media type by name. */
function specificityOf({ mediaType, form }: AcceptRange): number {
  if (mediaType === '*/*') return form === 'any' ? 0 : 1;
  return mediaType.endsWith('/*') ? 2 : 3;
}
