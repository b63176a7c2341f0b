/**
 * Finds what serves a method and path. Precedence is that of ASP.NET, which routes for us on Azure:
 * segment by segment a literal comes before a parameter, and that before a catch-all.
 */

export interface RouterEntry<T> {
  readonly method: string;
  /** Such as `{version}/studies/{study}` or `{*path}`, without a leading `/`. */
  readonly template: string;
  readonly value: T;
}

export interface RouterMatch<T> {
  readonly value: T;
  /** Path parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
}

export interface Router<T> {
  /** What serves the method and path; `undefined` when nothing does. */
  match(method: string, path: string): RouterMatch<T> | undefined;
  /** The methods that a path has; none when the path is unknown. */
  methodsOf(path: string): readonly string[];
}

type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'parameter'; readonly name: string }
  | { readonly kind: 'catch-all'; readonly name: string };

interface Compiled<T> extends RouterEntry<T> {
  readonly segments: readonly Segment[];
  readonly rank: string;
}

const rankOf = { literal: '1', parameter: '3', 'catch-all': '5' } as const;

function segmentOf(text: string): Segment {
  const name = /^\{(\*?)(\w+)\}$/.exec(text);
  if (name?.[2] === undefined) return { kind: 'literal', text: text.toLowerCase() };
  return { kind: name[1] === '*' ? 'catch-all' : 'parameter', name: name[2] };
}

function compile<T>(entry: RouterEntry<T>): Compiled<T> {
  const segments = entry.template.split('/').map(segmentOf);
  return { ...entry, segments, rank: segments.map(({ kind }) => rankOf[kind]).join('') };
}

/** Percent-decodes a segment; one that cannot be decoded stays as it is. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The parameters when the segments fit the path. */
function fit(
  segments: readonly Segment[],
  path: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'catch-all') {
      return { ...params, [segment.name]: path.slice(index).join('/') };
    }
    const text = path[index];
    if (text === undefined || text === '') return undefined;
    if (segment.kind === 'parameter') params[segment.name] = text;
    else if (segment.text !== text.toLowerCase()) return undefined;
  }
  return segments.length === path.length ? params : undefined;
}

/**
 * A router over the entries. Literals match in any case, one final `/` is passed over, an empty
 * segment matches no parameter.
 */
export function createRouter<T>(entries: readonly RouterEntry<T>[]): Router<T> {
  const compiled = entries
    .map(compile)
    .sort((a, b) => (a.rank < b.rank ? -1 : Number(a.rank > b.rank)));

  const split = (path: string) => path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decode);

  return {
    match(method, path) {
      const segments = split(path);
      for (const entry of compiled) {
        if (entry.method !== method) continue;
        const params = fit(entry.segments, segments);
        if (params !== undefined) return { value: entry.value, params };
      }
      return undefined;
    },
    methodsOf(path) {
      const segments = split(path);
      const fitting = compiled.filter((entry) => fit(entry.segments, segments) !== undefined);
      return [...new Set(fitting.map(({ method }) => method))];
    },
  };
}
