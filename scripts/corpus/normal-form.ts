/**
 * Brings a DICOM JSON data set into a form that can be compared, whoever wrote it: our service,
 * dcm2json or pydicom. Padding, numbers written as strings and empty values no longer differ then.
 */
import { createHash } from 'node:crypto';

/** One attribute in normal form. */
export type NormalElement =
  | { readonly kind: 'empty'; readonly vr: string }
  | { readonly kind: 'values'; readonly vr: string; readonly values: readonly NormalValue[] }
  | { readonly kind: 'items'; readonly vr: string; readonly items: readonly NormalDataSet[] }
  | {
      readonly kind: 'bytes';
      readonly vr: string;
      readonly length: number;
      readonly sha256: string;
      /** How the bytes came: `digest` when an oracle only tells of them. */
      readonly by: 'inline' | 'reference' | 'digest';
    }
  /** A BulkDataURI that has not been followed. */
  | { readonly kind: 'reference'; readonly vr: string; readonly uri: string }
  | { readonly kind: 'encapsulated'; readonly vr: string }
  /** An oracle that cannot say. */
  | { readonly kind: 'unknown'; readonly vr: string };

/** Numbers as numbers, person names as `alphabetic=ideographic=phonetic`, empty as null. */
export type NormalValue = string | number | null;

export type NormalDataSet = ReadonlyMap<string, NormalElement>;

const numeric = new Set(['DS', 'FD', 'FL', 'IS', 'SL', 'SS', 'SV', 'UL', 'US', 'UV']);
/** Leading spaces carry meaning in these (PS3.5 §6.2). */
const leadingSpacesCount = new Set(['LT', 'ST', 'UT', 'UC', 'UR']);
const number = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Normalises a data set.
 *
 * @throws Error when it is no DICOM JSON data set.
 */
export function normalise(dataSet: unknown): NormalDataSet {
  if (typeof dataSet !== 'object' || dataSet === null || Array.isArray(dataSet)) {
    throw new Error('a data set is a JSON object');
  }
  const elements = new Map<string, NormalElement>();
  for (const [key, element] of Object.entries(dataSet)) {
    if (!key.endsWith('0000') && !key.startsWith('0002')) {
      elements.set(key.toUpperCase(), normaliseElement(element));
    }
  }
  return elements;
}

/** Length and digest of a binary value. */
export function digest(bytes: Uint8Array): { length: number; sha256: string } {
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

function normaliseElement(element: unknown): NormalElement {
  const fields: Record<string, unknown> = { ...(element as object) };
  const vr = typeof fields['vr'] === 'string' ? fields['vr'] : '';
  if ('Unreadable' in fields) return { kind: 'unknown', vr };
  if ('Encapsulated' in fields) return { kind: 'encapsulated', vr };
  if (typeof fields['BulkDataURI'] === 'string') {
    return { kind: 'reference', vr, uri: fields['BulkDataURI'] };
  }
  if (typeof fields['InlineBinary'] === 'string') {
    const bytes = Buffer.from(fields['InlineBinary'], 'base64');
    return bytes.length === 0
      ? { kind: 'empty', vr }
      : { kind: 'bytes', vr, ...digest(bytes), by: 'inline' };
  }
  if ('Bytes' in fields) {
    const { length, sha256 } = fields['Bytes'] as { length: number; sha256: string };
    return { kind: 'bytes', vr, length, sha256, by: 'digest' };
  }
  const list: readonly unknown[] = Array.isArray(fields['Value']) ? fields['Value'] : [];
  if (vr === 'SQ') {
    if (list.length === 0) return { kind: 'empty', vr };
    return { kind: 'items', vr, items: list.map((item) => normalise(item ?? {})) };
  }
  const values = list.map((value) => normaliseValue(vr, value));
  return values.every((value) => value === null)
    ? { kind: 'empty', vr }
    : { kind: 'values', vr, values };
}

function normaliseValue(vr: string, value: unknown): NormalValue {
  if (value === null || value === undefined) return null;
  if (vr === 'PN') return personName(value);
  if (typeof value === 'number') return vr === 'FL' ? Math.fround(value) : value;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const trimmed = (leadingSpacesCount.has(vr) ? text : text.trimStart()).replace(/[ \0]+$/, '');
  if (trimmed === '') return null;
  if (!numeric.has(vr) || !number.test(trimmed)) return trimmed;
  const parsed = Number(trimmed);
  // A 64-bit integer that a double cannot hold stays the text that it is.
  return Number.isInteger(parsed) && !Number.isSafeInteger(parsed) ? trimmed : parsed;
}

function personName(value: unknown): NormalValue {
  const groups: Record<string, unknown> =
    typeof value === 'object' ? { ...value } : { Alphabetic: value };
  const text = ['Alphabetic', 'Ideographic', 'Phonetic']
    .map((group) => groups[group])
    .map((group) => (typeof group === 'string' ? group.replace(/[\s\0^]+$/, '').trimStart() : ''))
    .join('=');
  return text === '==' ? null : text;
}
