/**
 * The keys with which an issuer signs tokens: found through its metadata (OpenID Connect Discovery
 * §4), kept, and fetched anew when they grow old or a token names one that is not among them.
 */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { ServiceError } from '../errors.js';
import { rsaKeysAmong } from './rsa-keys.js';

/** Keys older than this are fetched anew behind the request that meets them. */
const freshMilliseconds = 3600_000;
/** Keys older than this are no longer used: an issuer may have withdrawn them. */
const usableMilliseconds = 24 * 3600_000;
/** Unknown key ids, which anyone can make up, cause no more than one fetch in this time. */
const coolDownMilliseconds = 30_000;
/** After a fetch that failed nobody without keys waits for another in this time. */
const failureMilliseconds = 2_000;
const timeoutMilliseconds = 5_000;
/** Entra ID publishes about 20 KiB; more than this is not read. */
const mostBytes = 1024 ** 2;

export interface SigningKeyOptions {
  /** Milliseconds of a clock. */
  readonly now?: () => number;
}

interface KeySet {
  readonly find: ReturnType<typeof createLocalJWKSet>;
  readonly fetchedAt: number;
}

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/** Whether an address may be trusted to name keys: https, or plain http on this machine. */
export function isTrustworthy(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
}

/** The body as text. @throws Error when it is longer than any set of keys. */
async function textOf(url: string, response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (bytes > mostBytes) throw new Error(`${url} answered more than ${mostBytes} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

async function fetchJson(url: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMilliseconds),
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  const value: unknown = JSON.parse(await textOf(url, response));
  if (typeof value !== 'object' || value === null) throw new Error(`${url} is not an object`);
  return value as Record<string, unknown>;
}

async function fetchKeys(issuer: string): Promise<KeySet['find']> {
  const metadata = await fetchJson(`${issuer}/.well-known/openid-configuration`);
  // Or the metadata of one issuer could vouch for the tokens of another (Discovery §4.3).
  if (metadata['issuer'] !== issuer) throw new Error(`The metadata of ${issuer} is not its own`);
  const address = metadata['jwks_uri'];
  if (typeof address !== 'string' || !isTrustworthy(address)) {
    throw new Error(`The metadata of ${issuer} name no address of keys`);
  }
  const { keys } = await fetchJson(address);
  const usable = rsaKeysAmong(Array.isArray(keys) ? keys : []);
  if (usable.length === 0) throw new Error(`${address} holds no keys`);
  return createLocalJWKSet({ keys: [...usable] });
}

/**
 * The keys of an issuer, as jose asks for them: by the header of a token. While the issuer cannot be
 * reached the keys at hand are used for a day.
 *
 * @param issuer its identifier, without a final slash.
 * @returns a function that throws JWKSNoMatchingKey when the issuer has no such key, and ServiceError
 * `keys-unavailable` when that cannot be known.
 */
export function signingKeysOf(issuer: string, options: SigningKeyOptions = {}): JWTVerifyGetKey {
  const { now = Date.now } = options;
  let current: KeySet | undefined;
  let lastAttempt = { at: -Infinity, failure: undefined as unknown };
  let loading: Promise<KeySet> | undefined;

  function unavailable(cause: unknown): ServiceError {
    return new ServiceError(
      'keys-unavailable',
      'The token cannot be checked now: the keys of its issuer cannot be fetched.',
      {},
      cause,
    );
  }

  async function load(): Promise<KeySet> {
    const at = now();
    try {
      current = { find: await fetchKeys(issuer), fetchedAt: at };
      lastAttempt = { at, failure: undefined };
      return current;
    } catch (error) {
      lastAttempt = { at: now(), failure: error };
      throw unavailable(error);
    } finally {
      loading = undefined;
    }
  }

  /** One fetch at a time, however many requests wait for it. */
  async function refresh(): Promise<KeySet> {
    loading ??= load();
    return await loading;
  }

  async function usableKeys(): Promise<KeySet> {
    const age = current === undefined ? Infinity : now() - current.fetchedAt;
    if (current !== undefined && age < usableMilliseconds) {
      if (age > freshMilliseconds && now() - lastAttempt.at > coolDownMilliseconds) {
        refresh().catch(() => undefined);
      }
      return current;
    }
    const recently = now() - lastAttempt.at < failureMilliseconds;
    if (recently && lastAttempt.failure !== undefined) throw unavailable(lastAttempt.failure);
    return await refresh();
  }

  return async (header, token) => {
    const keys = await usableKeys();
    try {
      return await keys.find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      if (now() - lastAttempt.at >= coolDownMilliseconds) {
        return await (await refresh()).find(header, token);
      }
      // Whether the issuer has made such a key since is not known.
      if (lastAttempt.failure !== undefined) throw unavailable(lastAttempt.failure);
      throw error;
    }
  };
}
