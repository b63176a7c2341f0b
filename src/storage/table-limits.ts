/**
 * The limits of Azure Table Storage, checked before anything is sent. Azurite enforces few of them,
 * so every table store calls these functions and a test that breaks a limit fails everywhere.
 */
import { tableLimits } from './table-store.js';
import type {
  Properties,
  PropertyValue,
  QueryOptions,
  RowRange,
  TableOperation,
} from './table-store.js';

/** `/ \ # ?` and control characters, as Azure forbids them, and halves of surrogate pairs. */
// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const forbiddenInKeys = /[/\\#?\u0000-\u001f\u007f-\u009f]|\p{Surrogate}/u;
const propertyName = /^[A-Za-z_][A-Za-z0-9_]{0,254}$/;
/** Names that the service or its SDK gives to other things. */
const reservedNames = new Set(['partitionkey', 'rowkey', 'timestamp', 'etag']);

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

/** Headers, boundaries and URL of one operation in the body of a transaction, less the keys. */
const operationOverhead = 768;

/** Whether a number travels as Int32; every other number is a Double. */
export function isInt32(value: number): boolean {
  return Number.isInteger(value) && value >= -0x8000_0000 && value <= 0x7fff_ffff;
}

/**
 * Refuses a PartitionKey or RowKey that Azure would not take. Lengths count UTF-16 code units, two
 * bytes each, as Azure and Azurite do.
 *
 * @throws RangeError when it is empty, longer than 1 KiB or holds a forbidden character.
 */
export function checkKey(what: string, key: string): void {
  if (key === '') throw new RangeError(`${what} is empty`);
  if (key.length * 2 > tableLimits.keyBytes) {
    throw new RangeError(
      `${what} takes ${key.length * 2} bytes, more than ${tableLimits.keyBytes}`,
    );
  }
  if (forbiddenInKeys.test(key)) throw new RangeError(`${what} holds a forbidden character`);
}

function valueBytes(value: PropertyValue): number {
  if (typeof value === 'string') return value.length * 2 + 4;
  if (typeof value === 'boolean') return 1;
  if (typeof value === 'number') return isInt32(value) ? 4 : 8;
  if (typeof value === 'bigint') return 8;
  return value.length + 4;
}

/**
 * Bytes of an entity as Azure counts them against `tableLimits.entityBytes`: 4, twice the length of
 * the keys, and per property 8, twice the length of its name, and its value.
 */
export function entityBytes(partitionKey: string, rowKey: string, properties: Properties): number {
  let bytes = 4 + (partitionKey.length + rowKey.length) * 2;
  for (const [name, value] of Object.entries(properties)) {
    bytes += 8 + name.length * 2 + valueBytes(value);
  }
  return bytes;
}

function jsonBytes(value: PropertyValue): number {
  if (typeof value === 'string') return Buffer.byteLength(JSON.stringify(value));
  if (value instanceof Uint8Array) return Math.ceil(value.length / 3) * 4 + 2;
  return 32;
}

/**
 * Upper estimate of the bytes that an operation adds to the body of a transaction, which counts
 * against `tableLimits.transactionBytes`: JSON, binary values as base64. For packing transactions.
 */
export function operationBytes(partitionKey: string, operation: TableOperation): number {
  let bytes = operationOverhead;
  for (const key of [partitionKey, operation.rowKey]) {
    // Once in the URL, once in the entity.
    bytes += encodeURIComponent(key).length + jsonBytes(key);
  }
  if (operation.kind === 'delete') return bytes;
  for (const [name, value] of Object.entries(operation.properties)) {
    // "name@odata.type":"Edm.Binary","name":value,
    bytes += name.length * 2 + 36 + jsonBytes(value);
  }
  return bytes;
}

function checkValue(name: string, value: PropertyValue): void {
  switch (typeof value) {
    case 'string':
      if (value.length * 2 > tableLimits.propertyBytes) {
        throw new RangeError(`Property ${name} takes ${value.length * 2} bytes`);
      }
      return;
    case 'number':
      if (!Number.isFinite(value)) throw new RangeError(`Property ${name} is not a finite number`);
      return;
    case 'bigint':
      if (value < minInt64 || value > maxInt64) {
        throw new RangeError(`Property ${name} does not fit 64 bits`);
      }
      return;
    case 'boolean':
      return;
    default:
      if (value.length > tableLimits.propertyBytes) {
        throw new RangeError(`Property ${name} takes ${value.length} bytes`);
      }
  }
}

function checkProperties(partitionKey: string, rowKey: string, properties: Properties): void {
  const entries = Object.entries(properties);
  if (entries.length > tableLimits.entityProperties) {
    throw new RangeError(`Row ${rowKey} has ${entries.length} properties`);
  }
  for (const [name, value] of entries) {
    if (!propertyName.test(name) || reservedNames.has(name.toLowerCase())) {
      throw new RangeError(`${name} cannot name a property`);
    }
    checkValue(name, value);
  }
  const bytes = entityBytes(partitionKey, rowKey, properties);
  if (bytes > tableLimits.entityBytes) throw new RangeError(`Row ${rowKey} takes ${bytes} bytes`);
}

/** More than an operation can come to, told without a look at its text: six bytes a character, as `\u0000`. */
function mostOperationBytes(partitionKey: string, operation: TableOperation): number {
  const keys = operationOverhead + (partitionKey.length + operation.rowKey.length) * 15 + 4;
  if (operation.kind === 'delete') return keys;
  return Object.entries(operation.properties).reduce((sum, [name, value]) => {
    const bytes = typeof value === 'string' ? value.length * 6 + 2 : jsonBytes(value);
    return sum + name.length * 2 + 36 + bytes;
  }, keys);
}

/**
 * Refuses a transaction that Azure would not take.
 *
 * @throws RangeError when it has no or too many operations, one row twice, or is too large; or when
 *   a key, property or row breaks a limit.
 */
export function checkTransaction(
  partitionKey: string,
  operations: readonly TableOperation[],
): void {
  checkKey('PartitionKey', partitionKey);
  if (operations.length < 1 || operations.length > tableLimits.transactionOperations) {
    throw new RangeError(`A transaction of ${operations.length} operations`);
  }
  const rowKeys = new Set<string>();
  let most = 0;
  for (const operation of operations) {
    checkKey('RowKey', operation.rowKey);
    rowKeys.add(operation.rowKey);
    if (operation.kind !== 'delete') {
      checkProperties(partitionKey, operation.rowKey, operation.properties);
    }
    most += mostOperationBytes(partitionKey, operation);
  }
  if (rowKeys.size < operations.length) {
    throw new RangeError('A transaction touches a row more than once');
  }
  // The text is gone through only where it may be too much.
  if (operations.length === 1 || most <= tableLimits.transactionBytes) return;
  const bytes = operations.reduce((sum, one) => sum + operationBytes(partitionKey, one), 0);
  if (bytes > tableLimits.transactionBytes) {
    throw new RangeError(`A transaction of about ${bytes} bytes`);
  }
}

/**
 * Refuses a query that Azure would not take. Ends of the range may be empty: nothing sorts before.
 *
 * @throws RangeError when a key breaks a limit or the page is not of 1 to 1000 rows.
 */
export function checkQuery(range: RowRange, options: QueryOptions): void {
  checkKey('PartitionKey', range.partitionKey);
  if (range.from !== undefined && range.from !== '') checkKey('Start of range', range.from);
  if (range.to !== undefined && range.to !== '') checkKey('End of range', range.to);
  checkPage(options);
}

/**
 * Refuses a page that Azure would not give.
 *
 * @throws RangeError when it is not of 1 to 1000 rows.
 */
export function checkPage(options: QueryOptions): void {
  const limit = options.limit ?? tableLimits.pageRows;
  if (!Number.isInteger(limit) || limit < 1 || limit > tableLimits.pageRows) {
    throw new RangeError(`A page of ${limit} rows`);
  }
}
