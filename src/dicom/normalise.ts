/**
 * The form in which values are compared and indexed: case folds, names also lose their accents and
 * are taken group by group (PS3.4 §C.2.2.2.1).
 */
import type { Element, PersonName, Value } from './data-set.js';

/** Folds case and drops the padding that PS3.5 §6.2 calls insignificant. */
export function normaliseText(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[ \0]+$/, '')
    .replace(/^ +/, '');
}

/** Folds case and accents; empty trailing components do not count (PS3.5 §6.2.1.1). */
export function normaliseName(name: string): string {
  return normaliseText(name.normalize('NFD').replace(/\p{Mn}/gu, '')).replace(/[\^ ]+$/, '');
}

function isPersonName(value: Value): value is PersonName {
  return typeof value === 'object' && value !== null;
}

/** The normalised texts of an element: one per value, for names one per component group. */
export function normalisedValues(element: Element | undefined): readonly string[] {
  const texts: string[] = [];
  for (const value of element?.Value ?? []) {
    if (element?.vr === 'PN' && isPersonName(value)) {
      for (const group of [value.Alphabetic, value.Ideographic, value.Phonetic]) {
        if (group !== undefined) texts.push(normaliseName(group));
      }
    } else if (typeof value === 'string') texts.push(normaliseText(value));
    else if (typeof value === 'number') texts.push(String(value));
  }
  return [...new Set(texts)].filter((text) => text !== '');
}
