/** Judges a query tag that is to be added, in the order and the words of the Microsoft server. */
import { attribute } from '../../dicom/attribute.js';
import { signedByPixels, vrOf } from '../../dicom/dictionary.js';
import { creatorOf, isPrivate, type Tag } from '../../dicom/tag.js';
import { hasControl } from '../../dicom/vr-rules.js';
import { parseVR, type VR } from '../../dicom/vr.js';
import { indexableVRs, type QueryTag } from '../../storage/archive/index/query-tags.js';
import type { Level } from '../../storage/archive/keys.js';
import { invalidMember, objectAt, textAt } from '../json-body.js';
import { microsoftQueryTags } from '../microsoft-query-tags.js';
import { invalidTag, readPath } from './read-path.js';

/** Attributes that the Microsoft server indexes by itself. */
export const coreAttributes: ReadonlySet<Tag> = new Set([
  ...microsoftQueryTags,
  ...['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'ModalitiesInStudy'].map(
    attribute,
  ),
]);

/** A tag as a request has it. */
export interface RequestedTag {
  readonly path: string;
  readonly level: Level;
  readonly vr: string | undefined;
  readonly creator: string | undefined;
}

const levels: Readonly<Record<string, Level>> = {
  instance: 'instance',
  series: 'series',
  study: 'study',
};

function required(value: string | undefined, at: number, name: string): string {
  if (value !== undefined && value.trim() !== '') return value;
  throw invalidMember(
    `[${at}].${name}`,
    `The Dicom Tag Property ${name} must be specified and must not be null, empty or whitespace`,
  );
}

/** Reads the members of one entry of the body. @throws ServiceError `invalid-body`. */
export function readRequested(value: unknown, at: number): RequestedTag {
  const object = objectAt(value, `$[${at}]`);
  const path = required(textAt(object, 'path', `$[${at}]`), at, 'Path');
  const name = required(textAt(object, 'level', `$[${at}]`), at, 'Level');
  const key = name.toLowerCase();
  const level = Object.hasOwn(levels, key) ? levels[key] : undefined;
  if (level === undefined) {
    throw invalidMember(
      `$[${at}].Level`,
      `Expected value '${name}' to be one of the following values: ['Instance', 'Series', 'Study']`,
    );
  }
  const vr = textAt(object, 'vr', `$[${at}]`);
  const creator = textAt(object, 'privateCreator', `$[${at}]`);
  return { path, level, vr, creator };
}

/** The attribute names the creator of a block (PS3.5 §7.8.1). */
function isCreatorElement(tag: Tag): boolean {
  return isPrivate(tag) && /^00[1-9A-F]/.test(tag.slice(4));
}

function checkCreator(path: string, tag: Tag, creator: string | undefined): void {
  const isGiven = creator !== undefined && creator !== '';
  if (!isPrivate(tag)) {
    if (!isGiven) return;
    throw invalidTag(`The private creator is not empty for standard tag '${path}'.`);
  }
  if (isCreatorElement(tag)) {
    if (!isGiven) return;
    throw invalidTag(`The private creator is not empty for private identification code '${path}'.`);
  }
  if (!isGiven || creatorOf(tag) === undefined) {
    throw invalidTag(`The private creator for private tag '${path}' is missing.`);
  }
  if (creator.length > 64 || creator.includes('\\') || hasControl(creator)) {
    throw invalidTag(`The private creator for tag '${path}' is not a valid LO attribute.`);
  }
}

/** The VRs that the dictionary has for a tag, the first of them by default; `undefined` for private ones. */
function knownVRs(tag: Tag): readonly VR[] | undefined {
  if (isPrivate(tag) && !isCreatorElement(tag)) return undefined;
  return signedByPixels(tag) ? ['US', 'SS'] : [vrOf(tag) ?? 'UN'];
}

function chooseVR(path: string, tag: Tag, given: string | undefined): VR {
  const known = knownVRs(tag);
  const isGiven = given !== undefined && given.trim() !== '';
  if (!isGiven && known === undefined) throw invalidTag(`The vr for tag '${path}' is missing.`);
  const name = (given ?? '').toUpperCase();
  const vr = isGiven ? parseVR(name) : known?.[0];
  if (vr === undefined) throw invalidTag(`The VR code '${name}' for tag '${path}' is invalid.`);
  if (known !== undefined && !known.includes(vr)) {
    throw invalidTag(
      `The VR code '${vr}' is incorrectly specified for '${path}'. The expected VR code for it is '${known[0] ?? ''}'. ` +
        'Retry this request either with the correct VR code or without specifying it.',
    );
  }
  if (!indexableVRs.has(vr)) {
    throw invalidTag(`The VR code '${vr}' specified for tag '${path}' is not supported.`);
  }
  return vr;
}

/**
 * Judges the tags of a request one after the other.
 *
 * @throws ServiceError `invalid-query-tag` for the first fault.
 */
export function judgeNewTags(requested: readonly RequestedTag[]): readonly QueryTag[] {
  const judged: QueryTag[] = [];
  for (const { path, level, vr: given, creator } of requested) {
    const tag = readPath(path);
    if (coreAttributes.has(tag)) throw invalidTag(`The query tag '${path}' is already supported.`);
    checkCreator(path, tag, creator);
    const vr = chooseVR(path, tag, given);
    if (judged.some((one) => one.tag === tag)) {
      throw invalidTag(`The extended query tag '${path}' has been specified before.`);
    }
    const isOwned = creator !== undefined && creator !== '';
    judged.push({ tag, vr, level, ...(isOwned && { creator }) });
  }
  return judged;
}
