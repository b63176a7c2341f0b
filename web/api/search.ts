/** Searches (QIDO-RS, PS3.18 §10.6): a page of results, how many there are, and where it goes on. */
import type { DataSet } from '../dicom/data-set.js';
import { request } from './client.js';

export interface ResultPage {
  readonly results: readonly DataSet[];
  /** Path of the next page; `undefined` after the last. */
  readonly next: string | undefined;
  readonly total: Total | undefined;
}

/** How many results there are in all. */
export interface Total {
  readonly count: number;
  /** Whether there may be more. */
  readonly isLowerBound: boolean;
}

function nextOf(response: Response): string | undefined {
  const link = response.headers.get('link') ?? '';
  return /<([^>]+)>\s*;[^,]*\brel="?next"?/i.exec(link)?.[1];
}

function totalOf(response: Response): Total | undefined {
  const header = response.headers.get('x-total-count');
  const found = /^(>=|≥)?\s*(\d+)(\+)?$/.exec(header?.trim() ?? '');
  if (found === null) return undefined;
  return { count: Number(found[2]), isLowerBound: (found[1] ?? found[3]) !== undefined };
}

/**
 * One page of a search.
 *
 * @param path such as `studies?PatientID=1`, or the `next` of the page before.
 */
export async function search(path: string, signal?: AbortSignal): Promise<ResultPage> {
  const response = await request(path, {
    headers: { Accept: 'application/dicom+json', Preference: 'count=exact' },
    ...(signal && { signal }),
  });
  const results = response.status === 204 ? [] : ((await response.json()) as DataSet[]);
  return { results, next: nextOf(response), total: totalOf(response) };
}

/** Every page of a search that is known to be small, such as the series of a study. */
export async function searchAll(path: string, signal?: AbortSignal): Promise<readonly DataSet[]> {
  const all: DataSet[] = [];
  let next: string | undefined = path;
  while (next !== undefined) {
    const page: ResultPage = await search(next, signal);
    all.push(...page.results);
    next = page.next;
  }
  return all;
}
