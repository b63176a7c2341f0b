/** Rows as the tables SDK writes and reads them, and as the port does. */
import type { TableEntity } from '@azure/data-tables';
import { ServiceError } from '../../../errors.js';
import { isInt32 } from '../../table-limits.js';
import type { Entity, Properties, PropertyValue } from '../../table-store.js';

/** Set by the service or the SDK; not properties of ours. */
const systemNames = new Set(['partitionKey', 'rowKey', 'timestamp', 'etag']);

/** Of a Uint8Array the SDK sends the memory behind it, of which it may be a part; of a Buffer its bytes. */
function toSdk(value: PropertyValue): PropertyValue | { type: 'Double'; value: number } {
  if (value instanceof Uint8Array) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return typeof value === 'number' && !isInt32(value) ? { type: 'Double', value } : value;
}

/** The entity that the SDK sends. Numbers that do not fit Int32 say that they are Doubles. */
export function toAzure(partitionKey: string, rowKey: string, properties: Properties): TableEntity {
  const entity: TableEntity = { partitionKey, rowKey };
  for (const [name, value] of Object.entries(properties)) {
    entity[name] = toSdk(value);
  }
  return entity;
}

function valueOf(name: string, value: unknown): PropertyValue {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
      return value;
    default:
      if (value instanceof Uint8Array) {
        // The SDK gives a Buffer, which compares and prints otherwise.
        return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
      }
      throw new ServiceError('storage-corrupt', `Property ${name} is of an unknown type`);
  }
}

/** The ETag is the time of the last write, so it can be told from there. */
function etagOf(entity: Readonly<Record<string, unknown>>): string {
  const { etag, timestamp } = entity;
  if (typeof etag === 'string') return etag;
  if (typeof timestamp === 'string') return `W/"datetime'${encodeURIComponent(timestamp)}'"`;
  throw new ServiceError('storage-corrupt', 'A row came without its ETag');
}

/**
 * The row of the port. Properties that were selected and are not there come as null from Azure, and
 * are left out.
 */
export function fromAzure(
  entity: Readonly<Record<string, unknown>>,
  select?: readonly string[],
): Entity {
  const properties: Record<string, PropertyValue> = {};
  for (const [name, value] of Object.entries(entity)) {
    if (systemNames.has(name) || name.startsWith('odata.')) continue;
    if (value === null || value === undefined) continue;
    if (select === undefined || select.includes(name)) properties[name] = valueOf(name, value);
  }
  return {
    partitionKey: String(entity['partitionKey']),
    rowKey: String(entity['rowKey']),
    etag: etagOf(entity),
    timestamp: Date.parse(String(entity['timestamp'])),
    properties,
  };
}

function isSameValue(one: PropertyValue | undefined, other: PropertyValue): boolean {
  if (one instanceof Uint8Array && other instanceof Uint8Array) {
    return Buffer.compare(one, other) === 0;
  }
  return one === other;
}

/** Whether a row that was read holds what was written. */
export function isSame(read: Properties, written: Properties): boolean {
  const values = Object.entries(written);
  return (
    values.length === Object.keys(read).length &&
    values.every(([name, value]) => isSameValue(read[name], value))
  );
}
