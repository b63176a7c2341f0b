/** Parameters of paths and queries, and the request headers that are part of the API and no standard of HTTP knows. */
import { originalHeader } from '../retrieve/requested-version.js';
import { expiryHeaders } from '../store/expiry.js';
import { moment, operationId, text, uid, whole, type Schema } from './schema-words.js';

export interface HeaderParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: Schema;
}

const expiry: readonly HeaderParameter[] = [
  {
    name: expiryHeaders.time,
    description: 'After which the studies of what is stored are deleted.',
    schema: { type: 'integer', minimum: 1 },
  },
  {
    name: expiryHeaders.option,
    description: 'From when that time is counted.',
    schema: { type: 'string', enum: ['RelativeToNow'] },
  },
  {
    name: expiryHeaders.level,
    description: 'What is deleted.',
    schema: { type: 'string', enum: ['Study'] },
  },
];

const original: readonly HeaderParameter[] = [
  {
    name: originalHeader,
    description: 'Whether updated instances come as they were before their first update.',
    schema: { type: 'boolean' },
  },
];

/** By the name of the route. */
export const headerParameters: Readonly<Record<string, readonly HeaderParameter[]>> = {
  storeInstances: expiry,
  storeInstancesInStudy: expiry,
  replaceInstances: expiry,
  replaceInstancesInStudy: expiry,
  updateStudies: expiry,
  retrieveStudy: original,
  retrieveSeries: original,
  retrieveInstance: original,
  retrieveStudyMetadata: original,
  retrieveSeriesMetadata: original,
  retrieveInstanceMetadata: original,
};

/** Values of parameters, by name; text where there is none. */
const parameters: Readonly<Record<string, Schema>> = {
  ...Object.fromEntries(['study', 'series', 'instance'].map((name) => [name, uid])),
  frames: { type: 'string', pattern: '^[0-9]+(,[0-9]+)*$' },
  operation: operationId,
  tag: { type: 'string', pattern: '^([0-9A-Fa-f]{8}|[A-Z][A-Za-z0-9]*)$' },
  limit: { type: 'integer', minimum: 1 },
  offset: whole,
  fuzzymatching: { type: 'boolean' },
  includetotal: { type: 'boolean' },
  includemetadata: { type: 'boolean' },
  startTime: moment,
  endTime: moment,
  quality: { type: 'integer', minimum: 1, maximum: 100 },
};

/** The schema of a parameter of a path or a query. */
export function parameterSchema(name: string): Schema {
  return parameters[name] ?? text;
}
