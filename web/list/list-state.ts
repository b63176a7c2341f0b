/** The study list: the rows that have come so far, and the page that comes next. */
import { batch, signal } from '@preact/signals';
import { isAbort, messageOf } from '../api/client.js';
import { search, type Total } from '../api/search.js';
import type { DataSet } from '../dicom/data-set.js';

export const rows = signal<readonly DataSet[]>([]);
export const total = signal<Total | undefined>(undefined);
export const state = signal<'loading' | 'more' | 'end' | 'failed'>('loading');
export const failure = signal('');

let next: string | undefined;
let current = new AbortController();
/** The search that the rows belong to. */
let shown: string | undefined;

async function loadPage(path: string, before: readonly DataSet[]): Promise<void> {
  const { signal: abort } = current;
  state.value = 'loading';
  try {
    const page = await search(path, abort);
    if (abort.aborted) return;
    next = page.next;
    batch(() => {
      rows.value = [...before, ...page.results];
      if (before.length === 0) total.value = page.total;
      state.value = page.next === undefined ? 'end' : 'more';
    });
    // A page may be empty and yet have a successor, where the service ended it for its effort.
    if (page.results.length === 0 && page.next !== undefined) await loadPage(page.next, before);
  } catch (error) {
    if (isAbort(error) || abort.aborted) return;
    batch(() => {
      state.value = 'failed';
      failure.value = messageOf(error);
    });
  }
}

/** Shows a search from its beginning; what is under way for another is given up. */
export function showSearch(path: string, { again = false } = {}): void {
  if (path === shown && !again) return;
  shown = path;
  current.abort();
  current = new AbortController();
  void loadPage(path, []);
}

/** Loads the page after those that are shown. */
export function loadMore(): void {
  if (state.value === 'more' && next !== undefined) void loadPage(next, rows.value);
}

/** Asks for the same again after a failure, or when something was stored or deleted. */
export function reload(): void {
  if (shown !== undefined) showSearch(shown, { again: true });
}
