/**
 * Reading single values out of a data set (DICOM JSON model) as text or numbers.
 */
import type { DataSet, Element, PersonName, Value } from './data-set.js';
import type { Tag } from './tag.js';

/** Whether a value is a person name; an object that is none is an item of a sequence. */
export function isPersonName(value: Value): value is PersonName {
  return (
    typeof value === 'object' &&
    value !== null &&
    ('Alphabetic' in value || 'Ideographic' in value || 'Phonetic' in value)
  );
}

/** One value as text; a person name as its groups joined by `=`; `undefined` for items and null. */
function textOf(value: Value): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  if (!isPersonName(value)) return undefined;
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = value;
  return [Alphabetic, Ideographic, Phonetic].join('=').replace(/=+$/, '');
}

/** All values of an attribute as text, empty values and items left out. */
export function stringsOf(dataSet: DataSet, tag: Tag): readonly string[] {
  return (dataSet[tag]?.Value ?? []).map(textOf).filter((text) => text !== undefined);
}

/** The first value of an attribute as text; `undefined` when it is absent, empty or a sequence. */
export function stringOf(dataSet: DataSet, tag: Tag): string | undefined {
  const first = dataSet[tag]?.Value?.[0];
  return first === undefined ? undefined : textOf(first);
}

/** The first value of an attribute as a finite number, also when it is a decimal string. */
export function numberOf(dataSet: DataSet, tag: Tag): number | undefined {
  const text = stringOf(dataSet, tag);
  const value = text === undefined || text.trim() === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** The items of a sequence; none when it is absent, empty or no sequence. */
export function itemsOf(dataSet: DataSet, tag: Tag): readonly DataSet[] {
  const element = dataSet[tag];
  return element?.vr === 'SQ' ? ((element.Value ?? []) as readonly DataSet[]) : [];
}

/** The attributes named, those that are there. */
export function pick(dataSet: DataSet, tags: Iterable<Tag>): DataSet {
  const picked: Record<Tag, Element> = {};
  for (const tag of tags) {
    const element = dataSet[tag];
    if (element !== undefined) picked[tag] = element;
  }
  return picked;
}
