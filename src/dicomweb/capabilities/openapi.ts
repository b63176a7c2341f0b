/** Routes as an OpenAPI document (version 3.1). */
import { packageVersion } from '../../version.js';
import type { Route } from '../route.js';
import { byPath, type DescribedRoute } from './described-route.js';
import { headerParameters, parameterSchema } from './parameters.js';
import type { Schema } from './schema-words.js';
import { schemaOf, schemas } from './schemas.js';

/** What is told of the API besides its routes. */
export interface ApiFacts {
  /** Absolute, without a slash at its end. */
  readonly baseUrl: string;
  /** The one that the document is about; `''` for all of them. */
  readonly version: '' | 'v1' | 'v2';
  /** Whether data partitions are enabled. */
  readonly partitions: boolean;
}

const everyVersion = ['', '/v2', '/v1'];

function contentOf(
  { name }: DescribedRoute,
  mediaTypes: readonly string[],
  of: 'takes' | 'answers',
): Readonly<Record<string, object>> {
  return Object.fromEntries(mediaTypes.map((type) => [type, { schema: schemaOf(name, type, of) }]));
}

/** Problem details; at versioned URLs their words as text, as in the Microsoft server. */
function problemContent(version: ApiFacts['version']): object {
  const asText = { 'text/plain': { schema: { type: 'string' } } };
  const asJson = {
    'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
  };
  return version === '' ? { ...asJson, ...asText } : asText;
}

function operationOf(route: DescribedRoute, version: ApiFacts['version']): object {
  const { name, summary, takes, answers, pathParameters, queryParameters, anonymous } = route;
  return {
    operationId: name,
    summary,
    parameters: [
      ...pathParameters.map((one) => ({
        name: one,
        in: 'path',
        required: true,
        schema: parameterSchema(one),
      })),
      ...queryParameters.map((one) => ({
        name: one,
        in: 'query',
        required: false,
        schema: parameterSchema(one),
      })),
      ...(headerParameters[name] ?? []).map((one) => ({ ...one, in: 'header', required: false })),
    ],
    ...(takes.length > 0 && {
      requestBody: { required: true, content: contentOf(route, takes, 'takes') },
    }),
    responses: {
      '2XX': {
        description: 'Done',
        ...(answers.length > 0 && { content: contentOf(route, answers, 'answers') }),
      },
      '4XX': { description: 'Refused; the code says why', content: problemContent(version) },
      default: { description: 'Failed; the code says why', content: problemContent(version) },
    },
    security: anonymous ? [] : [{ token: [] }],
  };
}

function serversOf({ baseUrl, partitions, version }: ApiFacts): readonly object[] {
  // Under a version the base has it already.
  const versions = version === '' ? everyVersion : [''];
  const whole = versions.map((version) => ({ url: baseUrl + version }));
  const partition = { default: 'Microsoft.Default', description: 'Name of the data partition' };
  const parts = versions.map((version) => ({
    url: `${baseUrl}${version}/partitions/{partition}`,
    variables: { partition },
  }));
  return partitions ? [...whole, ...parts] : whole;
}

/** The schemas that a part of a document refers to, and those that they refer to. */
function schemasFor(part: unknown): Readonly<Record<string, Schema>> {
  const found = new Map<string, Schema>();
  const find = (from: unknown): void => {
    for (const [, name = ''] of JSON.stringify(from).matchAll(/#\/components\/schemas\/(\w+)/g)) {
      const schema = Object.entries<Schema>(schemas).find(([one]) => one === name)?.[1];
      if (schema === undefined || found.has(name)) continue;
      found.set(name, schema);
      find(schema);
    }
  };
  find(part);
  return Object.fromEntries(found);
}

/** Describes the API as OpenAPI 3, from the route table: a route that is added describes itself. */
export function toOpenApi(routes: readonly Route[], facts: ApiFacts): object {
  const described = routes.filter(({ scope }) => facts.version === '' || scope !== 'service');
  const paths = [...byPath(described)].map(([path, methods]) => [
    `/${path}`,
    {
      ...(methods.every(({ atRootOnly }) => atRootOnly) && { servers: [{ url: facts.baseUrl }] }),
      ...Object.fromEntries(
        methods.map((one) => [one.method.toLowerCase(), operationOf(one, facts.version)]),
      ),
    },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: facts.version === '' ? 'dicomweb-functions' : `dicomweb-functions, ${facts.version}`,
      version: packageVersion,
      summary: 'DICOMweb (DICOM PS3.18), and the contracts of the Microsoft DICOM server',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: serversOf(facts),
    paths: Object.fromEntries(paths) as object,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: schemasFor(paths),
    },
  };
}
