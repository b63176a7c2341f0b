/** Tags as eight upper-case hexadecimal digits, the spelling of the DICOM JSON model (PS3.18 §F.2.2). */

declare const brand: unique symbol;

/** For example `0020000D`. Made by `parseTag`, `tagFrom` or the dictionary only. */
export type Tag = string & { readonly [brand]: 'Tag' };

/** Reads eight hexadecimal digits in either case. */
export function parseTag(text: string): Tag | undefined {
  return /^[0-9A-Fa-f]{8}$/.test(text) ? (text.toUpperCase() as Tag) : undefined;
}

/** Two digits for each byte: tags are spelled for every element that is read. */
const digits = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0').toUpperCase(),
);

/** The tag of a group and an element number, as DICOM JSON spells it (PS3.18 §F.2.2). */
export function tagFrom(group: number, element: number): Tag {
  return `${digits[(group >> 8) & 0xff]}${digits[group & 0xff]}${digits[(element >> 8) & 0xff]}${digits[element & 0xff]}` as Tag;
}

/** The integer one, or encapsulated (PS3.3 §C.7.6.3). */
export const pixelDataTag = '7FE00010' as Tag;

/** Float, Double Float and integer Pixel Data (PS3.3 §C.7.6.24, §C.7.6.25, §C.7.6.3). */
export const pixelDataTags: ReadonlySet<string> = new Set(['7FE00008', '7FE00009', pixelDataTag]);

/** Private tags have an odd group (PS3.5 §7.8). */
export function isPrivate(tag: Tag): boolean {
  return Number.parseInt(tag.slice(0, 4), 16) % 2 === 1;
}

/** The attribute that names the creator of a private attribute (PS3.5 §7.8.1). */
export function creatorOf(tag: Tag): Tag | undefined {
  const block = tag.slice(4, 6);
  return isPrivate(tag) && block >= '10' ? parseTag(`${tag.slice(0, 4)}00${block}`) : undefined;
}

/** `(gggg,eeee)` in lower case, as error comments spell it. */
export function formatTag(tag: Tag): string {
  return `(${tag.slice(0, 4)},${tag.slice(4)})`.toLowerCase();
}
