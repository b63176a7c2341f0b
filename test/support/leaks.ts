/**
 * What must not get into the log: tests tell of the names and ids of patients and of the tokens that
 * they send, and every service that a test starts is searched for them when it stops.
 */
import type { LogEntry } from '../../src/host/pipeline/log.js';
import { isIndexPage, isNamedByOthers, tellerOf, type Sent } from './storage/sent-to-storage.js';

/** Shorter ones are found in any text. */
const shortest = 4;

const secrets = new Set<string>();

/** Fields whose values are words of ours; a patient may be called like one of them. */
const ownWords: ReadonlySet<string> = new Set([
  'event',
  'route',
  'method',
  'profile',
  'permission',
  'code',
  'outcome',
]);

/** Remembers a text that must not be told, and the parts of a name. */
export function keepSecret(text: string): void {
  for (const part of [text, ...text.split(/[\^=\\*]/)]) {
    if (part.length >= shortest) secrets.add(part);
  }
}

/** Remembers what a query says of patients. */
export function keepQuerySecret(url: string): void {
  for (const [name, value] of new URL(url).searchParams) {
    if (/patient|^0010/i.test(name)) keepSecret(value);
  }
}

/** Remembers what a data set says of its patient, and all its names of persons. */
export function keepElementSecret(tag: string, vr: string, values: readonly unknown[]): void {
  const ofPatient = tag.startsWith('0010') && ['LO', 'LT', 'SH', 'PN', 'UT'].includes(vr);
  if (vr !== 'PN' && !ofPatient) return;
  for (const value of values) {
    const groups: readonly unknown[] =
      typeof value === 'object' && value !== null ? Object.values(value) : [value];
    for (const group of groups) if (typeof group === 'string') keepSecret(group);
  }
}

/** Those that stand in a text of the service, though they should have been kept secret. */
export function secretsIn(text: string): readonly string[] {
  return [...secrets].filter((secret) => {
    if (!text.includes(secret)) return false;
    // Not as a part of a word or of the path of a file in a stack.
    const literal = secret.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&');
    return new RegExp(`(?<![\\w./-])${literal}(?![\\w/-])`).test(text);
  });
}

/** Those that got into the log. */
export function leaksIn(entries: readonly LogEntry[]): readonly string[] {
  const texts = entries.map((entry) => {
    const parts: string[] = [];
    JSON.stringify(entry, (name, value: unknown) => {
      if (typeof value === 'string' && !ownWords.has(name)) parts.push(name, value);
      return value;
    });
    return parts.join('\n');
  });
  return secretsIn(texts.join('\n'));
}

/** Long enough, and unlike a number or the id of something, so as not to stand in a URL by chance. */
const isDistinct = (secret: string) => secret.length >= 6 && /[^0-9a-f.]/i.test(secret);

/** Those that storage could log: in URLs and headers of requests, but for what is said to be there. */
export function leaksToStorage(sent: readonly Sent[]): readonly string[] {
  const toldBy = tellerOf([...secrets].filter(isDistinct));
  const told = sent
    .filter((request) => !isIndexPage(request) && !isNamedByOthers(request))
    .flatMap(toldBy);
  return [...new Set(told)];
}
