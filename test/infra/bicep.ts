/**
 * Reads Bicep without its compiler: syntax by tree-sitter, and of the meaning as much as is needed to
 * hold templates against each other and against the code.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Language, Parser, type Node } from 'web-tree-sitter';

export const infra = path.join(__dirname, '../../infra');

/** A literal; whatever is no literal keeps its text. */
export type Value =
  | string
  | number
  | boolean
  | null
  | { readonly expression: string }
  | readonly Value[]
  | Properties;
export interface Properties {
  readonly [name: string]: Value;
}

type Kind = 'parameter' | 'variable' | 'resource' | 'module' | 'output' | 'type';

/** A declaration at the top of a file, or of a resource within another. */
export interface Declaration {
  readonly kind: Kind;
  readonly name: string;
  /** The type of a resource with its version, the path of a module. */
  readonly of: string | undefined;
  readonly existing: boolean;
  /** Whether it is one only under a condition. */
  readonly conditional: boolean;
  /** What it is, where it is given: the value, the object of a resource or within its loop. */
  readonly value: Value | undefined;
  readonly node: Node;
}

export interface Template {
  /** Relative to `infra/`. */
  readonly file: string;
  readonly text: string;
  readonly tree: Node;
  readonly declarations: readonly Declaration[];
}

let parser: Promise<Parser> | undefined;

async function loadParser(): Promise<Parser> {
  await Parser.init();
  const made = new Parser();
  const grammar = readFileSync(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm'));
  made.setLanguage(await Language.load(grammar));
  return made;
}

async function parse(text: string): Promise<Node> {
  const tree = (await (parser ??= loadParser())).parse(text);
  if (tree === null) throw new Error('Nothing was parsed.');
  return tree.rootNode;
}

/** Children that count: the grammar knows comments as nodes, too. */
export function childrenOf(node: Node): readonly Node[] {
  return node.namedChildren.filter(
    ({ type }) => type !== 'comment' && type !== 'diagnostic_comment',
  );
}

/** A node and all below it. */
export function* below(node: Node): Generator<Node, undefined> {
  yield node;
  for (const child of node.children) yield* below(child);
}

/** What is not Bicep, as `line: text`. */
export function syntaxFaults(tree: Node): readonly string[] {
  const faults: string[] = [];
  const visit = (node: Node): void => {
    if (node.isError || node.isMissing) {
      faults.push(`${node.startPosition.row + 1}: ${node.text.slice(0, 60) || node.type}`);
      return;
    }
    for (const child of node.children) visit(child);
  };
  visit(tree);
  return faults;
}

function propertiesOf(node: Node): Properties {
  return Object.fromEntries(
    childrenOf(node)
      .filter((property) => childrenOf(property).length > 1)
      .map((property) => {
        const [name, value] = childrenOf(property);
        return [name?.text.replaceAll("'", '') ?? '', value === undefined ? null : valueOf(value)];
      }),
  );
}

/** The value of an expression, as far as it is a literal. */
export function valueOf(node: Node): Value {
  if (node.type === 'string' && !node.text.includes('${')) {
    return node.text.replace(/^'+|'+$/g, '');
  }
  if (node.type === 'number') return Number(node.text);
  if (node.type === 'boolean') return node.text === 'true';
  if (node.type === 'null') return null;
  if (node.type === 'array') return childrenOf(node).map(valueOf);
  if (node.type === 'object') return propertiesOf(node);
  return { expression: node.text };
}

const kinds: Readonly<Record<string, Kind>> = {
  parameter_declaration: 'parameter',
  variable_declaration: 'variable',
  resource_declaration: 'resource',
  module_declaration: 'module',
  output_declaration: 'output',
  type_declaration: 'type',
};

function bodyOf(kind: Kind, node: Node): Node | undefined {
  const rest = childrenOf(node).slice(1);
  if (kind === 'variable' || kind === 'type') return rest[0];
  if (kind === 'parameter') return rest[1];
  const last = rest.at(-1);
  if (last?.type === 'if_statement') return childrenOf(last).at(-1);
  if (last?.type === 'for_statement') return last.childForFieldName('body') ?? undefined;
  return last;
}

function declarationsOf(tree: Node): readonly Declaration[] {
  return [...below(tree)].flatMap((node) => {
    const kind = kinds[node.type];
    if (kind === undefined) return [];
    const [name, of] = childrenOf(node);
    const body = bodyOf(kind, node);
    return [
      {
        kind,
        name: name?.text ?? '',
        of: of?.type === 'string' ? of.text.replaceAll("'", '') : undefined,
        existing: node.children.some(({ type }) => type === 'existing'),
        conditional: childrenOf(node).some(({ type }) => type === 'if_statement'),
        value: body === undefined ? undefined : valueOf(body),
        node,
      },
    ];
  });
}

/** Reads one file of `infra/`. */
export async function readTemplate(file: string): Promise<Template> {
  const text = readFileSync(path.join(infra, file), 'utf8');
  // What the grammar does not know: extensions, and files of parameters, which are declarations.
  const known = text.replace(/^extension \w+$/m, '');
  const source = file.endsWith('.bicepparam')
    ? known.replace(/^using .*$/m, '').replaceAll(/^param /gm, 'var ')
    : known;
  const tree = await parse(source);
  return { file, text, tree, declarations: declarationsOf(tree) };
}

/** The variable of the azd environment that a parameter is read from, and what stands for none. */
export function readVariable(
  text: string,
): { readonly name: string; readonly fallback: string } | undefined {
  const [, name, plain = '', fallback = plain] =
    /readEnvironmentVariable\('(\w+)', '([^']*)'\)(?:, '([^']*)'\))?/.exec(text) ?? [];
  return name === undefined ? undefined : { name, fallback };
}

/** Every Bicep file. */
export const templateFiles: readonly string[] = readdirSync(infra, { recursive: true })
  .map((name) => String(name).split(path.sep).join('/'))
  .filter((name) => /\.bicep(?:param)?$/.test(name))
  .sort();

export async function readTemplates(): Promise<readonly Template[]> {
  return await Promise.all(templateFiles.map(readTemplate));
}

/** The declaration of that name, which must be there. */
export function declared({ file, declarations }: Template, name: string): Declaration {
  const found = declarations.find((declaration) => declaration.name === name);
  if (found === undefined) throw new Error(`${file} does not declare ${name}.`);
  return found;
}

/** The member of an object, by a path of names. */
export function member(value: Value | undefined, ...names: readonly string[]): Value | undefined {
  let current = value;
  for (const name of names) {
    if (typeof current !== 'object' || current === null || Array.isArray(current)) return undefined;
    current = (current as Properties)[name];
  }
  return current;
}
