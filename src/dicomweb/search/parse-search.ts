/** Reads the query of a search (PS3.18 §8.3.4, §10.6.1). */
import { attribute } from '../../dicom/attribute.js';
import { keywordOf, parseAttribute } from '../../dicom/dictionary.js';
import type { Tag } from '../../dicom/tag.js';
import { ServiceError } from '../../errors.js';
import {
  invalidParameter,
  parseQuery,
  printable,
  queryInteger,
  queryValue,
  queryValues,
  type QueryParameter,
} from '../../http/query-string.js';
import type { ListedTag } from '../../storage/archive/query-tag-list.js';
import type { Level } from '../../storage/archive/keys.js';
import type { Given, Matching, Predicate } from './match/demand.js';
import { combineDateAndTime } from './match/intervals.js';
import { compilePredicates, isUniversal } from './match/matching.js';
import { decodePlace, searchIdentity, type Place } from './walk/place.js';
import type { Ordering } from './walk/sort-keys.js';
import {
  isIndexed,
  isInInstances,
  queryTagOf,
  searchKeyOf,
  searchKeys,
  type AttributePath,
  type SearchKey,
} from './match/search-keys.js';
import type { SearchPolicy } from './search-policy.js';

export interface Search {
  readonly predicates: readonly Predicate[];
  /** Attributes named as keys; a result carries them. */
  readonly keys: readonly Tag[];
  /** Parameters that were passed over. */
  readonly ignored: readonly string[];
  /** Query tags among the keys that some instances have no index for: their values cannot be indexed. */
  readonly erroneous: readonly Tag[];
  readonly include: 'all' | readonly Tag[];
  readonly limit: number;
  readonly offset: number;
  readonly ordering: Ordering | undefined;
  /** Whether the query asks how many results there are altogether. */
  readonly total: boolean;
  /** Where an earlier page ended. */
  readonly after: Place;
  /** Names the search in its continuation tokens. */
  readonly identity: string;
}

/** What a search route matches and returns. */
export interface SearchRoute {
  /** What a result is. */
  readonly level: Level;
  /** Levels whose attributes match and are returned. */
  readonly levels: readonly Level[];
}

export const continuationParameter = 'continuation';

/** Parameters besides the keys that are sought. */
export const searchParameters = [
  'limit',
  'offset',
  'includefield',
  'fuzzymatching',
  'emptyvaluematching',
  'multiplevaluematching',
  'includetotal',
  'orderby',
  continuationParameter,
] as const;

const extendedMatching = ['emptyvaluematching', 'multiplevaluematching'] as const;

/** Parameters that are no search keys; their names are case-insensitive. */
const controls: ReadonlySet<string> = new Set([
  'limit',
  'offset',
  'fuzzymatching',
  ...extendedMatching,
  'includefield',
  'includetotal',
  'orderby',
  'accept',
  'charset',
  continuationParameter,
]);

function isControl(name: string, policy: SearchPolicy): boolean {
  const known = name.toLowerCase();
  const isExtended = (extendedMatching as readonly string[]).includes(known);
  return controls.has(known) && !(isExtended && policy.extendedMatching === 'unknown');
}

/** Dates and the times that belong to them. */
const datesAndTimes = [
  ['StudyDate', 'StudyTime'],
  ['SeriesDate', 'SeriesTime'],
  ['PerformedProcedureStepStartDate', 'PerformedProcedureStepStartTime'],
].map(([date = '', time = '']) => ({ date: attribute(date), time: attribute(time) }));

/** The wording that clients of the Microsoft server compare. */
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
      'check the casing as they are case-sensitive.  If you would like to know which attributes can ' +
      'be searched, the conformance statement has a list of supported query parameters, attributes ' +
      'and the levels.',
    { parameter: key },
  );
}

function readSwitch(parameters: readonly QueryParameter[], name: string): boolean {
  const text = queryValue(parameters, name)?.toLowerCase();
  if (text === undefined || text === 'false') return false;
  if (text === 'true') return true;
  throw invalidParameter(name, 'It must be true or false.');
}

function readMatching(parameters: readonly QueryParameter[], policy: SearchPolicy): Matching {
  const isFuzzy = readSwitch(parameters, 'fuzzymatching');
  const isExtended = policy.extendedMatching === 'offered';
  const [emptyValues, multipleValues] = extendedMatching.map(
    (name) => isExtended && readSwitch(parameters, name),
  );
  return {
    names: isFuzzy ? policy.fuzzyNames : 'exact',
    letterCase: policy.letterCase,
    emptyValues: emptyValues === true,
    multipleValues: multipleValues === true,
  };
}

/** Reads names or tags joined by periods. */
function readPath(name: string): AttributePath | undefined {
  const path = name.split('.').map(parseAttribute);
  const [first, ...rest] = path.filter((tag) => tag !== undefined);
  return first === undefined || rest.length + 1 < path.length ? undefined : [first, ...rest];
}

/**
 * The attributes that `includefield` names, repeated or separated by commas.
 *
 * @throws ServiceError `invalid-query` for what is no attribute.
 */
export function readIncludes(parameters: readonly QueryParameter[]): 'all' | readonly Tag[] {
  const names = queryValues(parameters, 'includefield')
    .flatMap((value) => value.split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (names.some((name) => name.toLowerCase() === 'all')) return 'all';
  return names.map((name) => {
    // A part of a sequence comes with the whole of it.
    const [tag] = readPath(name) ?? [];
    if (tag !== undefined) return tag;
    throw invalidParameter('includefield', `'${printable(name)}' is not an attribute.`);
  });
}

function readLimit(parameters: readonly QueryParameter[], policy: SearchPolicy): number {
  const max = policy.largerLimit === 'refused' ? policy.mostResults : Number.MAX_SAFE_INTEGER;
  const limit = queryInteger(parameters, 'limit', { min: 1, max }) ?? policy.defaultLimit;
  return Math.min(limit, policy.mostResults);
}

/** Attributes that one order is made of at most. */
const mostOrders = 4;

function readOrdering(
  parameters: readonly QueryParameter[],
  { levels }: SearchRoute,
): Ordering | undefined {
  const text = queryValue(parameters, 'orderby')?.trim();
  if (text === undefined || text === '') return undefined;
  const orderings = text.split(',').map((one): Ordering | undefined => {
    const name = one.trim();
    const tag = parseAttribute(name.replace(/^[-+]/, ''));
    const key = searchKeys.findLast(
      (one) =>
        one.tag === tag &&
        levels.includes(one.level) &&
        one.matching !== 'sequences' &&
        !isInInstances(one),
    );
    return key && { tag: key.as ?? key.tag, descending: name.startsWith('-') };
  });
  const [first, ...then] = orderings.filter((one) => one !== undefined);
  if (first === undefined || then.length + 1 < orderings.length || orderings.length > mostOrders) {
    throw invalidParameter(
      'orderby',
      `It must be up to ${mostOrders} keys of the results, separated by commas, each after - for descending.`,
    );
  }
  return then.length === 0 ? first : { ...first, then };
}

/** Whether a search names an attribute that only a query tag gives an index: the list of tags has to be read. */
export function mayNameQueryTags(url: URL, { levels }: SearchRoute, policy: SearchPolicy): boolean {
  return parseQuery(url).some(({ key: name }) => {
    const path = isControl(name, policy) ? undefined : readPath(name);
    return path?.length === 1 && !isIndexed(path[0], levels);
  });
}

/** A key of the route, by a query tag where there is one. @throws ServiceError `invalid-query`. */
function keyOf(
  path: AttributePath,
  { levels }: SearchRoute,
  anyAttribute: Parameters<typeof searchKeyOf>[2],
  tags: readonly ListedTag[],
): SearchKey | undefined {
  const otherwise = searchKeyOf(path, levels, anyAttribute);
  const queryTag = queryTagOf(path, levels, tags);
  if (queryTag?.enabled === true) {
    const { tag, level, vr } = queryTag;
    return { tag, within: [], level, vr, inDataSet: false, queryTag };
  }
  if (otherwise !== undefined || queryTag === undefined) return otherwise;
  throw new ServiceError(
    'invalid-query',
    `Query is disabled on specified attribute '${queryTag.tag}'.`,
    { parameter: queryTag.tag },
  );
}

function readKeys(
  parameters: readonly QueryParameter[],
  route: SearchRoute,
  isWithinStudy: boolean,
  policy: SearchPolicy,
  tags: readonly ListedTag[],
): Pick<Search, 'ignored'> & { readonly given: readonly Given[] } {
  const anyAttribute = !isWithinStudy
    ? 'none'
    : policy.attributesAbove === 'matched'
      ? 'all'
      : 'unlisted';
  const given = new Map<string, Given>();
  const ignored = new Set<string>();
  for (const { key: name, value: text } of parameters) {
    if (isControl(name, policy)) continue;
    const path = readPath(name);
    const key = path && keyOf(path, route, anyAttribute, tags);
    if (path === undefined || key === undefined) {
      if (policy.unknownParameters === 'refused') {
        throw path === undefined ? unknownKey(printable(name)) : notQueryable(printable(name));
      }
      ignored.add(printable(name));
      continue;
    }
    const id = path.join('.');
    if (given.has(id)) {
      throw invalidParameter(keywordOf(path[0]) ?? id, 'The attribute is given more than once.');
    }
    if (text.trim() === '' && policy.emptyValues === 'refused') {
      throw invalidParameter(keywordOf(path[0]) ?? id, 'The value must not be empty.');
    }
    given.set(id, { key, text });
  }
  return { given: [...given.values()], ignored: [...ignored] };
}

/** Compiles the keys that demand anything. */
function compile(given: readonly Given[], matching: Matching): readonly Predicate[] {
  const valued = given.filter(({ key, text }) => !isUniversal(key, text));
  const rangeOf = (tag: Tag) =>
    valued.find(
      ({ key, text }) => key.tag === tag && key.within.length === 0 && text.includes('-'),
    );
  const combined = datesAndTimes.flatMap(({ date, time }) => {
    const [days, hours] = [rangeOf(date), rangeOf(time)];
    return days === undefined || hours === undefined ? [] : [{ days, hours }];
  });
  const taken = new Set(combined.map(({ hours }) => hours));
  return [
    ...compilePredicates(
      valued.filter((one) => !taken.has(one)),
      matching,
    ),
    ...combined.map(({ days, hours }) => combineDateAndTime(days, hours)),
  ];
}

/**
 * Reads the query of a search request.
 *
 * @param isWithinStudy - whether the path names a study.
 * @param tags - the query tags of the archive, where the search may name one.
 * @throws ServiceError `invalid-query` naming the parameter.
 */
export function parseSearch(
  url: URL,
  route: SearchRoute,
  isWithinStudy: boolean,
  policy: SearchPolicy,
  tags: readonly ListedTag[] = [],
): Search {
  const parameters = parseQuery(url);
  const { given, ignored } = readKeys(parameters, route, isWithinStudy, policy, tags);
  const matching = readMatching(parameters, policy);
  const ordering = readOrdering(parameters, route);
  const identity = searchIdentity(url.pathname, [
    ...given.map(({ key, text }) => [[key.tag, ...key.within].join('.'), text] as const),
    ['matching', JSON.stringify(matching)],
    ...(ordering === undefined ? [] : [['orderby', JSON.stringify(ordering)] as const]),
  ]);
  const token = queryValue(parameters, continuationParameter);
  return {
    predicates: compile(given, matching),
    keys: given.map(({ key }) => key.tag),
    ignored,
    erroneous: given.flatMap(({ key: { queryTag } }) => {
      const listed = tags.find(({ tag }) => tag === queryTag?.tag);
      return listed !== undefined && listed.errors > 0 ? [listed.tag] : [];
    }),
    include: readIncludes(parameters),
    limit: readLimit(parameters, policy),
    offset: queryInteger(parameters, 'offset') ?? 0,
    ordering,
    total: readSwitch(parameters, 'includetotal'),
    after: token === undefined ? {} : decodePlace(token, identity),
    identity,
  };
}
