/**
 * Media types as clients write them (RFC 9110 §8.3.1): parameters quoted or bare, with or without
 * spaces, bare values that contain '/'. Written out again in the strict form.
 */
import { splitUnquoted, unquote } from './header-list.js';

/** A media type or media range. */
export interface MediaType {
  /** `type/subtype` in lower case. */
  readonly essence: string;
  /** By lower-case name; values as given, without quotes. The first of equal names counts. */
  readonly parameters: ReadonlyMap<string, string>;
}

const essencePattern = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+$/;
const tokenPattern = /^[\w!#$%&'*+.^`|~-]+$/;

/** Reads one media type or range; undefined when there is no `type/subtype` in it. */
export function parseMediaType(text: string): MediaType | undefined {
  const [first = '', ...rest] = splitUnquoted(text, ';');
  if (!essencePattern.test(first)) return undefined;
  const parameters = new Map<string, string>();
  for (const parameter of rest) {
    const equals = parameter.indexOf('=');
    const name = parameter.slice(0, Math.max(equals, 0)).trim().toLowerCase();
    if (name !== '' && !parameters.has(name)) {
      parameters.set(name, unquote(parameter.slice(equals + 1)));
    }
  }
  return { essence: first.toLowerCase(), parameters };
}

/**
 * Writes a media type; values are quoted only where they must be, because viewers keep the quotes of
 * `transfer-syntax`. Undefined parameters are left out.
 */
export function formatMediaType(
  essence: string,
  parameters: Readonly<Record<string, string | undefined>> = {},
): string {
  const written = Object.entries(parameters).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const safe = tokenPattern.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
    return [`${name}=${safe}`];
  });
  return [essence, ...written].join('; ');
}
