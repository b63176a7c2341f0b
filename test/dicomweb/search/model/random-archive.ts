/** Random archives, histories and queries. */
import fc from 'fast-check';
import type { Element } from '../../../../src/dicom/data-set.js';
import type { InstanceUids } from '../../../../src/dicom/uid.js';
import type { Deed, SearchRouteName } from './archive-under-test.js';
import { modelAttributes, type ModelAttribute } from './attributes.js';
import type { NaiveKey, Rules } from './naive-matching.js';
import type { NaiveQuery } from './naive-search.js';

/** One attribute of an order. */
export interface Order {
  readonly attribute: ModelAttribute;
  readonly descending: boolean;
}

/** A query for patients. */
export interface PatientQuery {
  readonly version: 'v2' | undefined;
  readonly query: string;
  readonly naive: Pick<NaiveQuery, 'keys' | 'rules'>;
  readonly pageSize: number;
}

/** A query, once as a request and once for the scan. */
export interface RandomQuery {
  readonly version: 'v2' | undefined;
  readonly route: SearchRouteName;
  readonly params: Readonly<Record<string, string>>;
  /** Keys and `fuzzymatching`. */
  readonly query: string;
  readonly naive: NaiveQuery;
  /** The same with its first key alone, or without any. */
  readonly single: { readonly query: string; readonly keys: readonly NaiveKey[] };
  /** None for the order that a search has by itself. */
  readonly orders: readonly Order[];
  readonly pageSize: number;
}

export interface Case {
  readonly history: readonly (readonly Deed[])[];
  readonly queries: readonly RandomQuery[];
  readonly patients: PatientQuery;
  /** What happens between the pages of the last query. */
  readonly meanwhile: readonly (readonly Deed[])[];
  /** Of the storage: pages that are short or empty now and then. */
  readonly seed: number | undefined;
}

/** Some begin with others. */
const numbers = ['1', '10', '2'];

const uids: fc.Arbitrary<InstanceUids> = fc
  .tuple(
    fc.constantFrom(...numbers, '3', '31'),
    fc.constantFrom(...numbers),
    fc.constantFrom(...numbers),
  )
  .map(([study, series, instance]) => {
    const [first, second] = [`1.2.${study}`, `1.2.${study}.${series}`];
    return { study: first, series: second, instance: `${second}.${instance}` } as InstanceUids;
  });

const values: fc.Arbitrary<Readonly<Record<string, Element>>> = fc
  .tuple(...modelAttributes.map((attribute) => fc.constantFrom(...attribute.values)))
  .map((chosen) => {
    const elements: Record<string, Element> = {};
    for (const [position, { tag, vr }] of modelAttributes.entries()) {
      const Value = chosen[position];
      if (Value !== undefined) elements[tag] = Value.length > 0 ? { vr, Value } : { vr };
    }
    return elements;
  });

const sopClasses = ['1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.4'];
const transferSyntaxes = ['1.2.840.10008.1.2.1', '1.2.840.10008.1.2.4.90'];

const deed: fc.Arbitrary<Deed> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        uids,
        values,
        fc.constantFrom(...sopClasses),
        fc.constantFrom(...transferSyntaxes),
        fc.constantFrom('create' as const, 'create' as const, 'replace' as const),
      )
      .map(([of, elements, sopClass, transferSyntax, mode]): Deed => {
        const own: Record<string, Element> = {
          '00080016': { vr: 'UI', Value: [sopClass] },
          '00080018': { vr: 'UI', Value: [of.instance] },
          '0020000D': { vr: 'UI', Value: [of.study] },
          '0020000E': { vr: 'UI', Value: [of.series] },
        };
        const dataSet = { ...elements, ...own };
        return { kind: 'store', uids: of, dataSet, transferSyntax, mode };
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(uids, fc.constantFrom(1 as const, 2 as const, 3 as const, 3 as const))
      .map(([of, depth]): Deed => ({ kind: 'delete', uids: of, depth })),
  },
);

const routes: readonly {
  readonly route: SearchRouteName;
  readonly level: NaiveQuery['level'];
  readonly above: 0 | 1 | 2;
}[] = [
  { route: 'searchForStudies', level: 'study', above: 0 },
  { route: 'searchForStudies', level: 'study', above: 0 },
  { route: 'searchForSeries', level: 'series', above: 0 },
  { route: 'searchForInstances', level: 'instance', above: 0 },
  { route: 'searchForStudySeries', level: 'series', above: 1 },
  { route: 'searchForStudyInstances', level: 'instance', above: 1 },
  { route: 'searchForSeriesInstances', level: 'instance', above: 2 },
];

const depths = { study: 0, series: 1, instance: 2 } as const;

function uidKey(tag: string, all: readonly string[]): ModelAttribute {
  const lists = all.flatMap((one, n) => [one, `${one},${all[n - 1] ?? '9'}`, `${one}\\9`]);
  const level = tag === '0020000D' ? 'study' : tag === '0020000E' ? 'series' : 'instance';
  return { tag, keyword: tag, vr: 'UI', level, values: [], texts: lists };
}

const studyUids = [...numbers, '3', '31'].map((study) => `1.2.${study}`);
const seriesUids = studyUids.flatMap((study) => numbers.map((series) => `${study}.${series}`));
const instanceUids = seriesUids.flatMap((series) => numbers.map((one) => `${series}.${one}`));

const searchable: readonly ModelAttribute[] = [
  ...modelAttributes.filter(({ texts }) => texts.length > 0),
  {
    tag: '00080061',
    keyword: 'ModalitiesInStudy',
    vr: 'CS',
    level: 'study',
    indexed: true,
    values: [],
    texts: ['CT', 'CT,MR', 'mr\\US', 'MR\\CT', 'C*', '""'],
  },
  {
    tag: '00201208',
    keyword: 'NumberOfStudyRelatedInstances',
    vr: 'IS',
    level: 'study',
    values: [],
    texts: ['1', '2-', '-1', '2-3', '4'],
  },
  { ...uidKey('00080016', sopClasses), level: 'each' },
  { ...uidKey('00083002', transferSyntaxes), level: 'each' },
  uidKey('0020000D', studyUids),
  uidKey('0020000E', seriesUids),
  uidKey('00080018', instanceUids),
];

const sequenceKeys: readonly Omit<NaiveKey, 'text'>[] = ['00400009', '00401001'].map((tag) => ({
  path: ['00400275', tag],
  vr: 'SH',
}));

/** Whether a key is one of the route, or any attribute within a study. */
function isKeyOf(
  { level: listed, tag }: Pick<ModelAttribute, 'level' | 'tag'>,
  { level, above }: (typeof routes)[number],
  version: string | undefined,
): boolean {
  if (listed === 'each') return true;
  if (listed !== 'none' && depths[listed] >= above && depths[listed] <= depths[level]) return true;
  if (above === 0) return false;
  // What is computed of studies, no data set tells.
  return version === undefined ? !['00080061', '00201208'].includes(tag) : listed === 'none';
}

function keyOf(attribute: ModelAttribute): fc.Arbitrary<{ name: string; key: NaiveKey }> {
  const { tag, vr, keyword, texts } = attribute;
  return fc.tuple(fc.constantFrom(tag, keyword), fc.constantFrom(...texts)).map(([name, text]) => ({
    name,
    key: { path: [tag], vr: tag === '00201208' ? 'COUNT' : vr, text },
  }));
}

interface Flags {
  readonly isFuzzy: boolean;
  readonly isEmpty: boolean;
  readonly isMultiple: boolean;
}

const flagsOfQuery: fc.Arbitrary<Flags> = fc.record({
  isFuzzy: fc.boolean(),
  isEmpty: fc.boolean(),
  isMultiple: fc.constantFrom(false, false, true),
});

/** A query string, and how its keys match. */
function requestOf(
  chosen: readonly { readonly name: string; readonly key: NaiveKey }[],
  version: 'v2' | undefined,
  { isFuzzy, isEmpty, isMultiple }: Flags,
): { readonly given: readonly NaiveKey[]; readonly rules: Rules; readonly query: string } {
  const given = [...new Map(chosen.map((one) => [one.key.path.join(), one])).values()];
  const isStandard = version === undefined;
  const rules: Rules = {
    fuzzy: !isFuzzy ? 'off' : isStandard ? 'any-order' : 'phrase',
    caseCounts: isStandard,
    empty: isStandard && isEmpty,
    multiple: isStandard && isMultiple,
  };
  const pieces = [
    ...given.map(({ name, key }) => `${name}=${encodeURIComponent(key.text)}`),
    `fuzzymatching=${String(isFuzzy)}`,
    ...(isStandard ? [`emptyvaluematching=${String(isEmpty)}`, 'nonsense=1'] : []),
    ...(isStandard ? [`multiplevaluematching=${String(isMultiple)}`] : []),
  ];
  return { given: given.map(({ key }) => key), rules, query: pieces.join('&') };
}

const patientKeys = modelAttributes.filter(({ tag }) => ['00100020', '00100010'].includes(tag));

const patientQuery: fc.Arbitrary<PatientQuery> = fc
  .tuple(
    fc.array(fc.oneof(...patientKeys.map(keyOf)), { maxLength: 2 }),
    fc.constantFrom(undefined, undefined, 'v2' as const),
    flagsOfQuery,
    fc.integer({ min: 1, max: 3 }),
  )
  .map(([chosen, version, flags, pageSize]): PatientQuery => {
    const { given, rules, query } = requestOf(chosen, version, flags);
    return { version, query, naive: { keys: given, rules }, pageSize };
  });

function query(): fc.Arbitrary<RandomQuery> {
  return fc
    .tuple(
      fc.constantFrom(...routes),
      fc.constantFrom(undefined, undefined, 'v2' as const),
      uids,
      flagsOfQuery,
    )
    .chain(([spec, version, of, flags]) => {
      const usable = searchable.filter((attribute) => isKeyOf(attribute, spec, version));
      const isSequence = isKeyOf({ level: 'series', tag: '00400275' }, spec, version);
      const sequences = sequenceKeys.map((key) =>
        fc.constantFrom('A', 'b', 'C').map((text) => ({
          name: key.path.join('.'),
          key: { ...key, text },
        })),
      );
      const any = fc.oneof(...usable.map(keyOf), ...(isSequence ? sequences : []));
      const dates = searchable.filter(({ vr }) => vr === 'DA' || vr === 'TM');
      const datesOnly = dates.filter((attribute) => isKeyOf(attribute, spec, version));
      const keys = fc.oneof(
        { weight: 5, arbitrary: fc.array(any, { maxLength: 3 }) },
        {
          weight: 1,
          arbitrary: fc.tuple(...(datesOnly.length > 0 ? datesOnly.map(keyOf) : [any])),
        },
      );
      const sortable = modelAttributes.filter(
        ({ level, vr }) =>
          level !== 'none' &&
          level !== 'each' &&
          vr !== 'SQ' &&
          depths[level] >= spec.above &&
          depths[level] <= depths[spec.level],
      );
      const order = fc.record({
        attribute: fc.constantFrom(...sortable),
        descending: fc.boolean(),
      });
      const orders = fc.oneof(
        { weight: 2, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(order, { minLength: 1, maxLength: 3 }) },
      );
      return fc
        .tuple(keys, orders, fc.integer({ min: 1, max: 4 }))
        .map(([chosen, chosenOrders, pageSize]): RandomQuery => {
          const { given, rules, query } = requestOf(chosen, version, flags);
          const single = requestOf(chosen.slice(0, 1), version, flags);
          const byTag = new Map(chosenOrders.map((one) => [one.attribute.tag, one]));
          return {
            version,
            route: spec.route,
            params: { study: of.study, series: of.series },
            query,
            naive: {
              level: spec.level,
              ...(spec.above > 0 && { study: of.study }),
              ...(spec.above > 1 && { series: of.series }),
              keys: given,
              rules,
            },
            single: { query: single.query, keys: single.given },
            orders: [...byTag.values()],
            pageSize,
          };
        });
    });
}

const deeds = (most: number) => fc.array(deed, { minLength: 1, maxLength: most });

/** An archive with its history, queries to it, and what happens while pages are read. */
export const randomCase: fc.Arbitrary<Case> = fc.record({
  history: fc.array(deeds(5), { minLength: 1, maxLength: 6 }),
  queries: fc.array(query(), { minLength: 3, maxLength: 5 }),
  patients: patientQuery,
  meanwhile: fc.array(deeds(2), { minLength: 1, maxLength: 3 }),
  seed: fc.option(fc.integer(), { nil: undefined }),
});
