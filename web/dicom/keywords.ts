/** Keywords of attributes, for tables of them: the dictionary of the service, loaded when needed. */
import { signal } from '@preact/signals';

type Keywords = ReadonlyMap<string, string>;

/** Keyword by tag; empty until {@link loadKeywords} has done its work. */
export const keywords = signal<Keywords>(new Map());

/** Loads the dictionary once. */
export async function loadKeywords(): Promise<void> {
  if (keywords.value.size > 0) return;
  const { dictionaryLines } = await import('../../src/dicom/dictionary-data.js');
  keywords.value = new Map(
    dictionaryLines
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, 8), line.slice(10)]),
  );
}

/** `PatientName` as `Patient Name`. */
export function titleOf(keyword: string): string {
  return keyword.replace(/([a-z])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4');
}
