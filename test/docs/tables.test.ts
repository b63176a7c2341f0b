/** The tables of the documents are those of the code. */
import { describe, expect, it } from '@jest/globals';
import { keywordOf } from '../../src/dicom/dictionary.js';
import type { Tag } from '../../src/dicom/tag.js';
import { maxInlineBinaryBytes } from '../../src/dicom/json.js';
import { modalityRules } from '../../src/dicom/pixel/render/modality-rules.js';
import {
  sequencedChangeFeed,
  windowedChangeFeed,
} from '../../src/dicomweb/changefeed/change-feed-policy.js';
import { defaultLimits } from '../../src/dicomweb/limits.js';
import type { Route } from '../../src/dicomweb/route.js';
import { routes } from '../../src/dicomweb/routes.js';
import { mostCountedRows } from '../../src/dicomweb/search/count-by-index.js';
import { mostCounted, mostCountedPages } from '../../src/dicomweb/search/count-matches.js';
import { indexInOrder } from '../../src/dicomweb/search/walk/ordered-studies.js';
import { searchKeys } from '../../src/dicomweb/search/match/search-keys.js';
import {
  microsoftV1SearchPolicy,
  microsoftV2SearchPolicy,
  standardSearchPolicy,
  type SearchPolicy,
} from '../../src/dicomweb/search/search-policy.js';
import { failureReasons, warningReasons } from '../../src/dicomweb/store/reason-codes.js';
import { settings } from '../../src/host/config.js';
import { problems } from '../../src/http/problem.js';
import { indexedAttributes } from '../../src/storage/archive/index/attributes.js';
import type { Level } from '../../src/storage/archive/keys.js';
import { tableLimits } from '../../src/storage/table-store.js';
import { readDocument, tableRows } from './markdown.js';

const conformance = 'docs/conformance.md';
const table = Object.values<Route>(routes);
const levels = ['study', 'series', 'instance'] as const;

const list = (tags: readonly Tag[]) => tags.map(keywordOf).join(', ') || '–';

describe('docs/rendering.md', () => {
  it('has every rule on modality transforms', () => {
    const root = '1.2.840.10008.5.1.4.1.1';
    const columns = ['Images', `SOP classes below ${root}`, 'Transform', 'Because', 'Clause'];
    expect(tableRows('docs/rendering.md', columns)).toEqual(
      modalityRules.map(({ images, sopClasses, transform, because, clause }) => [
        images,
        sopClasses.map((uid) => uid.slice(root.length + 1)).join(', ') || '–',
        transform,
        because,
        clause,
      ]),
    );
  });
});

describe('docs/conformance.md', () => {
  it('has every route with its permission', () => {
    const rows = tableRows(conformance, ['Method', 'Path', 'Permission', 'Action']);
    expect(rows.map((row) => row.slice(0, 3).join(' ')).sort()).toEqual(
      table.map(({ method, path, permission }) => `${method} /${path} ${permission}`).sort(),
    );
  });

  it('has every error code', () => {
    const rows = tableRows(conformance, ['Code', 'Status', 'Title']);
    expect(rows).toEqual([
      ...Object.entries(problems).map(([code, { status, title }]) => [code, String(status), title]),
      ['internal-error', '500', 'Internal error'],
    ]);
  });

  it('has every failure reason', () => {
    const columns = ['Reason', 'Unversioned', '/v1, /v2', 'Meaning'];
    expect(tableRows(conformance, columns)).toEqual(
      Object.entries(failureReasons).map(([reason, { standard, microsoft, meaning }]) => [
        reason,
        String(standard),
        String(microsoft),
        meaning,
      ]),
    );
  });

  it('has every warning reason', () => {
    const rows = tableRows(conformance, ['Reason', 'Code', 'When']);
    expect(rows.map(([reason, code]) => [reason, Number(code)])).toEqual(
      Object.entries(warningReasons),
    );
  });

  const headings = { study: 'studies', series: 'series', instance: 'instances' };

  it('has every order that an index delivers', () => {
    const said = (tag: Tag, descending: boolean) =>
      indexInOrder({ tag, descending }) === undefined ? '–' : 'yes';
    expect(tableRows(conformance, ['Order', 'Ascending', 'Descending'])).toEqual(
      indexedAttributes
        .filter(({ level }) => level === 'study')
        .map(({ tag }) => [keywordOf(tag), said(tag, false), said(tag, true)]),
    );
  });

  it('has the numbers up to which totals are exact', () => {
    const columns = ['What is searched', 'How it is counted', 'Exact up to'];
    const most = tableRows(conformance, columns).map(([, , number = '']) => number);
    const pages = mostCountedPages * tableLimits.pageRows;
    expect(most.map((number) => number.replaceAll(' ', ''))).toEqual(
      ['anynumber', pages, mostCountedRows, mostCounted].map(String),
    );
  });

  it.each(levels)('has the search keys of the level %s', (level) => {
    const columns = ['Keyword', 'Tag', 'VR', 'Matching', 'Index'];
    const wanted = searchKeys
      .filter((key) => key.level === level)
      .map(({ tag, vr, matching }) => [
        keywordOf(tag),
        `${tag.slice(0, 4)},${tag.slice(4)}`,
        vr,
        matching,
        indexedAttributes.some((one) => one.level === level && one.tag === tag) ? 'yes' : '–',
      ]);
    expect(tableRows(conformance, columns, `Keys of ${headings[level]}`)).toEqual(wanted);
  });

  it('has a kind of matching for every VR of a key', () => {
    const rows = tableRows(conformance, ['Matching', 'VR', 'Semantics']);
    const listed = rows.flatMap(([matching = '', vrs = '']) =>
      vrs.split(', ').map((vr) => `${vr} ${matching}`),
    );
    const needed = new Set(searchKeys.map(({ vr, matching }) => `${vr} ${matching}`));
    expect(listed.sort()).toEqual([...needed].sort());
  });

  const byLevel = ['Level', 'Unversioned', '/v1', '/v2'];
  const policies = [standardSearchPolicy, microsoftV1SearchPolicy, microsoftV2SearchPolicy];

  it('has the default attributes of every profile', () => {
    const rows = tableRows(conformance, byLevel, 'Default attributes');
    expect(rows).toEqual(
      levels.map((level) => [level, ...policies.map(({ defaults }) => list(defaults[level]))]),
    );
  });

  it('has what includefield=all adds', () => {
    const added = ({ all, defaults }: SearchPolicy, level: Level) =>
      list(all[level].filter((tag) => !defaults[level].includes(tag)));
    const rows = tableRows(conformance, byLevel, 'What all adds');
    expect(rows).toEqual(
      levels.map((level) => [level, ...policies.map((policy) => added(policy, level))]),
    );
  });

  it('has what includefield=all leaves out', () => {
    const leftOut = policies.flatMap(({ all, defaults }) =>
      levels.map((level) => list(defaults[level].filter((tag) => !all[level].includes(tag)))),
    );
    const named = /(\w+), a default under `\/v2`, is\s+not part of `all`/.exec(
      readDocument(conformance),
    );
    expect(leftOut.filter((names) => names !== '–')).toEqual([named?.[1]]);
  });

  it('has the limits of a page of results', () => {
    const rows = tableRows(conformance, ['Parameter', 'Unversioned', '/v1, /v2']);
    const { defaultLimit, mostResults } = standardSearchPolicy;
    const most = String(mostResults);
    expect(rows.find(([name]) => name === 'limit')).toEqual([
      'limit',
      `from 1, default ${String(defaultLimit)}; above ${most} it is lowered to ${most}`,
      `1 to ${String(microsoftV2SearchPolicy.mostResults)}, default ${String(microsoftV2SearchPolicy.defaultLimit)}; else 400`,
    ]);
  });

  it('has the limits of a page of the change feed', () => {
    const rows = tableRows(conformance, ['Parameter', 'Unversioned, /v2', '/v1']);
    expect(rows.find(([name]) => name === 'limit')).toEqual([
      'limit',
      ...[windowedChangeFeed, sequencedChangeFeed].map(
        ({ mostChanges, defaultLimit }) =>
          `1 to ${String(mostChanges)}, default ${String(defaultLimit)}; else 400`,
      ),
    ]);
  });

  it('has the limits of a request and of a file', () => {
    const { requestBytes, instanceBytes, parts, storeRequests, heldHeaderBytes, part10, pixels } =
      defaultLimits;
    const { headerBytes, nestingDepth, elements, values, fragments, inflatedBytes } = part10;
    const wanted = [
      ['bytes of one request body', requestBytes, settings.maxRequestBytes],
      ['bytes of one instance', instanceBytes, settings.maxInstanceBytes],
      ['parts of one request', parts, settings.maxParts],
      ['store requests at the same time in one process', storeRequests, settings.maxStoreRequests],
      ['bytes of headers that one process holds', heldHeaderBytes, settings.maxHeldHeaderBytes],
      ['bytes of one file besides bulk values', headerBytes, settings.maxHeaderBytes],
      ['sequences within sequences', nestingDepth, settings.maxNestingDepth],
      ['elements and items of one file', elements, settings.maxElements],
      ['values of one file besides bulk values', values, settings.maxValues],
      ['fragments of one file', fragments, settings.maxFragments],
      ['bytes that a deflated data set inflates to', inflatedBytes, settings.maxInflatedBytes],
      ['bytes of one frame that is decoded', pixels.frameBytes, settings.maxFrameBytes],
    ] as const;
    expect(tableRows(conformance, ['Limit', 'Value', 'Setting'])).toEqual(
      wanted.map(([limit, value, { variable }]) => [limit, String(value), variable]),
    );
  });

  it('says which binary values are inline', () => {
    const rows = tableRows(conformance, ['Subject', 'Unversioned', '/v1, /v2'], 'Retrieve');
    const sizes = rows.flatMap(([subject = '']) => /up to (\d+) bytes/.exec(subject)?.[1] ?? []);
    expect(sizes).toEqual([String(maxInlineBinaryBytes)]);
  });
});

describe('docs/configuration.md', () => {
  it('has every setting', () => {
    const rows = tableRows('docs/configuration.md', ['Setting', 'Default', 'Value', 'Effect']);
    expect(rows).toEqual(
      Object.values(settings).map(({ variable, fallback, expected, description }) => [
        variable,
        fallback === undefined ? '–' : String(fallback),
        expected,
        description.replaceAll('`', ''),
      ]),
    );
  });
});
