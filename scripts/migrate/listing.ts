/** What a source without a change feed has, found by searching study by study. */
import { baseOf, type PlacedInstance } from './addresses.js';
import { arrayIn, type Source } from './source.js';

const pageSize = 200;
const dicomJson = 'application/dicom+json';
const uidTags = { study: '0020000D', series: '0020000E', instance: '00080018' } as const;

function uidIn(match: unknown, tag: string): string {
  const element = (match as Readonly<Record<string, { readonly Value?: unknown } | undefined>>)[
    tag
  ];
  const [value] = Array.isArray(element?.Value) ? (element.Value as unknown[]) : [];
  return typeof value === 'string' ? value : '';
}

/**
 * The matches of a search, page by page, each once. A source that does not know `offset` sends the same page
 * again; that ends the search.
 */
async function* matches(
  source: Source,
  url: string,
  keyTag: string,
): AsyncGenerator<unknown, void, undefined> {
  const seen = new Set<string>();
  for (let offset = 0; ;) {
    const page = `${url}?limit=${pageSize}&offset=${offset}`;
    const found = arrayIn(await source.json(page, dicomJson), page);
    const fresh = found.filter((match) => !seen.has(uidIn(match, keyTag)));
    for (const match of fresh) {
      seen.add(uidIn(match, keyTag));
      yield match;
    }
    if (fresh.length === 0) return;
    offset += found.length;
  }
}

/** The partitions that are read; `undefined` for a source that has none. */
async function partitionsOf(source: Source): Promise<readonly (string | undefined)[]> {
  if (source.partition !== undefined) return [source.partition];
  const { status, body } = await source.json(`${source.root}/partitions`);
  if (status !== 200 || !Array.isArray(body)) return [undefined];
  return body.map((entry) => String((entry as { readonly partitionName?: unknown }).partitionName));
}

/**
 * Every instance of the source, study by study. What is stored or deleted meanwhile may be missed: search again.
 *
 * @throws ServiceUnreachable, SourceRefused, NoToken.
 */
export async function* searchAll(source: Source): AsyncGenerator<PlacedInstance, void, undefined> {
  for (const partition of await partitionsOf(source)) {
    const base = baseOf(source.root, partition);
    for await (const match of matches(source, `${base}/studies`, uidTags.study)) {
      const study = uidIn(match, uidTags.study);
      const instances = `${base}/studies/${study}/instances`;
      for await (const found of matches(source, instances, uidTags.instance)) {
        yield {
          ...(partition !== undefined && { partition }),
          study,
          series: uidIn(found, uidTags.series),
          instance: uidIn(found, uidTags.instance),
        };
      }
    }
  }
}
