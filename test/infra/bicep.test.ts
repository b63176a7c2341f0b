/**
 * The templates as such: what the compiler would say of names, parameters and outputs, since it is not
 * everywhere; `npm run check:infra` asks the compiler as well where there is one.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  below,
  childrenOf,
  declared,
  infra,
  member,
  readTemplates,
  readVariable,
  syntaxFaults,
  templateFiles,
  type Properties,
  type Template,
} from './bicep.js';

let templates: ReadonlyMap<string, Template>;

beforeAll(async () => {
  templates = new Map((await readTemplates()).map((template) => [template.file, template]));
});

function template(file: string): Template {
  const found = templates.get(file);
  if (found === undefined) throw new Error(`There is no ${file}.`);
  return found;
}

/** Functions of Bicep that are used here, and names that are always there. */
const builtIn = new Set([
  ...['resourceGroup', 'subscription', 'tenant', 'environment', 'subscriptionResourceId', 'guid'],
  ...['uniqueString', 'toLower', 'empty', 'split', 'union', 'concat', 'map', 'filter', 'flatten'],
  ...['items', 'string', 'int', 'bool', 'json', 'trim', 'replace', 'loadTextContent', 'cidrSubnet'],
  ...['readEnvironmentVariable', 'object', 'array', 'any', 'fail', 'loadJsonContent', 'endsWith'],
]);

/** Names that are used in expressions: not those of properties, nor those that are being declared. */
function usedNames({ tree }: Template): readonly string[] {
  const notExpressions = ['decorator', 'primitive_type', 'import_functionality'];
  return [...below(tree)]
    .filter(({ type }) => type === 'identifier')
    .filter(({ id, parent }) => {
      if (parent === null || notExpressions.includes(parent.type)) return false;
      const declares = parent.type === 'object_property' || parent.type.endsWith('_declaration');
      if (declares) return childrenOf(parent)[0]?.id !== id;
      return parent.type !== 'call_expression' || parent.parent?.type !== 'decorator';
    })
    .map(({ text }) => text);
}

/** Names that a file gives a meaning to: declarations, loops, parameters of functions, imports. */
function givenNames({ tree, declarations }: Template): ReadonlySet<string> {
  const local = [...tree.text.matchAll(/\bfor (?:\((\w+), (\w+)\)|(\w+)) in\b|(\w+) =>/g)];
  const imported = [...tree.text.matchAll(/^import \{ ([\w, ]+) \}/gm)];
  const functions = [...tree.text.matchAll(/^func (\w+)\(([^)]*)\)/gm)];
  return new Set([
    ...functions.flatMap(([, name = '', parameters = '']) => [
      name,
      ...parameters.split(', ').map((parameter) => parameter.split(' ')[0] ?? ''),
    ]),
    ...declarations.map(({ name }) => name),
    ...local.flatMap((match) =>
      match.slice(1).filter((name: string | undefined) => name !== undefined),
    ),
    ...imported.flatMap(([, names = '']) => names.split(', ')),
  ]);
}

const resolved = (from: string, to: string) => path.posix.join(path.posix.dirname(from), to);

describe.each(templateFiles)('infra/%s', (file) => {
  it('is Bicep', () => {
    expect(syntaxFaults(template(file).tree)).toEqual([]);
  });

  it('uses only names that it declares', () => {
    const given = givenNames(template(file));
    const unknown = usedNames(template(file)).filter(
      (name) => !given.has(name) && !builtIn.has(name),
    );
    expect(unknown).toEqual([]);
  });

  it('uses every parameter and variable that it declares', () => {
    if (file.endsWith('.bicepparam')) return;
    // What is exported is used elsewhere.
    const exported = [...template(file).text.matchAll(/^@export\(\)\n(?:@.*\n)*var (\w+)/gm)];
    const used = new Set([...usedNames(template(file)), ...exported.map(([, name = '']) => name)]);
    const unused = template(file)
      .declarations.filter(({ kind }) => kind === 'parameter' || kind === 'variable')
      .filter(({ name }) => !used.has(name));
    expect(unused.map(({ name }) => name)).toEqual([]);
  });

  it('gives modules the parameters that they ask for, of files that exist', () => {
    for (const { kind, of = '', value } of template(file).declarations) {
      if (kind !== 'module') continue;
      const { declarations } = template(resolved(file, of));
      const parameters = declarations.filter((each) => each.kind === 'parameter');
      const given = Object.keys((member(value, 'params') ?? {}) as Properties);
      const names = parameters.map(({ name }) => name);
      expect({ of, unknown: given.filter((name) => !names.includes(name)) }).toEqual({
        of,
        unknown: [],
      });
      const required = parameters.filter((each) => each.value === undefined);
      expect(given).toEqual(expect.arrayContaining(required.map(({ name }) => name)));
    }
  });

  it('asks modules only for outputs that they have', () => {
    const { tree, declarations } = template(file);
    for (const [, name = '', output = ''] of tree.text.matchAll(/\b(\w+)!?\.outputs\.(\w+)/g)) {
      const { of = '' } = declared(template(file), name);
      const outputs = template(resolved(file, of)).declarations;
      expect(outputs).toContainEqual(expect.objectContaining({ kind: 'output', name: output }));
    }
    // A module that may be missing is said to be there only under its condition.
    const conditional = declarations.filter((each) => each.kind === 'module' && each.conditional);
    for (const { name } of conditional) {
      expect(tree.text).not.toMatch(new RegExp(`\\b${name}\\.outputs`));
    }
  });

  it('loads texts that exist', () => {
    const loaded = template(file).text.matchAll(/loadTextContent\('([^']+)'\)/g);
    const missing = [...loaded]
      .map(([, name = '']) => resolved(file, name))
      .filter((name) => !existsSync(path.join(infra, name)));
    expect(missing).toEqual([]);
  });

  it('passes every parameter on that has a default in the template above', () => {
    if (file !== 'main.bicep') return;
    const names = (name: string) =>
      template(name)
        .declarations.filter(({ kind }) => kind === 'parameter')
        .map((each) => each.name);
    const given = Object.keys(
      member(declared(template(file), 'service').value, 'params') as Properties,
    );
    expect([...given].sort()).toEqual([...names('service.bicep')].sort());
  });
});

describe('infra/main.bicepparam', () => {
  it('sets every parameter, and no other', () => {
    const set = template('main.bicepparam').declarations.map(({ name }) => name);
    const parameters = template('main.bicep').declarations.filter(
      ({ kind }) => kind === 'parameter',
    );
    expect([...set].sort()).toEqual(parameters.map(({ name }) => name).sort());
  });

  it('has the defaults of the template', () => {
    for (const { name, node } of template('main.bicepparam').declarations) {
      const text = readVariable(node.text)?.fallback;
      const { value } = declared(template('main.bicep'), name);
      if (value === undefined) continue;
      const expected =
        typeof value === 'string' ? value : JSON.stringify(value).replaceAll('"', '');
      expect(`${name} ${text ?? ''}`).toBe(`${name} ${expected}`);
    }
  });
});

describe('infra/service.bicep', () => {
  it('has the defaults of main.bicep', () => {
    const { declarations } = template('main.bicep');
    const differing = template('service.bicep')
      .declarations.filter(({ kind }) => kind === 'parameter')
      .map((parameter) => ({
        parameter,
        other: declarations.find(
          ({ name, kind }) => name === parameter.name && kind === 'parameter',
        ),
      }))
      .filter(({ parameter, other }) => {
        // Where main.bicep has no default, or finds the value itself, there is nothing to agree on.
        if (other?.value === undefined || parameter.value === undefined) return false;
        if (typeof parameter.value === 'object' && 'expression' in (parameter.value as object)) {
          return false;
        }
        return JSON.stringify(parameter.value) !== JSON.stringify(other.value);
      });
    expect(differing.map(({ parameter }) => parameter.name)).toEqual([]);
  });

  it('needs no registry, that it can be built anywhere', () => {
    const used = templateFiles
      .filter((file) => !/^main\.bicep|app-registration/.test(file))
      .filter((file) => /^extension |['"]br[:/]/m.test(template(file).text));
    expect(used).toEqual([]);
  });
});

describe('infra/bicepconfig.json', () => {
  it('knows the extension that is used', () => {
    const config = JSON.parse(readFileSync(path.join(infra, 'bicepconfig.json'), 'utf8')) as {
      readonly extensions: Readonly<Record<string, string>>;
    };
    const { text } = template('modules/app-registration.bicep');
    const [, name = ''] = /^extension (\w+)$/m.exec(text) ?? [];
    expect(Object.keys(config.extensions)).toEqual([name]);
  });
});
