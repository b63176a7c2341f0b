/** Values as people read them. */
import type { PersonName } from './data-set.js';

/** `Family^Given^Middle^Prefix^Suffix` as `Family, Given Middle`, prefix before, suffix after. */
function groupOf(components: string): string {
  const [family = '', given = '', middle = '', prefix = '', suffix = ''] = components.split('^');
  const first = [prefix, given, middle].filter(Boolean).join(' ');
  return [family, first, suffix].filter(Boolean).join(', ');
}

/** A name: the alphabetic group, then the ideographic or phonetic one in brackets. */
export function formatName({
  Alphabetic = '',
  Ideographic = '',
  Phonetic = '',
}: PersonName): string {
  const main = groupOf(Alphabetic);
  const other = groupOf(Ideographic) || groupOf(Phonetic);
  if (main === '') return other;
  return other === '' ? main : `${main} (${other})`;
}

/** `yyyyMMdd`, or the old `yyyy.MM.dd`, as `yyyy-MM-dd`; anything else as it is. */
export function formatDate(date: string): string {
  return date.replace(/^(\d{4})\.?(\d{2})\.?(\d{2})$/, '$1-$2-$3');
}

/** `HHmmss.F` as `HH:mm`. */
export function formatTime(time: string): string {
  return time.replace(/^(\d{2}):?(\d{2}).*$/, '$1:$2');
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes with a unit: `1.5 MB`. */
export function formatBytes(bytes: number): string {
  const power = Math.min(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), units.length - 1);
  const scaled = bytes / 1000 ** power;
  return `${scaled >= 100 || power === 0 ? Math.round(scaled) : scaled.toFixed(1)} ${units[power] ?? ''}`;
}

/** Seconds as `1:05`, or `1:00:05`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] === 0 ? parts.slice(1) : parts;
  return shown
    .map((part, at) => (at === 0 ? String(part) : String(part).padStart(2, '0')))
    .join(':');
}
