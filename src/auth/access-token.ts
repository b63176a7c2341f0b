/**
 * Reads access tokens of Entra ID (JWT, RFC 7519; RFC 8725 on what to check): who they were given to
 * and what they let them do. Both shapes are known, that of version 1.0 and that of 2.0.
 */
import { errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { ServiceError } from '../errors.js';
import type { Principal } from './principal.js';
import { grantsOf } from './roles.js';

/** Whose tokens are taken, and for whom they must have been made. */
export interface TokenRules {
  /** GUID of the tenant. */
  readonly tenantId: string;
  /** Client ids and application id URIs of this service. */
  readonly audiences: readonly string[];
  /** Issuer of version 2.0 tokens, without a final slash. */
  readonly issuer: string;
}

/** Seconds by which clocks may differ. */
const clockTolerance = 60;
/** Longest text of a claim that goes into the log. */
const longestId = 128;

const guid = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Whether a text is a GUID, as tenants and clients have. */
export function isGuid(text: string): boolean {
  return guid.test(text);
}

/** The issuers of a tenant: that of version 2.0, and those of version 1.0 in the clouds of Azure. */
function issuersOf({ issuer, tenantId }: TokenRules): string[] {
  return [
    issuer,
    `https://sts.windows.net/${tenantId}/`,
    `https://sts.chinacloudapi.cn/${tenantId}/`,
  ];
}

/** An audience in the spellings of both versions: a client id, and the URI made of it. */
function spellingsOf(audience: string): string[] {
  const bare = audience.replace(/^api:\/\//, '');
  return isGuid(bare) ? [bare, `api://${bare}`] : [audience];
}

/** Fixed texts, since descriptions go into a header and must say nothing of the token. */
const claimProblems: Readonly<Record<string, string>> = {
  iss: 'The token is of another issuer.',
  aud: 'The token is for another audience.',
  nbf: 'The token is not valid yet.',
  exp: 'The token does not say when it expires.',
  iat: 'The token does not say when it was issued.',
};

function invalidToken(message: string, cause?: unknown): ServiceError {
  return new ServiceError('unauthenticated', message, { error: 'invalid_token' }, cause);
}

function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return invalidToken('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    return invalidToken(claimProblems[error.claim] ?? 'A claim of the token is malformed.');
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey
  ) {
    return invalidToken('The token was not signed by its issuer.');
  }
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return invalidToken('The token is not signed with RS256.');
  }
  return error instanceof errors.JOSEError ? invalidToken('The token is malformed.') : error;
}

function textOf(payload: JWTPayload, ...names: readonly string[]): string | undefined {
  const values = names.map((name) => payload[name]);
  const text = values.find((value) => typeof value === 'string' && value !== '');
  return typeof text === 'string' ? text.slice(0, longestId) : undefined;
}

function listOf(claim: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(claim) ? claim : [claim];
  return values.filter((value) => typeof value === 'string');
}

function principalOf(payload: JWTPayload, { tenantId }: TokenRules): Principal {
  if (textOf(payload, 'tid')?.toLowerCase() !== tenantId.toLowerCase()) {
    throw invalidToken('The token is of another tenant.');
  }
  // Which an ID token does not say: that one tells an app who its user is, and is no leave to call us.
  const appId = textOf(payload, 'azp', 'appid');
  if (appId === undefined) throw invalidToken('The token is not an access token.');
  const objectId = textOf(payload, 'oid', 'sub');
  const scopes = listOf(payload['scp']).flatMap((scope) => scope.split(' '));
  const grants = grantsOf(listOf(payload['roles']), scopes);
  return { grants, appId, ...(objectId !== undefined && { objectId }) };
}

/**
 * Makes what turns a token into its bearer.
 *
 * @returns a function that throws ServiceError `unauthenticated` with a fact `error` for RFC 6750
 * §3.1, or `keys-unavailable`.
 */
export function tokenReader(
  rules: TokenRules,
  keys: JWTVerifyGetKey,
): (token: string) => Promise<Principal> {
  const expected = {
    issuer: issuersOf(rules),
    audience: rules.audiences.flatMap(spellingsOf),
    algorithms: ['RS256'],
    clockTolerance,
    requiredClaims: ['exp', 'iat'],
  };
  return async (token) => {
    let payload: JWTPayload;
    try {
      ({ payload } = await jwtVerify(token, keys, expected));
    } catch (error) {
      throw refusalOf(error);
    }
    return principalOf(payload, rules);
  };
}

/**
 * The token of an Authorization header (RFC 6750 §2.1); tokens elsewhere, in URLs or forms, are not
 * looked for: they end up in logs.
 *
 * @throws ServiceError `unauthenticated`.
 */
export function bearerToken(authorization: string | null): string {
  const [scheme = '', ...rest] = (authorization ?? '').split(' ');
  if (scheme.toLowerCase() !== 'bearer') {
    throw new ServiceError('unauthenticated', 'The request needs an access token.');
  }
  const token = rest.join(' ').trim();
  if (!/^[\w.~+/=-]+$/.test(token)) throw invalidToken('The token is malformed.');
  return token;
}
