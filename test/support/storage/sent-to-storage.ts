/**
 * What goes to storage where logs may write it down: the URL and the headers of every request, bodies not.
 * Requests are read as Node sends them, whichever SDK makes them.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { encodeValue } from '../../../src/storage/archive/keys.js';
import { turnedRound } from '../../../src/storage/archive/index/word-index.js';
import { testConnectionString } from './azurite.js';

/** One request, without its body. */
export interface Sent {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: string;
}

function storageHosts(): ReadonlySet<string> {
  const urls = testConnectionString().matchAll(/Endpoint=(http[^;]*)/g);
  return new Set([...urls].map(([, url = '']) => new URL(url).host));
}

/** Gathers the requests to the Azurite of the run until `stop` is called. */
export function watchStorage(): { readonly sent: readonly Sent[]; stop(): void } {
  const hosts = storageHosts();
  const sent: Sent[] = [];
  const read = (message: unknown) => {
    const { request } = message as { readonly request: ClientRequest };
    if (!hosts.has(String(request.getHeader('host')))) return;
    const headers = Object.entries(request.getHeaders())
      // A signature says nothing, and looks like anything.
      .filter(([name]) => name !== 'authorization')
      .map(([name, value]) => `${name}: ${String(value)}`);
    sent.push({ method: request.method, path: request.path, headers: headers.join('\n') });
  };
  subscribe('http.client.request.start', read);
  return { sent, stop: () => void unsubscribe('http.client.request.start', read) };
}

function percentDecoded(text: string): string {
  return text.replace(/(?:%[0-9a-f]{2})+/gi, (coded) =>
    Buffer.from(coded.replaceAll('%', ''), 'hex').toString(),
  );
}

/** Characters as keys spell them. */
function keyDecoded(text: string): string {
  return text.replace(/!([0-9a-f]{4})/g, (_, code: string) =>
    String.fromCharCode(Number.parseInt(code, 16)),
  );
}

/** Whatever looks like base64 or hex, decoded; continuations of tables are base64. */
function unpacked(text: string): string {
  const base64 = text.match(/[A-Za-z0-9+/_-]{6,}=*/g) ?? [];
  const hex = text.match(/[0-9A-Fa-f]{8,}/g) ?? [];
  return [
    ...base64.map((token) => Buffer.from(token, 'base64').toString()),
    ...hex.map((token) => Buffer.from(token, 'hex').toString()),
  ].join('\n');
}

/** Upper and lower case, and accents, do not count. */
function folded(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

/** A text in every way in which it may be read. */
function readings({ path, headers }: Sent): string {
  const once = percentDecoded(`${path}\n${headers}`);
  const twice = percentDecoded(once);
  const all = [path, once, twice, unpacked(once), unpacked(twice)];
  return folded([...all, ...all.map(keyDecoded)].join('\n'));
}

/** Parts of a value that tell something by themselves, and the ways in which keys spell it. */
function spellings(value: string): readonly string[] {
  const plain = folded(value);
  const words = plain.split(/[\^= ]/).filter((word) => word.length >= 4);
  const mirrored = plain.replace(/[0-9]/g, (digit) => String(9 - Number(digit)));
  // Less the marks around it.
  const backwards = turnedRound(encodeValue(plain)).slice(1, -1);
  return [plain, ...words, mirrored, backwards].map(folded);
}

/** Shorter words stand in the random characters of versions by chance: ANNA is four letters of base 32. */
const shortestInside = 6;

/** Whether a text has a word: a short one stands between others, a longer one anywhere. */
function hasWord(text: string, word: string): boolean {
  if (word.length >= shortestInside) return text.includes(word);
  return text.split(/[^\p{L}\p{N}]+/u).includes(word);
}

/** Finds the values, of those that must not be there, that a request tells of. */
export function tellerOf(values: Iterable<string>): (request: Sent) => readonly string[] {
  const known = [...values].map((value) => ({ value, spelled: spellings(value) }));
  return (request) => {
    const text = readings(request);
    return known
      .filter(({ spelled }) => spelled.some((one) => text.includes(one) && hasWord(text, one)))
      .map(({ value }) => value);
  };
}

/** A file to import, and what became of it: whoever uploads it chooses the name (SECURITY.md). */
export function isNamedByOthers({ path }: Sent): boolean {
  return /^\/devstoreaccount1\/t[0-9a-f]{10}import(?:-reports|-refused)?[/?]/.test(path);
}

/** A page of an index table: its filter and its continuation tell what is sought and found (SECURITY.md). */
export function isIndexPage({ method, path }: Sent): boolean {
  return method === 'GET' && /^\/devstoreaccount1\/\w+(?:searchindex|searchwords)\(\)\?/.test(path);
}
