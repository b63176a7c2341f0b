/** The request headers that are part of the API and no standard of HTTP knows, by the routes that understand them. */
import { expiryHeaders } from '../store/expiry.js';
import type { Schema } from './schema-words.js';

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

/** By the name of the route. */
export const headerParameters: Readonly<Record<string, readonly HeaderParameter[]>> = {
  storeInstances: expiry,
  storeInstancesInStudy: expiry,
  replaceInstances: expiry,
  replaceInstancesInStudy: expiry,
};
