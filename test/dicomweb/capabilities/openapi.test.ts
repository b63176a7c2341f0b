/** The OpenAPI documents are held against a linter, which knows the rules of OpenAPI and checks examples against schemas. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import packageJson from '../../../package.json';
import { toOpenApi, type ApiFacts } from '../../../src/dicomweb/capabilities/openapi.js';
import { headerParameters } from '../../../src/dicomweb/capabilities/parameters.js';
import { jsonBodies } from '../../../src/dicomweb/capabilities/schemas.js';
import type { Route } from '../../../src/dicomweb/route.js';
import { routes } from '../../../src/dicomweb/routes.js';

const table = Object.values<Route>(routes);
const root = path.join(__dirname, '../../..');

const facts: readonly ApiFacts[] = (['', 'v1', 'v2'] as const).flatMap((version) =>
  [false, true].map((partitions) => ({
    baseUrl: `https://dicom.contoso.com${version === '' ? '' : `/${version}`}`,
    version,
    partitions,
  })),
);
const documents = facts.map((one) => toOpenApi(table, one));

/** What the linter says of each document. */
function lint(sources: readonly object[]): readonly unknown[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'test/support/lint-openapi.mjs')],
    {
      cwd: root,
      input: sources.map((one) => `${JSON.stringify(one)}\n`).join(''),
      encoding: 'utf8',
    },
  );
  const lines = stdout.trimEnd().split('\n');
  if (lines.length !== sources.length) throw new Error(stderr);
  return lines.map((line) => JSON.parse(line) as unknown);
}

interface Body {
  readonly content?: Readonly<Record<string, { readonly schema?: unknown }>>;
}

interface Document {
  readonly info: { readonly version: string };
  readonly paths: Readonly<
    Record<string, Record<string, { requestBody?: Body; responses?: Record<string, Body> }>>
  >;
}

describe('the OpenAPI documents', () => {
  it('have nothing that a linter finds fault with', () => {
    const wrong = { openapi: '3.1.0', info: { title: 'x' }, paths: {} };
    const [found, ...others] = lint([wrong, ...documents]);
    expect(found).toEqual(expect.arrayContaining([expect.arrayContaining(['struct'])]));
    expect(others).toEqual(documents.map(() => []));
  });

  it('carry the version of the package, and a schema for every body', () => {
    for (const document of documents as readonly Document[]) {
      expect(document.info.version).toBe(packageJson.version);
      const bodies = Object.values(document.paths)
        .flatMap((methods) => Object.values(methods))
        .flatMap(({ requestBody, responses = {} }) => [requestBody, ...Object.values(responses)]);
      const media = bodies.flatMap((body) => Object.entries(body?.content ?? {}));
      expect(media.length).toBeGreaterThan(50);
      expect(media.filter(([, { schema }]) => schema === undefined)).toEqual([]);
    }
  });

  it('describe the JSON of every route, but what describes the API itself', () => {
    for (const document of documents as readonly Document[]) {
      const undescribed = Object.values(document.paths)
        .flatMap((methods) => Object.values(methods))
        .filter((operation) => JSON.stringify(operation).includes('#/components/schemas/Json"'))
        .map((operation) => (operation as { readonly operationId?: string }).operationId ?? '');
      for (const name of undescribed) {
        expect(name).toMatch(/^(?:describe|retrieve(?:Capabilities|OpenApi|Api))/);
      }
    }
  });

  it('know the JSON and the headers of routes that there are', () => {
    const names = new Set(table.map(({ name }) => name));
    const known = [...Object.keys(jsonBodies), ...Object.keys(headerParameters)];
    expect(known.filter((name) => !names.has(name))).toEqual([]);
  });
});
