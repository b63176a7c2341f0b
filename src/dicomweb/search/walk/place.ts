/**
 * Places in the order of results: where a page ended, so that the next one goes on from there at the
 * cost of the first (PS3.18 has `offset` only, which walks again what was seen).
 */
import { createHash } from 'node:crypto';
import { invalidParameter } from '../../../http/query-string.js';
import type { RowPagesOptions } from '../../../storage/row-pages.js';

/**
 * Keys of the last result in each of the walks that led to it, outermost first. The walk goes on after
 * the innermost key; those around it are entered again, and may have gone meanwhile.
 */
export interface Place {
  /** Key in the walk of studies, or in that of the index that was chosen. */
  readonly outer?: string;
  /** Key among the series of the study. */
  readonly series?: string;
  /** Key among the instances of the series. */
  readonly instance?: string;
}

/** Where a walk begins: after a key, or at it when something within it has been walked. */
export function startOf(key: string | undefined, isEntered: boolean): WalkStart {
  if (key === undefined) return {};
  return isEntered ? { at: key } : { after: key };
}

export type WalkStart = Pick<RowPagesOptions, 'after' | 'at'>;

/** Whether a key is still to be walked. */
export function isAhead({ after, at }: WalkStart, key: string): boolean {
  return (after === undefined || key > after) && (at === undefined || key >= at);
}

/** What a token belongs to: the same path and the same keys. */
export function searchIdentity(
  path: string,
  parameters: readonly (readonly [string, string])[],
): string {
  const text = JSON.stringify([path.toLowerCase(), parameters]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}

/** Spells a place as an opaque token. */
export function encodePlace({ outer, series, instance }: Place, identity: string): string {
  const text = JSON.stringify([identity, outer ?? null, series ?? null, instance ?? null]);
  return Buffer.from(text).toString('base64url');
}

/**
 * Reads a token.
 *
 * @throws ServiceError `invalid-query` for a token that is none, or that belongs to another search.
 */
export function decodePlace(token: string, identity: string): Place {
  const parsed = parseToken(token);
  if (parsed === undefined)
    throw invalidParameter('continuation', 'It is not a token of this service.');
  const [owner, outer, series, instance] = parsed;
  if (owner !== identity) {
    throw invalidParameter('continuation', 'It belongs to another search than this one.');
  }
  return {
    ...(outer !== null && { outer }),
    ...(series !== null && { series }),
    ...(instance !== null && { instance }),
  };
}

type Token = [string, string | null, string | null, string | null];

/** Characters of a key: those of a place in an order of four attributes have four values in them. */
const keyCharacters = /^[ -~]{0,2000}$/;

function isToken(value: unknown): value is Token {
  if (!Array.isArray(value) || value.length !== 4 || typeof value[0] !== 'string') return false;
  return value
    .slice(1)
    .every((key) => key === null || (typeof key === 'string' && keyCharacters.test(key)));
}

function parseToken(token: string): Token | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    return isToken(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
