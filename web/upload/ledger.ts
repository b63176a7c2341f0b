/**
 * What this browser has stored: after a reload the same folder can be dropped again, and what is in the
 * service already is not sent a second time. Kept as short digests, so that no names stay behind.
 */
const key = 'stored-files';
const mostEntries = 100_000;

let known: Set<string> | undefined;

function entries(): Set<string> {
  known ??= new Set((localStorage.getItem(key) ?? '').split(' ').filter(Boolean));
  return known;
}

/** A digest of what tells a file from others without reading it: path, size, last change. */
export async function fingerprintOf(path: string, file: File): Promise<string> {
  const text = new TextEncoder().encode(`${path}\0${file.size}\0${file.lastModified}`);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  return btoa(String.fromCharCode(...digest.subarray(0, 9)));
}

/** Whether a file was stored from here before. */
export function wasStored(fingerprint: string): boolean {
  return entries().has(fingerprint);
}

let saving: number | undefined;

function save(): void {
  if (saving === undefined) return;
  clearTimeout(saving);
  saving = undefined;
  const newest = [...entries()].slice(-mostEntries);
  try {
    localStorage.setItem(key, newest.join(' '));
  } catch {
    // Storage is full or forbidden: the next reload sends these files again, which does no harm.
  }
}

addEventListener('pagehide', save);

/** Remembers that a file is stored; written down a moment later, with those that follow. */
export function rememberStored(fingerprint: string): void {
  entries().add(fingerprint);
  saving ??= setTimeout(save, 500);
}
