/**
 * An upload that a reload interrupts: how many files were left, and, where the browser gives them out, handles of what
 * was dropped, by which it can be read again. Kept for this tab, until all is sent.
 */
import { signal } from '@preact/signals';

export interface Unfinished {
  /** Files that were not sent. */
  readonly left: number;
  /** What was dropped, to be read again; empty where the files have to be chosen anew. */
  readonly roots: readonly FileSystemHandle[];
}

/** What the page before this one left; `undefined` when that was nothing, or it is dealt with. */
export const unfinished = signal<Unfinished | undefined>(undefined);

const [database, store] = ['uploads', 'roots'];
const [tabKey, leftKey] = ['upload-tab', 'upload-left'];
/** After so long the tab is gone without having said so. */
const keptMilliseconds = 24 * 3600_000;

interface Kept {
  readonly at: number;
  readonly roots: readonly FileSystemHandle[];
}

function outcome<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('IndexedDB'));
  });
}

async function withStore<T>(act: (rows: IDBObjectStore) => Promise<T>): Promise<T> {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(store);
  const opened = await outcome(opening);
  try {
    return await act(opened.transaction(store, 'readwrite').objectStore(store));
  } finally {
    opened.close();
  }
}

/** What is kept under a key: what this file has put there. */
async function keptIn(rows: IDBObjectStore, key: IDBValidKey): Promise<Kept | undefined> {
  return await outcome(rows.get(key) as IDBRequest<Kept | undefined>);
}

/** A name of this tab that stays when it is loaded anew. */
function tab(): string {
  const name = sessionStorage.getItem(tabKey) ?? crypto.randomUUID();
  sessionStorage.setItem(tabKey, name);
  return name;
}

let remembered: readonly FileSystemHandle[] = [];

/** Keeps the handles of what was dropped, beside those from before. Without a database a reload asks for the files. */
export async function rememberRoots(roots: readonly FileSystemHandle[]): Promise<void> {
  if (roots.length === 0) return;
  remembered = [...remembered, ...roots];
  const kept: Kept = { at: Date.now(), roots: remembered };
  await withStore(async (rows) => await outcome(rows.put(kept, tab()))).catch(() => undefined);
}

/** All is sent, or given up. */
export function forgetUnfinished(): void {
  unfinished.value = undefined;
  sessionStorage.removeItem(leftKey);
  if (remembered.length === 0) return;
  remembered = [];
  void withStore(async (rows) => await outcome(rows.delete(tab()))).catch(() => undefined);
}

/** Says, when the page is left, how many files are. */
export function noteLeft(left: number): void {
  if (left === 0) sessionStorage.removeItem(leftKey);
  else sessionStorage.setItem(leftKey, String(left));
}

/** Finds what the page before this one left, and forgets what tabs that are gone did. */
export async function findUnfinished(): Promise<void> {
  const left = Number(sessionStorage.getItem(leftKey) ?? 0);
  const roots = await withStore(async (rows) => {
    const mine = (await keptIn(rows, tab())) ?? { at: 0, roots: [] };
    for (const key of await outcome(rows.getAllKeys())) {
      const { at = 0 } = (await keptIn(rows, key)) ?? {};
      const isOver = Date.now() - at > keptMilliseconds || (key === tab() && left === 0);
      if (isOver) await outcome(rows.delete(key));
    }
    return mine.roots;
  }).catch((): readonly FileSystemHandle[] => []);
  if (left === 0) return;
  remembered = roots;
  unfinished.value = { left, roots };
}
