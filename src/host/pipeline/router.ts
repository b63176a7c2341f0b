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

/** What a template that ends here serves, and the names of its parameters in their order. */
interface Leaf<T> extends RouterEntry<T> {
  readonly names: readonly string[];
}

/** All templates that begin alike, whatever their parameters are called. */
interface Branch<T> {
  /** In lower case. */
  readonly literals: Map<string, Branch<T>>;
  parameter?: Branch<T>;
  readonly leaves: Leaf<T>[];
  readonly catchAlls: Leaf<T>[];
}

function newBranch<T>(): Branch<T> {
  return { literals: new Map(), leaves: [], catchAlls: [] };
}

/** Puts a template into the tree. */
function plant<T>(root: Branch<T>, entry: RouterEntry<T>): void {
  const names: string[] = [];
  let branch = root;
  for (const segment of entry.template.split('/')) {
    const [, star, name] = /^\{(\*?)(\w+)\}$/.exec(segment) ?? [];
    if (name !== undefined) names.push(name);
    if (star === '*') {
      branch.catchAlls.push({ ...entry, names });
      return;
    }
    const literal = segment.toLowerCase();
    const next: Branch<T> =
      (name === undefined ? branch.literals.get(literal) : branch.parameter) ?? newBranch();
    if (name === undefined) branch.literals.set(literal, next);
    else branch.parameter = next;
    branch = next;
  }
  branch.leaves.push({ ...entry, names });
}

/** A template that fits a path. */
interface Fit<T> {
  readonly leaf: Leaf<T>;
  readonly values: readonly string[];
}

/** Adds to `found` the templates that fit what is left of a path, the most specific first. */
function addFits<T>(
  found: Fit<T>[],
  branch: Branch<T>,
  path: readonly string[],
  at: number,
  values: readonly string[],
): void {
  const segment = path[at];
  if (segment === undefined) for (const leaf of branch.leaves) found.push({ leaf, values });
  else if (segment !== '') {
    const literal = branch.literals.get(segment.toLowerCase());
    if (literal !== undefined) addFits(found, literal, path, at + 1, values);
    const { parameter } = branch;
    if (parameter !== undefined) addFits(found, parameter, path, at + 1, [...values, segment]);
  }
  for (const leaf of branch.catchAlls) {
    found.push({ leaf, values: [...values, path.slice(at).join('/')] });
  }
}

/** Percent-decodes a segment; one that cannot be decoded stays as it is. */
function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function split(path: string): readonly string[] {
  return path.replace(/^\//, '').replace(/\/$/, '').split('/').map(decode);
}

/**
 * A router over the entries. Literals match in any case, one final `/` is passed over, an empty
 * segment matches no parameter.
 */
export function createRouter<T>(entries: readonly RouterEntry<T>[]): Router<T> {
  const root = newBranch<T>();
  for (const entry of entries) plant(root, entry);
  const fitsOf = (path: string): readonly Fit<T>[] => {
    const found: Fit<T>[] = [];
    addFits(found, root, split(path), 0, []);
    return found;
  };
  return {
    match(method, path) {
      const fit = fitsOf(path).find(({ leaf }) => leaf.method === method);
      if (fit === undefined) return undefined;
      const { leaf, values } = fit;
      const params = Object.fromEntries(leaf.names.map((name, n) => [name, values[n] ?? '']));
      return { value: leaf.value, params };
    },
    methodsOf: (path) => [...new Set(fitsOf(path).map(({ leaf }) => leaf.method))],
  };
}
