/** Routes as an OpenAPI document (version 3.1). */
import type { Route } from '../route.js';
import { byPath, type DescribedRoute } from './described-route.js';

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

function contentOf(mediaTypes: readonly string[]): Readonly<Record<string, object>> {
  return Object.fromEntries(mediaTypes.map((type) => [type, {}]));
}

function operationOf(route: DescribedRoute): object {
  const { name, summary, takes, answers, pathParameters, queryParameters, anonymous } = route;
  const schema = { type: 'string' };
  return {
    operationId: name,
    summary,
    parameters: [
      ...pathParameters.map((one) => ({ name: one, in: 'path', required: true, schema })),
      ...queryParameters.map((one) => ({ name: one, in: 'query', required: false, schema })),
    ],
    ...(takes.length > 0 && { requestBody: { required: true, content: contentOf(takes) } }),
    responses: {
      '2XX': {
        description: 'Done',
        ...(answers.length > 0 && { content: contentOf(answers) }),
      },
      default: {
        description: 'Refused or failed; the code says why',
        content: {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        },
      },
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

/** The document of the whole API. */
export function toOpenApi(routes: readonly Route[], facts: ApiFacts): object {
  const described = routes.filter(({ scope }) => facts.version === '' || scope !== 'service');
  const paths = [...byPath(described)].map(([path, methods]) => [
    `/${path}`,
    {
      ...(methods.every(({ atRootOnly }) => atRootOnly) && { servers: [{ url: facts.baseUrl }] }),
      ...Object.fromEntries(methods.map((one) => [one.method.toLowerCase(), operationOf(one)])),
    },
  ]);
  return {
    openapi: '3.1.0',
    info: {
      title: 'dicomweb-functions',
      version: facts.version === '' ? '0' : facts.version,
      summary: 'DICOMweb (DICOM PS3.18), and the contracts of the Microsoft DICOM server',
    },
    servers: serversOf(facts),
    paths: Object.fromEntries(paths) as object,
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: {
        Problem: {
          type: 'object',
          required: ['type', 'title', 'status', 'detail', 'code', 'requestId'],
          properties: {
            type: { type: 'string' },
            title: { type: 'string' },
            status: { type: 'integer' },
            detail: { type: 'string' },
            code: { type: 'string' },
            requestId: { type: 'string' },
          },
        },
      },
    },
  };
}
