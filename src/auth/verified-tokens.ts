/**
 * Tokens that have been verified, kept until they expire: a client sends the same one with every request,
 * and a signature takes longer to check than most answers to make.
 */
import { hash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { BoundedCache } from '../bounded-cache.js';
import type { Principal } from './principal.js';

/** Tokens that are kept; the one used longest ago goes first. */
const mostTokens = 2000;
/** As long as keys count as fresh: a key that its issuer withdrew serves no longer than that. */
const longestMilliseconds = 3600_000;

interface Verified {
  readonly principal: Principal;
  /** Milliseconds of the clock. */
  readonly until: number;
}

/** Only a hash is kept: what is in memory lets nobody in. */
function hashOf(token: string): string {
  return hash('sha256', token, 'base64');
}

/**
 * Remembers what `verify` resolves to, for each token until its `exp`, an hour at most. What it
 * refuses is asked again each time.
 *
 * @param now milliseconds of a clock.
 */
export function rememberVerified(
  verify: (token: string) => Promise<Principal>,
  now: () => number = Date.now,
): (token: string) => Promise<Principal> {
  /** By hash. */
  const known = new BoundedCache<Verified>(mostTokens);
  return async (token) => {
    const key = hashOf(token);
    const before = known.get(key);
    if (before !== undefined && now() < before.until) return before.principal;
    known.delete(key);
    const principal = await verify(token);
    const { exp = 0 } = decodeJwt(token);
    const until = Math.min(exp * 1000, now() + longestMilliseconds);
    known.set(key, { principal, until }, 1);
    return principal;
  };
}
