/**
 * Evaluates the part of KQL that the alerts are written in, on rows of a test. What it does not know it
 * refuses, so that no query passes that was not understood. Semantics as in the Kusto documentation:
 * `has` finds whole terms, `has`, `contains` and `startswith` ignore case, null is no number.
 */

type Cell = string | number | boolean | null | object;
export type Row = Readonly<Record<string, Cell>>;
export type Tables = Readonly<Record<string, readonly Row[]>>;

interface Token {
  readonly kind: 'text' | 'number' | 'name' | 'sign' | 'end';
  readonly value: string;
}

type Expression =
  | { readonly kind: 'literal'; readonly value: Cell }
  | { readonly kind: 'path'; readonly names: readonly string[] }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expression[] };

const pattern =
  /\s+|\/\/[^\n]*|(@?"[^"\n]*"|@?'[^'\n]*')|(\d+(?:\.\d+)?)|([A-Za-z_]\w*)|(==|!=|>=|<=|[|(),=<>+\-*/.:])/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  pattern.lastIndex = 0;
  while (pattern.lastIndex < text.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) throw new Error(`KQL is not understood at: ${text.slice(at, at + 30)}`);
    const [, quoted, number, name, sign] = match;
    if (quoted !== undefined) {
      if (!quoted.startsWith('@') && quoted.includes('\\')) throw new Error(`An escape: ${quoted}`);
      tokens.push({ kind: 'text', value: quoted.replace('@', '').slice(1, -1) });
    } else if (number !== undefined) tokens.push({ kind: 'number', value: number });
    else if (name !== undefined) tokens.push({ kind: 'name', value: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', value: sign });
  }
  return tokens;
}

const text = (value: Cell | undefined): string =>
  value === null || value === undefined
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);

function number(value: Cell | undefined): number | null {
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || value.trim() === '') return null;
  return Number.isNaN(Number(value)) ? null : Number(value);
}

function parseJson(value: Cell | undefined): Cell {
  try {
    return JSON.parse(text(value)) as Cell;
  } catch {
    return text(value);
  }
}

/** A member of a dynamic value; null where there is none. */
function memberOf(value: Cell | undefined, name: string): Cell {
  if (typeof value !== 'object' || value === null) return null;
  return (value as Readonly<Record<string, Cell | undefined>>)[name] ?? null;
}

const escaped = (value: string): string => value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/** A term stands by itself where it begins or ends with a letter or digit. */
function has(value: string, term: string): boolean {
  const before = /^\w/.test(term) ? '(?<![A-Za-z0-9])' : '';
  const after = /\w$/.test(term) ? '(?![A-Za-z0-9])' : '';
  return new RegExp(before + escaped(term) + after, 'i').test(value);
}

function arithmetic(work: (a: number, b: number) => number) {
  return (a?: Cell, b?: Cell): Cell => {
    const [left, right] = [number(a), number(b)];
    return left === null || right === null ? null : work(left, right);
  };
}

function comparison(work: (a: number, b: number) => boolean) {
  return (a?: Cell, b?: Cell): Cell => {
    const [left, right] = [number(a), number(b)];
    return left !== null && right !== null && work(left, right);
  };
}

type Scalar = (...args: readonly Cell[]) => Cell;

/** Operators and functions of one row. */
const scalars: Readonly<Record<string, Scalar>> = {
  and: (a, b) => a === true && b === true,
  or: (a, b) => a === true || b === true,
  not: (a) => a !== true,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '>': comparison((a, b) => a > b),
  '<': comparison((a, b) => a < b),
  '>=': comparison((a, b) => a >= b),
  '<=': comparison((a, b) => a <= b),
  '+': arithmetic((a, b) => a + b),
  '-': arithmetic((a, b) => a - b),
  '*': arithmetic((a, b) => a * b),
  '/': arithmetic((a, b) => a / b),
  has: (a, b) => has(text(a), text(b)),
  contains: (a, b) => text(a).toLowerCase().includes(text(b).toLowerCase()),
  startswith: (a, b) => text(a).toLowerCase().startsWith(text(b).toLowerCase()),
  matches: (a, b) => new RegExp(text(b)).test(text(a)),
  iff: (condition, a, b) => (condition === true ? a : b) ?? null,
  isnotempty: (a) => text(a) !== '',
  strcat: (...parts) => parts.map(text).join(''),
  substring: (a, from, length) =>
    text(a).slice(number(from) ?? 0, (number(from) ?? 0) + (number(length) ?? 0)),
  tostring: (a) => text(a),
  toint: (a) => (number(a) === null ? null : Math.trunc(number(a) ?? 0)),
  todouble: (a) => number(a),
  parse_json: (a) => parseJson(a),
  member: (a, b) => memberOf(a, text(b)),
};

type Aggregate = (rows: readonly Row[], args: readonly Expression[]) => Cell;

const valuesOf = (rows: readonly Row[], of: Expression | undefined): readonly number[] =>
  rows.flatMap((row) => {
    const value = of === undefined ? null : number(evaluate(of, row));
    return value === null ? [] : [value];
  });

const aggregates: Readonly<Record<string, Aggregate>> = {
  count: (rows) => rows.length,
  sum: (rows, [of]) => valuesOf(rows, of).reduce((sum, value) => sum + value, 0),
  max: (rows, [of]) =>
    valuesOf(rows, of).reduce<number | null>(
      (most, value) => (most === null || value > most ? value : most),
      null,
    ),
  percentile: (rows, [of, rank]) => {
    const values = [...valuesOf(rows, of)].sort((a, b) => a - b);
    const share = rank === undefined ? null : number(evaluate(rank, {}));
    if (share === null) throw new Error('percentile needs a rank.');
    return values[Math.max(0, Math.ceil((share / 100) * values.length) - 1)] ?? null;
  },
};

function evaluate(of: Expression, row: Row): Cell {
  if (of.kind === 'literal') return of.value;
  if (of.kind === 'path') {
    const [first = '', ...rest] = of.names;
    if (!Object.hasOwn(row, first)) throw new Error(`There is no column ${first}.`);
    return rest.reduce<Cell>(memberOf, row[first] ?? null);
  }
  const work = scalars[of.name];
  if (work === undefined) throw new Error(`The function ${of.name} is not known.`);
  return work(...of.args.map((argument) => evaluate(argument, row)));
}

/** An expression over many rows, in which functions such as count() look at all of them. */
function aggregate(of: Expression, rows: readonly Row[]): Cell {
  if (of.kind !== 'call') return evaluate(of, {});
  const work = aggregates[of.name];
  if (work !== undefined) return work(rows, of.args);
  const scalar = scalars[of.name];
  if (scalar === undefined) throw new Error(`The function ${of.name} is not known.`);
  return scalar(...of.args.map((argument) => aggregate(argument, rows)));
}

/** From what binds least to what binds most. */
const levels: readonly (readonly string[])[] = [
  ['or'],
  ['and'],
  ['==', '!=', '>=', '<=', '>', '<', 'has', 'contains', 'startswith', 'matches'],
  ['+', '-'],
  ['*', '/'],
];

class Query {
  private at = 0;
  private readonly tokens: readonly Token[];
  private readonly tables: Tables;

  constructor(source: string, tables: Tables) {
    this.tokens = tokensOf(source);
    this.tables = tables;
  }

  run(): readonly Row[] {
    const rows = this.pipeline();
    if (this.peek().kind !== 'end') throw new Error(`KQL goes on with ${this.peek().value}.`);
    return rows;
  }

  private peek(): Token {
    return this.tokens[this.at] ?? { kind: 'end', value: '' };
  }

  private take(value?: string): string {
    const token = this.peek();
    if (value !== undefined && token.value !== value) {
      throw new Error(`KQL has ${token.value} instead of ${value}.`);
    }
    this.at += 1;
    return token.value;
  }

  private takes(value: string): boolean {
    const token = this.peek();
    if (token.kind === 'text' || token.value !== value) return false;
    this.at += 1;
    return true;
  }

  private source(): readonly Row[] {
    if (!this.takes('union')) {
      const name = this.take();
      const rows = this.tables[name];
      if (rows === undefined) throw new Error(`There is no table ${name}.`);
      return rows;
    }
    const rows: Row[] = [];
    do {
      this.take('(');
      rows.push(...this.pipeline());
      this.take(')');
    } while (this.takes(','));
    return rows;
  }

  private pipeline(): readonly Row[] {
    let rows = this.source();
    while (this.takes('|')) rows = this.step(this.take(), rows);
    return rows;
  }

  private step(operator: string, rows: readonly Row[]): readonly Row[] {
    if (operator === 'where') {
      const condition = this.expression();
      return rows.filter((row) => evaluate(condition, row) === true);
    }
    if (operator === 'parse') return this.parse(rows);
    const columns = this.columns();
    const made = (work: (of: Expression) => Cell): Row =>
      Object.fromEntries(columns.map(([name, of]) => [name, work(of)]));
    if (operator === 'extend') {
      return rows.map((row) => ({ ...row, ...made((of) => evaluate(of, row)) }));
    }
    if (operator === 'project') return rows.map((row) => made((of) => evaluate(of, row)));
    if (operator === 'summarize') return [made((of) => aggregate(of, rows))];
    throw new Error(`The operator ${operator} is not known.`);
  }

  private columns(): readonly (readonly [string, Expression])[] {
    const columns: [string, Expression][] = [];
    do {
      const name = this.take();
      columns.push([name, this.takes('=') ? this.expression() : { kind: 'path', names: [name] }]);
    } while (this.takes(','));
    return columns;
  }

  /** `parse column with "text" name: long "text"`: the whole text must be of that form. */
  private parse(rows: readonly Row[]): readonly Row[] {
    const column = this.take();
    this.take('with');
    const names: string[] = [];
    let form = '';
    while (['text', 'name'].includes(this.peek().kind)) {
      if (this.peek().kind === 'text') {
        form += escaped(this.take());
        continue;
      }
      names.push(this.take());
      this.take(':');
      this.take('long');
      form += '(\\d+)';
    }
    return rows.map((row) => {
      const match = new RegExp(`^${form}$`).exec(text(row[column]));
      const parsed = names.map((name, index) => [name, number(match?.[index + 1] ?? null)]);
      return { ...row, ...(Object.fromEntries(parsed) as Row) };
    });
  }

  private expression(level = 0): Expression {
    const operators = levels[level];
    if (operators === undefined) return this.primary();
    let left = this.expression(level + 1);
    while (this.peek().kind !== 'text' && operators.includes(this.peek().value)) {
      const name = this.take();
      if (name === 'matches') this.take('regex');
      left = { kind: 'call', name, args: [left, this.expression(level + 1)] };
    }
    return left;
  }

  private primary(): Expression {
    const { kind, value } = this.peek();
    this.take();
    if (kind === 'text') return { kind: 'literal', value };
    if (kind === 'number') return { kind: 'literal', value: Number(value) };
    if (value === '(') {
      const inner = this.expression();
      this.take(')');
      return inner;
    }
    if (kind !== 'name') throw new Error(`KQL has ${value} where a value should be.`);
    if (this.takes('(')) {
      const args: Expression[] = [];
      while (!this.takes(')')) {
        args.push(this.expression());
        this.takes(',');
      }
      let called: Expression = { kind: 'call', name: value, args };
      while (this.takes('.')) {
        const name: Expression = { kind: 'literal', value: this.take() };
        called = { kind: 'call', name: 'member', args: [called, name] };
      }
      return called;
    }
    const names = [value];
    while (this.takes('.')) names.push(this.take());
    return { kind: 'path', names };
  }
}

/** Evaluates a query. @throws Error when it holds what is not known here, or a table that is not given. */
export function evaluateKql(query: string, tables: Tables): readonly Row[] {
  return new Query(query, tables).run();
}
