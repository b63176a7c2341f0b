/** Long work as a value: what it is, how far it has come, and how its row in the table `operations` is spelled. */
import { randomUUID } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ServiceError } from '../errors.js';
import { tableLimits, type Entity, type Properties } from '../storage/table-store.js';

declare const brand: unique symbol;

/** 32 hex digits, which nobody can guess. */
export type JobId = string & { readonly [brand]: 'JobId' };

export const jobTypes = ['export', 'reindex', 'untag', 'update'] as const;
export type JobType = (typeof jobTypes)[number];

export type JobStatus = 'notStarted' | 'running' | 'succeeded' | 'failed' | 'canceled';

export interface Job {
  readonly id: JobId;
  readonly type: JobType;
  readonly status: JobStatus;
  /** The data partition that it is about; all when left out. */
  readonly partition?: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  /** When it last came a slice further, in milliseconds since 1970. */
  readonly updated: number;
  /** Until when one runner has it to itself, in milliseconds since 1970; 0 when nobody has. */
  readonly leasedUntil: number;
  /** Slices in a row that failed. */
  readonly failures: number;
  /** What was asked for, as JSON; empty when it is over, for it may hold a secret. */
  readonly input: string;
  /** How far it has come, as JSON. */
  readonly state: string;
}

/** A random GUID without hyphens, the form in which the Microsoft server names operations. */
export function newJobId(): JobId {
  return randomUUID().replaceAll('-', '') as JobId;
}

/** Reads a GUID in any of its usual forms; `undefined` when it is none. */
export function parseJobId(text: string): JobId | undefined {
  const digits = text
    .replace(/^[{(](.*)[)}]$/, '$1')
    .replaceAll('-', '')
    .toLowerCase();
  return /^[0-9a-f]{32}$/.test(digits) ? (digits as JobId) : undefined;
}

/** Whether nothing more will happen to it. */
export function isOver({ status }: Pick<Job, 'status'>): boolean {
  return status !== 'notStarted' && status !== 'running';
}

/** Whether a runner has it to itself at a time, in milliseconds since 1970. */
export function isHeld({ leasedUntil }: Pick<Job, 'leasedUntil'>, now: number): boolean {
  return leasedUntil > now;
}

/** Properties that the compressed input may fill. */
const inputProperties = 10;

/**
 * A job as a row.
 *
 * @throws ServiceError `payload-too-large` when the input has no room.
 */
export function encodeJob(job: Job): Properties {
  const { type, status, partition, created, updated, leasedUntil, failures, input, state } = job;
  const bytes = gzipSync(input);
  const parts = Math.ceil(bytes.length / tableLimits.propertyBytes);
  if (parts > inputProperties) {
    throw new ServiceError('payload-too-large', 'The request names too much for one operation.');
  }
  const chunks = Array.from({ length: parts }, (_part, at) => [
    `input${at}`,
    bytes.subarray(at * tableLimits.propertyBytes, (at + 1) * tableLimits.propertyBytes),
  ]);
  return {
    ...{ type, status, created, updated, leasedUntil, failures, state },
    ...(partition !== undefined && { partition }),
    ...(Object.fromEntries(chunks) as Record<string, Uint8Array>),
  };
}

function oneOf<const Word extends string>(words: readonly Word[], text: unknown): Word {
  const word = words.find((one) => one === text);
  if (word !== undefined) return word;
  throw new ServiceError('storage-corrupt', 'The row of an operation cannot be read.');
}

const statuses = ['notStarted', 'running', 'succeeded', 'failed', 'canceled'] as const;

/** @throws ServiceError `storage-corrupt`. */
export function decodeJob({ rowKey, properties }: Entity): Job {
  const chunks: Uint8Array[] = [];
  const { partition } = properties;
  for (let at = 0; at < inputProperties; at += 1) {
    const chunk = properties[`input${at}`];
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  }
  return {
    id: rowKey as JobId,
    type: oneOf(jobTypes, properties['type']),
    ...(typeof partition === 'string' && { partition }),
    status: oneOf(statuses, properties['status']),
    created: Number(properties['created']),
    updated: Number(properties['updated']),
    leasedUntil: Number(properties['leasedUntil']),
    failures: Number(properties['failures']),
    input: gunzipSync(Buffer.concat(chunks)).toString(),
    state: String(properties['state']),
  };
}
