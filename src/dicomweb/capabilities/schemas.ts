/** The schemas of JSON bodies, as OpenAPI 3.1 has them (JSON Schema 2020-12), each with an example. */
import { queryTagSchemas } from './query-tag-schemas.js';
import {
  listOf,
  moment,
  object,
  operationId,
  ref,
  text,
  uid,
  url,
  whole,
  type Schema,
} from './schema-words.js';

const study = '1.2.826.0.1.3680043.8.498.1';
const series = `${study}.1`;
const instance = `${series}.1`;
const id = '0f8fad5bd9cb469fa16570867728950e';
const href = `https://dicom.example.org/operations/${id}`;
const container = 'https://account.blob.core.windows.net/backup';

/** By the names under which other schemas, and routes, refer to them. */
export const schemas = {
  Problem: {
    description: 'Why a request was refused or failed (RFC 9457).',
    ...object({
      type: text,
      title: text,
      status: whole,
      detail: text,
      code: text,
      requestId: text,
    }),
    examples: [
      {
        type: 'about:blank',
        title: 'Study not found',
        status: 404,
        detail: 'The study is not there.',
        code: 'study-not-found',
        requestId: '7d1f0a',
      },
    ],
  },
  Element: {
    description: 'An element in DICOM JSON (PS3.18 §F.2).',
    ...object(
      { vr: { type: 'string', pattern: '^[A-Z]{2}$' } },
      { Value: { type: 'array' }, BulkDataURI: text, InlineBinary: text },
    ),
    examples: [{ vr: 'UI', Value: [study] }],
  },
  DataSet: {
    description: 'A data set in DICOM JSON (PS3.18 §F.2): elements by tag.',
    type: 'object',
    patternProperties: { '^[0-9A-F]{8}$': ref('Element') },
    additionalProperties: false,
    examples: [
      {
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Doe^Jane' }] },
        '0020000D': { vr: 'UI', Value: [study] },
      },
    ],
  },
  DataSets: {
    description: 'Data sets, one for each match or instance (PS3.18 §F.2).',
    ...listOf('DataSet'),
    examples: [[{ '0020000D': { vr: 'UI', Value: [study] } }]],
  },
  Change: {
    description: 'A change of the change feed. The state and the metadata are those of now.',
    ...object(
      {
        sequence: whole,
        studyInstanceUid: uid,
        seriesInstanceUid: uid,
        sopInstanceUid: uid,
        action: { type: 'string', enum: ['Create', 'Update', 'Delete'] },
        timestamp: moment,
        state: { type: 'string', enum: ['Current', 'Replaced', 'Deleted'] },
      },
      { partitionName: text, metadata: ref('DataSet') },
    ),
    examples: [
      {
        sequence: 7_240_000_000_000_001,
        studyInstanceUid: study,
        seriesInstanceUid: series,
        sopInstanceUid: instance,
        action: 'Create',
        timestamp: '2026-01-01T12:00:00.0000000+00:00',
        state: 'Current',
      },
    ],
  },
  Changes: { description: 'Changes, oldest first.', ...listOf('Change'), examples: [[]] },
  Partition: {
    description: 'A data partition.',
    ...object({ partitionKey: whole, partitionName: text, createdDate: moment }),
    examples: [
      {
        partitionKey: 1,
        partitionName: 'Microsoft.Default',
        createdDate: '2026-01-01T12:00:00.000+00:00',
      },
    ],
  },
  Partitions: { description: 'Data partitions.', ...listOf('Partition'), examples: [[]] },
  ExportRequest: {
    description: 'What is exported, and where to.',
    ...object({
      source: object(
        { type: { type: 'string', enum: ['identifiers', 'everything'] } },
        { settings: object({}, { values: { type: 'array', items: text } }) },
      ),
      destination: object({
        type: { type: 'string', enum: ['azureBlob'] },
        settings: object(
          {},
          {
            blobContainerUri: url,
            useManagedIdentity: { type: 'boolean' },
            connectionString: text,
            blobContainerName: text,
          },
        ),
      }),
    }),
    examples: [
      {
        source: { type: 'identifiers', settings: { values: [study, `${study}/${series}`] } },
        destination: {
          type: 'azureBlob',
          settings: { blobContainerUri: container, useManagedIdentity: true },
        },
      },
    ],
  },
  UpdateRequest: {
    description: 'Which studies are updated, and the attributes that they get, as DICOM JSON.',
    ...object({
      studyInstanceUids: { type: 'array', items: uid, minItems: 1, maxItems: 50 },
      changeDataset: ref('DataSet'),
    }),
    examples: [
      {
        studyInstanceUids: [study],
        changeDataset: { '00100020': { vr: 'LO', Value: ['P7'] } },
      },
    ],
  },
  OperationStarted: {
    description: 'Long work has begun.',
    ...object({ id: operationId, href: url }),
    examples: [{ id, href }],
  },
  Operation: {
    description: 'How far long work is.',
    ...object(
      {
        operationId,
        type: text,
        createdTime: moment,
        lastUpdatedTime: moment,
        status: {
          type: 'string',
          enum: ['notStarted', 'running', 'succeeded', 'completed', 'failed', 'canceled'],
        },
      },
      {
        percentComplete: { type: 'integer', minimum: 0, maximum: 100 },
        resources: { type: 'array', items: url },
        results: { type: 'object' },
      },
    ),
    examples: [
      {
        operationId: id,
        type: 'export',
        createdTime: '2026-01-01T12:00:00.0000000Z',
        lastUpdatedTime: '2026-01-01T12:01:00.0000000Z',
        status: 'succeeded',
        results: { exported: 9, skipped: 3, errorHref: `${container}/${id}/errors.log` },
      },
    ],
  },
  Operations: { description: 'Long work, newest first.', ...listOf('Operation'), examples: [[]] },
  ...queryTagSchemas,
  Upload: {
    description: 'A direct upload; `result` is the answer to the store, as DICOM JSON.',
    ...object(
      {
        id: text,
        status: { type: 'string', enum: ['waiting', 'importing', 'stored', 'refused', 'expired'] },
        expires: moment,
      },
      {
        uploadUrl: url,
        uploadHeaders: { type: 'object', additionalProperties: text },
        statusUrl: url,
        mostBytes: whole,
        bytes: whole,
        imported: moment,
        result: ref('DataSet'),
      },
    ),
    examples: [
      {
        id: '01JGJ2',
        status: 'waiting',
        expires: '2026-01-01T13:00:00.000Z',
        mostBytes: 4294967296,
      },
    ],
  },
  ShareRequest: {
    description: 'What a link is to, and for how many days.',
    ...object({ study: uid }, { series: uid, days: { type: 'number', exclusiveMinimum: 0 } }),
    examples: [{ study, days: 7 }],
  },
  Share: {
    description: 'A link to a study or series; its secret is told once.',
    ...object(
      { id: text, study: uid, created: moment, expires: moment },
      { series: uid, createdBy: { type: 'object' }, secret: text, pageUrl: url, resourceUrl: url },
    ),
    examples: [
      {
        id: '5f2c',
        study,
        created: '2026-01-01T12:00:00.000Z',
        expires: '2026-01-08T12:00:00.000Z',
      },
    ],
  },
  Shares: { description: 'Links, newest first.', ...listOf('Share'), examples: [[]] },
  Statistics: {
    description: 'What a partition holds; what the log does not tell is left out.',
    ...object({}, { studies: whole, series: whole, instances: whole, bytes: whole }),
    examples: [{ studies: 12, series: 40, instances: 9000, bytes: 4_731_174_912 }],
  },
  Imports: {
    description: 'Files that wait to be imported, and files that were refused with their reports.',
    ...object({
      waiting: object({ count: whole, isAtLeast: { type: 'boolean' } }),
      refused: object({
        count: whole,
        isAtLeast: { type: 'boolean' },
        files: {
          type: 'array',
          items: object(
            { name: text, bytes: whole },
            { reason: text, messages: { type: 'array', items: text }, time: moment },
          ),
        },
      }),
    }),
    examples: [
      {
        waiting: { count: 0, isAtLeast: false },
        refused: {
          count: 1,
          isAtLeast: false,
          files: [
            { name: 'a/b.dcm', bytes: 12, reason: 'cannot-understand', messages: ['No DICM.'] },
          ],
        },
      },
    ],
  },
  MaintenanceReport: {
    description: 'What a run found, by kind.',
    ...object({
      time: moment,
      findings: {
        type: 'array',
        items: object({ kind: text, description: text, found: whole, mended: whole }),
      },
    }),
    examples: [{ time: '2026-01-01T12:00:00.000Z', findings: [] }],
  },
  Maintenance: {
    description:
      'Of recovery, sweep and check of the store the last run, and the last that found something.',
    type: 'array',
    items: object(
      { job: { type: 'string', enum: ['recovery', 'sweep', 'check'] } },
      { last: ref('MaintenanceReport'), lastFound: ref('MaintenanceReport') },
    ),
    examples: [[{ job: 'recovery', last: { time: '2026-01-01T12:00:00.000Z', findings: [] } }]],
  },
  Configuration: {
    description: 'Settings; the value of a secret one is null.',
    type: 'array',
    items: object({
      name: text,
      description: text,
      value: { type: ['string', 'number', 'boolean', 'null'] },
      isSet: { type: 'boolean' },
      isSecret: { type: 'boolean' },
    }),
    examples: [
      [{ name: 'PORT', description: 'Port.', value: 7071, isSet: false, isSecret: false }],
    ],
  },
  Health: {
    description: 'Whether the storage services answer.',
    ...object({
      overallStatus: { type: 'string', enum: ['Healthy', 'Unhealthy'] },
      details: {
        type: 'array',
        items: object({ name: text, status: text, description: text }),
      },
    }),
    examples: [
      {
        overallStatus: 'Healthy',
        details: [
          { name: 'Blob Storage', status: 'Healthy', description: 'Blob Storage answers.' },
        ],
      },
    ],
  },
  Json: { description: 'As docs/conformance.md says.', type: ['object', 'array'], examples: [{}] },
} as const satisfies Readonly<Record<string, Schema>>;

export type SchemaName = keyof typeof schemas;

/** What `application/json` is, by route. */
export const jsonBodies: Readonly<
  Record<string, { readonly takes?: SchemaName; readonly answers?: SchemaName }>
> = {
  readChangeFeed: { answers: 'Changes' },
  readLatestChange: { answers: 'Change' },
  listPartitions: { answers: 'Partitions' },
  startExport: { takes: 'ExportRequest', answers: 'OperationStarted' },
  updateStudies: { takes: 'UpdateRequest', answers: 'OperationStarted' },
  listOperations: { answers: 'Operations' },
  readOperation: { answers: 'Operation' },
  addQueryTags: { takes: 'NewQueryTags', answers: 'OperationStarted' },
  listQueryTags: { answers: 'QueryTags' },
  readQueryTag: { answers: 'QueryTag' },
  updateQueryTag: { takes: 'QueryTagChange', answers: 'QueryTag' },
  listQueryTagErrors: { answers: 'QueryTagErrors' },
  createUpload: { answers: 'Upload' },
  readUpload: { answers: 'Upload' },
  createShare: { takes: 'ShareRequest', answers: 'Share' },
  listShares: { answers: 'Shares' },
  readStatistics: { answers: 'Statistics' },
  listImports: { answers: 'Imports' },
  readMaintenance: { answers: 'Maintenance' },
  readConfiguration: { answers: 'Configuration' },
  checkHealth: { answers: 'Health' },
};

/** The answers to a store are one data set, those to the others one for each match or instance. */
const storing = /^(?:store|replace|completeUpload)/;

/** What the OpenAPI document says of a body: bodies in JSON have a schema each, other media types one for all routes. */
export function schemaOf(route: string, mediaType: string, of: 'takes' | 'answers'): Schema {
  const [essence = ''] = mediaType.split(';');
  switch (essence) {
    case 'application/json':
      return ref(jsonBodies[route]?.[of] ?? (isDicomJson(route) ? dataSetsOf(route) : 'Json'));
    case 'application/dicom+json':
      return ref(dataSetsOf(route));
    case 'application/vnd.oai.openapi+json':
      return ref('Json');
    default:
      // Bytes are described by their media type alone (OpenAPI 3.1, "Considerations for file uploads").
      return /^(?:text\/|application\/(?:.*\+)?xml)/.test(essence)
        ? { type: 'string' }
        : { contentMediaType: essence };
  }
}

/** Routes that say DICOM JSON under the name of JSON too. */
function isDicomJson(route: string): boolean {
  return storing.test(route) || /^(?:searchFor|retrieve\w*Metadata$)/.test(route);
}

function dataSetsOf(route: string): SchemaName {
  return storing.test(route) ? 'DataSet' : 'DataSets';
}
