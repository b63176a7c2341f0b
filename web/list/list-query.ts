/** From the filters in the page's URL to a search, and which columns can be sorted by. */
import type { ListQuery } from '../route.js';

/** Filters as they stand in the URL of the page. */
export type FilterName = 'name' | 'id' | 'accession' | 'description' | 'modality' | 'from' | 'to';

const pageSize = 100;
const fields = ['NumberOfStudyRelatedSeries', 'NumberOfStudyRelatedInstances', 'PatientBirthDate'];

/** `*` and `?` have a meaning in a key; whoever types them means it. */
const anywhere = (typed: string) => `*${typed.trim().split(/\s+/).join('*')}*`;

const keys: Readonly<
  Record<FilterName, ((typed: string) => readonly [string, string]) | undefined>
> = {
  name: (typed) => ['PatientName', anywhere(typed)],
  id: (typed) => ['PatientID', anywhere(typed)],
  accession: (typed) => ['AccessionNumber', anywhere(typed)],
  description: (typed) => ['StudyDescription', anywhere(typed)],
  modality: (typed) => ['ModalitiesInStudy', typed],
  from: undefined,
  to: undefined,
};

/** Columns that the list can be sorted by, with the attribute of each. */
export const sortable = {
  patient: 'PatientName',
  patientId: 'PatientID',
  date: 'StudyDate',
  accession: 'AccessionNumber',
  description: 'StudyDescription',
} as const;

export type SortColumn = keyof typeof sortable;

const compact = (date: string) => date.replaceAll('-', '');

/** The search for a page's query: `studies?…`. */
export function searchOf(query: ListQuery): string {
  const parameters = new URLSearchParams({ limit: String(pageSize) });
  for (const field of fields) parameters.append('includefield', field);
  for (const [filter, key] of Object.entries(keys)) {
    const typed = query[filter]?.trim() ?? '';
    if (typed !== '' && key !== undefined) parameters.append(...(key(typed) as [string, string]));
  }
  const { from = '', to = '', sort = '' } = query;
  if (from !== '' || to !== '') {
    parameters.append('StudyDate', `${compact(from)}-${compact(to)}`);
  }
  if (/^-?\w+$/.test(sort)) parameters.append('orderby', sort);
  return `studies?${parameters.toString()}`;
}

/** Whether any filter is set. */
export function isFiltered(query: ListQuery): boolean {
  return Object.keys(query).some((key) => key in keys && query[key] !== '');
}

/** The query with some filters set; those with an empty value go. */
export function withFilters(query: ListQuery, change: ListQuery): ListQuery {
  const entries = Object.entries({ ...query, ...change });
  return Object.fromEntries(entries.filter(([, each]) => each !== ''));
}

/** First and last day of a preset, as `yyyy-MM-dd`. */
export function presetRange(days: number, today = new Date()): { from: string; to: string } {
  const day = (date: Date) =>
    [date.getFullYear(), date.getMonth() + 1, date.getDate()]
      .map((part) => String(part).padStart(2, '0'))
      .join('-');
  const from = new Date(today);
  from.setDate(from.getDate() - days);
  return { from: day(from), to: day(today) };
}
