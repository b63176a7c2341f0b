/**
 * How a file spells values where the DICOM JSON model has them otherwise. The Microsoft server shows
 * numbers with all their digits (`1.0`) and text with the nulls at its end; PS3.18 §F.2.3 does not ask for it.
 */
import { defaultCharacterSet, type CharacterSet } from './text/character-set.js';
import type { PersonName } from './data-set.js';
import type { RawDataSet } from './raw-data-set.js';
import { characterSetWithin, writtenValuesOf } from './raw-value.js';
import type { Tag } from './tag.js';

/** One value: a JSON number or text as the file has it, or what is within an item; `null` when the model has it so. */
export type Spelled = string | PersonName | Spelling | null;

/** The attributes that the model spells otherwise, with an entry for each value or item. */
export interface Spelling {
  readonly [tag: Tag]: readonly Spelled[];
}

function* spelledIn(
  { elements }: RawDataSet,
  characterSet: CharacterSet,
): Generator<readonly [Tag, readonly Spelled[]], void, undefined> {
  for (const element of elements) {
    const { tag, items } = element;
    const spelled =
      items === undefined
        ? writtenValuesOf(element, characterSet)
        : items.map((item) => withinItem(item, characterSet));
    if (spelled?.some((one) => one !== null)) yield [tag, spelled];
  }
}

function withinItem(item: RawDataSet, outer: CharacterSet): Spelling | null {
  const spelling = Object.fromEntries(spelledIn(item, characterSetWithin(item, outer)));
  return Object.keys(spelling).length === 0 ? null : spelling;
}

/** The attributes of a data set that the model of `toDataSet` spells otherwise, one by one. */
export function spellingsOf(
  raw: RawDataSet,
): Generator<readonly [Tag, readonly Spelled[]], void, undefined> {
  return spelledIn(raw, characterSetWithin(raw, defaultCharacterSet));
}
