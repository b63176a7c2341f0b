/**
 * The settings as they may be told to those who run the service. A secret setting tells whether it is set. Of the
 * others, which anything may have been pasted into, what looks like a secret is kept back as well.
 */
import type { ShownSetting } from '../dicomweb/administration/configuration.js';
import { readSettings, type Setting } from './settings.js';

/** Keys and signatures of storage accounts, passwords in URLs, tokens, and long runs of letters that keys are. */
const secretForms = [
  /\b(?:Account|SharedAccess|Access)(?:Key|Signature)?\s*=/i,
  /\b(?:sig|code|token|secret|password|pwd|key)\s*=/i,
  /:\/\/[^/?#]*@/,
  /\beyJ[\w-]+\.[\w-]+/,
  /\bshare_[\w-]{20,}/,
  /[A-Za-z\d+/]{40,}={1,2}/,
  /[A-Za-z\d+_-]{40,}/,
];

function mayBeSecret(text: string): boolean {
  return secretForms.some((form) => form.test(text));
}

/** A value as one text, number or flag. */
function plain(value: unknown): string | number | boolean | null {
  if (Array.isArray(value)) return value.join(', ');
  const isPlain = ['string', 'number', 'boolean'].includes(typeof value);
  return isPlain ? (value as string | number | boolean) : null;
}

/**
 * Every row of a table of settings as it may be told.
 *
 * @throws SettingError when a setting cannot be used.
 */
export function showSettings(
  table: Readonly<Record<string, Setting<unknown>>>,
  environment: Readonly<Record<string, string | undefined>>,
): readonly ShownSetting[] {
  const values = readSettings(table, environment);
  return Object.entries(table).map(([key, { variable, description, isSecret = false }]) => {
    const value = plain(values[key]);
    const isKeptBack = isSecret || (typeof value === 'string' && mayBeSecret(value));
    const isSet = (environment[variable]?.trim() ?? '') !== '';
    return {
      ...{ name: variable, description },
      value: isKeptBack ? null : value,
      ...{ isSet, isSecret: isKeptBack },
    };
  });
}
