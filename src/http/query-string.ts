/**
 * The query part of a URL as an ordered list of parameters (PS3.18 §8.3.1): duplicates and their
 * order matter to searches, and what is malformed is refused by name instead of guessed at.
 */
import { ServiceError } from '../errors.js';

/** One `key=value` of a query, decoded. */
export interface QueryParameter {
  readonly key: string;
  readonly value: string;
}

/**
 * Reads the query of a URL, or a search string with or without its `?`. `+` is a space.
 * @throws ServiceError 'invalid-query' for percent-encoding that is not UTF-8 or not hexadecimal.
 */
export function parseQuery(url: URL | string): readonly QueryParameter[] {
  const search = typeof url === 'string' ? url : url.search;
  return search
    .replace(/^\?/, '')
    .split('&')
    .filter((piece) => piece !== '')
    .map((piece) => {
      const equals = piece.indexOf('=');
      const rawKey = equals < 0 ? piece : piece.slice(0, equals);
      const key = decode(rawKey, printable(rawKey));
      return { key, value: equals < 0 ? '' : decode(piece.slice(equals + 1), key) };
    });
}

/** All values of a parameter, whatever the letter case of its name. */
export function queryValues(parameters: readonly QueryParameter[], name: string): string[] {
  const lowerCase = name.toLowerCase();
  return parameters.filter(({ key }) => key.toLowerCase() === lowerCase).map(({ value }) => value);
}

/**
 * The value of a parameter that may be given once.
 * @throws ServiceError 'invalid-query' when it is given more than once with different values.
 */
export function queryValue(
  parameters: readonly QueryParameter[],
  name: string,
): string | undefined {
  const [first, ...others] = queryValues(parameters, name);
  if (others.some((value) => value !== first)) {
    throw invalidParameter(name, 'It is given more than once.');
  }
  return first;
}

/**
 * A parameter that is a decimal integer within bounds, both inclusive.
 * @throws ServiceError 'invalid-query' for anything else, also an empty value.
 */
export function queryInteger(
  parameters: readonly QueryParameter[],
  name: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: { readonly min?: number; readonly max?: number } = {},
): number | undefined {
  const text = queryValue(parameters, name);
  if (text === undefined) return undefined;
  const value = /^[+-]?\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    throw invalidParameter(name, `It must be an integer from ${min} to ${max}.`);
  }
  return value;
}

/** The refusal of one query parameter, in the words that clients of the Microsoft server know. */
export function invalidParameter(name: string, detail: string): ServiceError {
  const parameter = printable(name);
  return new ServiceError(
    'invalid-query',
    `The query parameter '${parameter}' is invalid. ${detail}`,
    {
      parameter,
    },
  );
}

function decode(text: string, parameter: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw invalidParameter(parameter, 'Its percent-encoding is malformed.');
  }
}

/** A name that is safe to repeat in a message. */
export function printable(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}
