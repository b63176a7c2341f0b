/** Reads the query of a search (PS3.18 §8.3.4, §10.6.1). */
import { keywordOf, parseAttribute } from '../../dicom/dictionary.js';
import type { Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import {
  invalidParameter,
  parseQuery,
  queryInteger,
  queryValue,
  queryValues,
  type QueryParameter,
} from '../../http/query-string.js';
import type { Level } from '../../storage/archive/keys.js';
import { compilePredicate, type Predicate } from './matching.js';
import { searchKeyOf } from './search-keys.js';
import type { SearchPolicy } from './search-policy.js';

export interface Search {
  readonly predicates: readonly Predicate[];
  /** Attributes named as keys; a result carries them. */
  readonly keys: readonly Tag[];
  readonly include: 'all' | readonly Tag[];
  readonly limit: number;
  readonly offset: number;
}

/** Parameters that are no search keys; their names are case-insensitive. */
const controls: ReadonlySet<string> = new Set([
  'limit',
  'offset',
  'fuzzymatching',
  'includefield',
  'accept',
]);

/** The first word is the wording that clients of the Microsoft server compare. */
function notQueryable(key: string): ServiceError {
  return new ServiceError(
    'invalid-query',
    `Invalid query: AttributeId ${key} is not queryable. If the parameter is an attribute keyword, ` +
      'check the casing as they are case-sensitive. The conformance statement has a list of ' +
      'supported query parameters, attributes and the levels.',
    { parameter: key },
  );
}

function unknownKey(key: string): ServiceError {
  return new ServiceError(
    'invalid-query',
    `Invalid query: unknown query parameter '${key}'. If the parameter is an attribute keyword, ` +
      'check the casing as they are case-sensitive.',
    { parameter: key },
  );
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 64);
}

function readFuzzy(parameters: readonly QueryParameter[]): boolean {
  const text = queryValue(parameters, 'fuzzymatching')?.toLowerCase();
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalidParameter('fuzzymatching', 'It must be true or false.');
}

function readIncludes(parameters: readonly QueryParameter[]): 'all' | readonly Tag[] {
  const names = queryValues(parameters, 'includefield')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.some((name) => name.toLowerCase() === 'all')) return 'all';
  return names.map((name) => {
    const tag = parseAttribute(name);
    if (tag !== undefined) return tag;
    throw invalidParameter('includefield', `'${printable(name)}' is not an attribute.`);
  });
}

function readLimit(parameters: readonly QueryParameter[], policy: SearchPolicy): number {
  const max = policy.largerLimit === 'refused' ? policy.mostResults : Number.MAX_SAFE_INTEGER;
  const limit = queryInteger(parameters, 'limit', { min: 1, max }) ?? policy.defaultLimit;
  return Math.min(limit, policy.mostResults);
}

/**
 * Reads the query of a search request.
 *
 * @param levels - the levels whose attributes the route matches.
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function parseSearch(url: URL, levels: readonly Level[], policy: SearchPolicy): Search {
  const parameters = parseQuery(url);
  const fuzzy = readFuzzy(parameters);
  const predicates = new Map<Tag, Predicate>();
  const keys = new Set<Tag>();
  for (const { key: name, value } of parameters) {
    if (controls.has(name.toLowerCase())) continue;
    const tag = parseAttribute(name);
    if (tag === undefined) throw unknownKey(printable(name));
    const key = searchKeyOf(tag);
    if (key === undefined || !levels.includes(key.level)) throw notQueryable(printable(name));
    if (keys.has(tag)) {
      throw invalidParameter(keywordOf(tag) ?? tag, 'The attribute is given more than once.');
    }
    keys.add(tag);
    const empty = value.trim() === '';
    if (empty && policy.emptyValues === 'refused') {
      throw invalidParameter(keywordOf(tag) ?? tag, 'The value must not be empty.');
    }
    if (!empty) predicates.set(tag, compilePredicate(key, value, fuzzy));
  }
  return {
    predicates: [...predicates.values()],
    keys: [...keys],
    include: readIncludes(parameters),
    limit: readLimit(parameters, policy),
    offset: queryInteger(parameters, 'offset') ?? 0,
  };
}
