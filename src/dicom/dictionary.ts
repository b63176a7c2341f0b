/**
 * The data dictionary (PS3.6): VR and keyword of standard attributes. What it knows comes from
 * `dictionary-data.ts`; the index is built on first use.
 */
import { dictionaryLines } from './dictionary-data.js';
import { isPrivate, parseTag, type Tag } from './tag.js';
import { parseVR, type VR } from './vr.js';

interface Entry {
  readonly tag: Tag | undefined;
  readonly vr: VR;
  readonly keyword: string;
  /** The VR is `US or SS`. */
  readonly signedByPixels: boolean;
}

interface Index {
  readonly byTag: ReadonlyMap<string, Entry>;
  readonly byKeyword: ReadonlyMap<string, Tag>;
  /** Attributes of repeating groups, such as `60xx3000`. */
  readonly repeaters: readonly { readonly pattern: RegExp; readonly entry: Entry }[];
}

let index: Index | undefined;

function readIndex(): Index {
  const byTag = new Map<string, Entry>();
  const byKeyword = new Map<string, Tag>();
  const repeaters = [];
  for (const line of dictionaryLines.trim().split('\n')) {
    const name = line.slice(0, 8);
    const code = line.slice(8, 10);
    const keyword = line.slice(10);
    const tag = parseTag(name);
    const signedByPixels = code === 'xs';
    const entry = {
      tag,
      vr: signedByPixels ? 'US' : (parseVR(code) ?? 'UN'),
      keyword,
      signedByPixels,
    };
    if (tag === undefined) {
      repeaters.push({ pattern: new RegExp(`^${name.replaceAll('x', '[0-9A-F]')}$`), entry });
    } else {
      byTag.set(tag, entry);
      byKeyword.set(keyword, tag);
    }
  }
  return { byTag, byKeyword, repeaters };
}

function find(tag: Tag): Entry | undefined {
  index ??= readIndex();
  const entry = index.byTag.get(tag);
  if (entry !== undefined || isPrivate(tag)) return entry;
  return index.repeaters.find(({ pattern }) => pattern.test(tag))?.entry;
}

/**
 * The VR of an attribute: standard attributes, repeating groups (50xx, 60xx), group lengths and
 * private creators (PS3.5 §7.2, §7.8.1). Where the dictionary leaves a choice it is made as for
 * implicit VR (PS3.5 §A.1): `OB or OW` is OW, `US or SS` is US; see `signedByPixels` for the latter.
 *
 * @returns `undefined` for unknown and for private attributes.
 */
export function vrOf(tag: Tag): VR | undefined {
  const entry = find(tag);
  if (entry !== undefined) return entry.vr;
  if (tag.endsWith('0000')) return 'UL';
  return isPrivate(tag) && /^00(?:[1-9A-F][0-9A-F])$/.test(tag.slice(4)) ? 'LO' : undefined;
}

/**
 * Whether the VR of an attribute is `US or SS`: in implicit VR it is SS when PixelRepresentation
 * (0028,0103) of the image is 1, otherwise US (PS3.5 §A.1).
 */
export function signedByPixels(tag: Tag): boolean {
  return find(tag)?.signedByPixels ?? false;
}

/** The tag of a keyword of PS3.6, in its exact spelling. Repeating groups have no single tag. */
export function tagOf(keyword: string): Tag | undefined {
  index ??= readIndex();
  return index.byKeyword.get(keyword);
}

/** The keyword of a standard attribute, for example `PatientName`. */
export function keywordOf(tag: Tag): string | undefined {
  return find(tag)?.keyword;
}

/** Reads an attribute as a query names it: a keyword or eight hexadecimal digits (PS3.18 §8.3.4). */
export function parseAttribute(text: string): Tag | undefined {
  return parseTag(text) ?? tagOf(text);
}
