/** How one setting is read from text: parsers that say what they expected, and the table's row type. */

import { isGuid } from '../auth/access-token.js';
import { loopbackOrigins } from '../http/cors.js';

/** Why a setting cannot be used; its message names the setting and is shown at start. */
export class SettingError extends Error {
  override readonly name = 'SettingError';
}

/** One row of the table of settings. */
export interface Setting<T> {
  /** Name of the environment variable. */
  readonly variable: string;
  /** What it does, for the documentation. */
  readonly description: string;
  /** The value when the variable is unset or empty. */
  readonly fallback: T;
  /** Reads the text; `undefined` when it is not `expected`. */
  readonly parse: (text: string) => T | undefined;
  /** What a valid text is, for the error. */
  readonly expected: string;
  /** Its value is told to nobody. */
  readonly isSecret?: true;
}

/** Values of a table of settings. */
export type SettingValues<S> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};

type Row<T> = Omit<Setting<T>, 'parse' | 'expected' | 'isSecret'>;

export function text<T extends string | undefined>(row: Row<T>): Setting<string | T> {
  return { ...row, parse: (value) => value, expected: 'text' };
}

/** A connection string of a storage account, as far as can be told without opening it. */
export function connectionString(row: Row<string | undefined>): Setting<string | undefined> {
  const isKnown = /(?:^|;)\s*(?:UseDevelopmentStorage=true|AccountName=\S|BlobEndpoint=https?:)/i;
  return {
    ...row,
    isSecret: true,
    expected:
      'a connection string such as UseDevelopmentStorage=true or DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…',
    parse: (value) => (isKnown.test(value) ? value : undefined),
  };
}

/** A whole number, both bounds included. */
export function wholeNumber<T extends number | undefined>(
  row: Row<T>,
  least: number,
  most: number,
): Setting<number | T> {
  return {
    ...row,
    expected: `a whole number from ${least} to ${most}`,
    parse: (value) => {
      const number = /^\d+$/.test(value) ? Number(value) : NaN;
      return number >= least && number <= most ? number : undefined;
    },
  };
}

/** `true` or `false`. */
export function flag(row: Row<boolean>): Setting<boolean> {
  const values: Readonly<Record<string, boolean>> = { true: true, false: false };
  return {
    ...row,
    expected: 'true or false',
    parse: (value) => {
      const key = value.toLowerCase();
      return Object.hasOwn(values, key) ? values[key] : undefined;
    },
  };
}

/** One of the given words. */
export function oneOf<const W extends string, F extends W | undefined>(
  row: Row<F>,
  words: readonly W[],
): Setting<W | F> {
  return {
    ...row,
    expected: words.join(' or '),
    parse: (value) => words.find((word) => word === value.toLowerCase()),
  };
}

function httpUrl(value: string): string | undefined {
  if (!/^https?:\/\//i.test(value) || !URL.canParse(value)) return undefined;
  return /[?#]/.test(value) ? undefined : value.replace(/\/+$/, '');
}

/** An absolute http(s) URL; final slashes are dropped. */
export function url(row: Row<string | undefined>): Setting<string | undefined> {
  return { ...row, expected: 'an absolute http or https URL', parse: httpUrl };
}

export function guid(row: Row<string | undefined>): Setting<string | undefined> {
  return {
    ...row,
    expected: 'a GUID',
    parse: (value) => (isGuid(value) ? value.toLowerCase() : undefined),
  };
}

type Audiences = readonly string[] | undefined;

/** Client ids and application id URIs, separated by commas. */
export function audiences(row: Row<Audiences>): Setting<Audiences> {
  return {
    ...row,
    expected: 'GUIDs or URIs such as api://dicom, separated by commas',
    parse: (value) => {
      const list = value.split(',').map((audience) => audience.trim());
      const isAudience = (text: string) => isGuid(text) || /^[a-z][\w+.-]*:\S+$/i.test(text);
      return list.every(isAudience) ? list : undefined;
    },
  };
}

type Origins = readonly string[] | '*' | undefined;

/** Origins separated by commas, `loopback` among them, or `*` for any. */
export function origins(row: Row<Origins>): Setting<Origins> {
  const isOrigin = (value: string) =>
    value === loopbackOrigins || (URL.canParse(value) && new URL(value).origin === value);
  return {
    ...row,
    expected: 'origins such as https://viewer.example.org, separated by commas, or *',
    parse: (value) => {
      if (value === '*') return value;
      const list = value.split(',').map((origin) => origin.trim().replace(/\/$/, ''));
      return list.every(isOrigin) ? list : undefined;
    },
  };
}

/** Reads every row of a table from the environment. @throws SettingError */
export function readSettings<S extends Readonly<Record<string, Setting<unknown>>>>(
  table: S,
  environment: Readonly<Record<string, string | undefined>>,
): SettingValues<S> {
  const values = Object.entries(table).map(([key, setting]) => {
    const value = environment[setting.variable]?.trim() ?? '';
    if (value === '') return [key, setting.fallback];
    const parsed = setting.parse(value);
    if (parsed === undefined) {
      throw new SettingError(`The setting ${setting.variable} must be ${setting.expected}.`);
    }
    return [key, parsed];
  });
  return Object.fromEntries(values) as SettingValues<S>;
}
