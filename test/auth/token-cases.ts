/**
 * THE table of token cases: what callers bring, and what they get. `access.test.ts` plays it on both
 * hosts and holds docs/security.md against it.
 */
import { randomUUID } from 'node:crypto';
import type { Tenant } from '../support/entra.js';

/** Where a case is played. */
export interface World {
  readonly tenant: Tenant;
  /** Sends a good request with a good token, so that the keys are known. */
  readonly warmUp: () => Promise<void>;
  /** Lets time pass for the service. */
  readonly wait: (seconds: number) => void;
}

/** A request, as `METHOD path`. */
export type Ask =
  | 'GET /studies'
  | 'POST /studies'
  | 'PUT /studies'
  | 'DELETE /studies/1.2.3'
  | 'GET /changefeed'
  | 'GET /partitions/north/studies'
  | 'GET /partitions/south/studies'
  | 'DELETE /partitions/north/studies/1.2.3'
  | 'GET /health/check'
  | 'OPTIONS /studies';

export interface TokenCase {
  readonly name: string;
  /** `GET /studies` when left out. */
  readonly ask?: Ask;
  /** The Authorization header; none when it is undefined. */
  readonly authorization: (world: World) => Promise<string | undefined>;
  /** Status, and what WWW-Authenticate says: the error and the role that is missing. */
  readonly expected: string;
}

type Claims = NonNullable<Parameters<Tenant['token']>[0]>['claims'];

const seconds = () => Math.floor(Date.now() / 1000);

const unauthenticated = '401';
const invalid = '401 invalid_token';
const lacks = (role: string) => `403 insufficient_scope ${role}`;

/** A case with a header as it is. */
function header(name: string, expected: string, value?: string, ask?: Ask): TokenCase {
  const authorization = async () => await Promise.resolve(value);
  return { name, expected, authorization, ...(ask && { ask }) };
}

/** A case with a token made by the tenant. */
function token(
  name: string,
  expected: string,
  make: (world: World) => Promise<string> | string,
  ask?: Ask,
): TokenCase {
  const authorization = async (world: World) => `Bearer ${await make(world)}`;
  return { name, expected, authorization, ...(ask && { ask }) };
}

/** A case with a token that is good but for some claims. */
function claims(
  name: string,
  expected: string,
  make: (tenant: Tenant) => Claims,
  ask?: Ask,
): TokenCase {
  return token(
    name,
    expected,
    async ({ tenant }) => await tenant.token({ claims: make(tenant) ?? {} }),
    ask,
  );
}

const roles = (name: string, expected: string, values: readonly string[], ask?: Ask) =>
  claims(name, expected, () => ({ roles: values }), ask);

const scopes = (name: string, expected: string, scp: string, given?: string[], ask?: Ask) =>
  claims(name, expected, () => ({ scp, roles: given }), ask);

const cutShort = (text: string, characters: number) => text.slice(0, -characters);

/** A token of which one part is another. */
function withPart(text: string, index: number, part: (before: string) => string): string {
  return text
    .split('.')
    .map((before, position) => (position === index ? part(before) : before))
    .join('.');
}

const withAdmin = (before: string): string => {
  const payload = JSON.parse(Buffer.from(before, 'base64url').toString()) as object;
  return Buffer.from(JSON.stringify({ ...payload, roles: ['Dicom.Admin'] })).toString('base64url');
};

/** Another last character may stand for the same bytes; another first one does not. */
const withOtherStart = (before: string) => (before.startsWith('A') ? 'B' : 'A') + before.slice(1);

const graph = '00000003-0000-0000-c000-000000000000';

export const tokenCases: readonly TokenCase[] = [
  // No token
  header('no Authorization header', unauthenticated),
  header('the health check, no token', '200', undefined, 'GET /health/check'),
  header('a CORS preflight, no token', '204', undefined, 'OPTIONS /studies'),
  header('a name and password', unauthenticated, 'Basic dXNlcjpwYXNzd29yZA=='),
  header('the scheme alone', invalid, 'Bearer'),
  header('garbage', invalid, 'Bearer garbage'),
  header('three parts of garbage', invalid, 'Bearer gar.ba.ge'),
  header('quotes and markup', invalid, 'Bearer "><script>'),
  token('two tokens', invalid, async ({ tenant }) => {
    return `${await tenant.token()}, Bearer ${await tenant.token()}`;
  }),
  token('a token cut short', invalid, async ({ tenant }) => cutShort(await tenant.token(), 9)),
  token('a token without its signature', invalid, async ({ tenant }) =>
    withPart(await tenant.token(), 2, () => ''),
  ),
  token('an encrypted token', invalid, async ({ tenant }) => `${await tenant.token()}.AAAA.AAAA`),

  // Good tokens
  token('version 2.0, audience the client id', '200', async ({ tenant }) => await tenant.token()),
  claims('version 2.0, audience api:// and the client id', '200', ({ clientId }) => ({
    aud: `api://${clientId}`,
  })),
  claims('version 1.0, audience api:// and the client id', '200', (tenant) =>
    tenant.claimsOfVersion1(),
  ),
  claims('version 1.0, audience the client id', '200', (tenant) => ({
    ...tenant.claimsOfVersion1(),
    aud: tenant.clientId,
  })),
  claims('the second of the configured audiences', '200', ({ uri }) => ({ aud: uri })),
  claims('several audiences, one of them ours', '200', ({ clientId }) => ({
    aud: [graph, clientId],
  })),
  claims('the tenant in upper case', '200', ({ id }) => ({ tid: id.toUpperCase() })),
  {
    name: 'the scheme in lower case',
    expected: '200',
    authorization: async ({ tenant }) => `bearer ${await tenant.token()}`,
  },

  // Signatures
  token('claims changed after signing', invalid, async ({ tenant }) =>
    withPart(await tenant.token(), 1, withAdmin),
  ),
  token('another signature', invalid, async ({ tenant }) =>
    withPart(await tenant.token(), 2, withOtherStart),
  ),
  token(
    'another key under a known key id',
    invalid,
    async ({ tenant }) => await tenant.token({ forged: true }),
  ),
  token(
    'an unknown key id',
    invalid,
    async ({ tenant }) => await tenant.token({ forged: true, header: { kid: randomUUID() } }),
  ),
  token(
    'a key brought in the token (jwk)',
    invalid,
    async ({ tenant }) =>
      await tenant.token({ forged: true, header: { jwk: await tenant.forgersKey() } }),
  ),
  token(
    'an address of keys in the token (jku)',
    invalid,
    async ({ tenant }) =>
      await tenant.token({ forged: true, header: { jku: 'http://127.0.0.1:9/keys' } }),
  ),
  token('alg none', invalid, ({ tenant }) => tenant.unsigned('none')),
  token('alg None', invalid, ({ tenant }) => tenant.unsigned('None')),
  token('alg RS256 without a signature', invalid, ({ tenant }) => tenant.unsigned('RS256')),
  token(
    'HS256 with the public key as secret',
    invalid,
    async ({ tenant }) => await tenant.signedWithPublicKey(),
  ),
  token('RS512 named in the header', invalid, async ({ tenant }) =>
    withPart(await tenant.token(), 0, (before) =>
      Buffer.from(Buffer.from(before, 'base64url').toString().replace('RS256', 'RS512')).toString(
        'base64url',
      ),
    ),
  ),

  // Issuer and tenant
  claims('the issuer of another tenant', invalid, ({ issuer, id }) => ({
    iss: issuer.replace(id, randomUUID()),
  })),
  claims('the issuer of another tenant, version 1.0', invalid, (tenant) => ({
    ...tenant.claimsOfVersion1(),
    iss: `https://sts.windows.net/${randomUUID()}/`,
  })),
  claims('an unknown issuer', invalid, () => ({ iss: 'https://issuer.example' })),
  claims('no issuer', invalid, () => ({ iss: undefined })),
  claims('another tenant', invalid, () => ({ tid: randomUUID() })),
  claims('no tenant', invalid, () => ({ tid: undefined })),

  // Audience
  claims('another audience', invalid, () => ({ aud: randomUUID() })),
  claims('the audience of Microsoft Graph', invalid, () => ({ aud: graph })),
  claims('no audience', invalid, () => ({ aud: undefined })),
  claims('an ID token', invalid, () => ({ azp: undefined, nonce: 'n-1' })),

  // Times
  claims('expired 30 seconds ago', '200', () => ({ exp: seconds() - 30 })),
  claims('expired 2 minutes ago', invalid, () => ({ exp: seconds() - 120 })),
  claims('no time of expiry', invalid, () => ({ exp: undefined })),
  claims('valid from 30 seconds ahead', '200', () => ({ nbf: seconds() + 30 })),
  claims('valid from 2 minutes ahead', invalid, () => ({ nbf: seconds() + 120 })),
  claims('no time of issue', invalid, () => ({ iat: undefined })),

  // Roles and scopes
  claims('neither roles nor scopes', lacks('Dicom.Read'), () => ({ roles: undefined })),
  roles('a role of another service', lacks('Dicom.Read'), ['User.Read.All']),
  roles('a role in another case', lacks('Dicom.Read'), ['dicom.read']),
  roles('Dicom.Read searches', '200', ['Dicom.Read']),
  roles('Dicom.Read stores', lacks('Dicom.Write'), ['Dicom.Read'], 'POST /studies'),
  roles('Dicom.Read replaces', lacks('Dicom.Write'), ['Dicom.Read'], 'PUT /studies'),
  roles('Dicom.Read deletes', lacks('Dicom.Delete'), ['Dicom.Read'], 'DELETE /studies/1.2.3'),
  roles('Dicom.Write stores', '204', ['Dicom.Write'], 'POST /studies'),
  roles('Dicom.Write searches', lacks('Dicom.Read'), ['Dicom.Write']),
  roles('Dicom.Delete deletes what is not there', '404', ['Dicom.Delete'], 'DELETE /studies/1.2.3'),
  roles('Dicom.Delete searches', lacks('Dicom.Read'), ['Dicom.Delete']),
  roles('two roles add up', '204', ['Dicom.Read', 'Dicom.Write'], 'POST /studies'),
  roles('DICOM Data Reader, with spaces', '200', ['DICOM Data Reader']),
  roles('globalReader deletes', lacks('Dicom.Delete'), ['globalReader'], 'DELETE /studies/1.2.3'),
  scopes('the scope Dicom.Read, no roles', '200', 'Dicom.Read openid'),
  scopes('the scope Dicom.Read stores', lacks('Dicom.Write'), 'Dicom.Read', [], 'POST /studies'),
  scopes('the scope user_impersonation, no roles', lacks('Dicom.Read'), 'user_impersonation'),
  scopes('the scope user_impersonation, the role Dicom.Read', '200', 'user_impersonation', [
    'Dicom.Read',
  ]),
  scopes(
    'the scope Dicom.Read of an app, the role Dicom.Admin of its user, deletes',
    lacks('Dicom.Delete'),
    'Dicom.Read',
    ['Dicom.Admin'],
    'DELETE /studies/1.2.3',
  ),

  // Partitions
  roles('Dicom.Read.north in north', '200', ['Dicom.Read.north'], 'GET /partitions/north/studies'),
  roles(
    'Dicom.Read.north in south',
    lacks('Dicom.Read'),
    ['Dicom.Read.north'],
    'GET /partitions/south/studies',
  ),
  roles('Dicom.Read.north where no partition is named', lacks('Dicom.Read'), ['Dicom.Read.north']),
  roles('Dicom.Read.Microsoft.Default where no partition is named', '200', [
    'Dicom.Read.Microsoft.Default',
  ]),
  roles(
    'Dicom.Read.north, the change feed of all partitions',
    lacks('Dicom.Read'),
    ['Dicom.Read.north'],
    'GET /changefeed',
  ),
  roles(
    'Dicom.Admin.north deletes in north what is not there',
    '404',
    ['Dicom.Admin.north'],
    'DELETE /partitions/north/studies/1.2.3',
  ),
  roles(
    'Dicom.Delete.south deletes in north',
    lacks('Dicom.Delete'),
    ['Dicom.Delete.south'],
    'DELETE /partitions/north/studies/1.2.3',
  ),
  roles('Dicom.Read with nothing after the period', lacks('Dicom.Read'), ['Dicom.Read.']),

  // Keys
  token('signed with a key made since, half a minute later', '200', async (world) => {
    await world.warmUp();
    world.tenant.rotate();
    world.wait(31);
    return await world.tenant.token();
  }),
  token('signed with a key made since, at once', invalid, async (world) => {
    await world.warmUp();
    world.tenant.rotate();
    return await world.tenant.token();
  }),
  token('signed with a key withdrawn the day before', invalid, async (world) => {
    await world.warmUp();
    const signed = await world.tenant.token();
    world.tenant.rotate();
    world.wait(25 * 3600);
    return signed;
  }),
  token('the issuer is away, no keys are at hand', '503', async ({ tenant }) => {
    tenant.condition = 'away';
    return await tenant.token();
  }),
  token('the issuer is away, its keys are at hand', '200', async (world) => {
    await world.warmUp();
    world.tenant.condition = 'away';
    world.wait(2 * 3600);
    return await world.tenant.token();
  }),
  token('the issuer is away, its keys are older than a day', '503', async (world) => {
    await world.warmUp();
    world.tenant.condition = 'away';
    world.wait(25 * 3600);
    return await world.tenant.token();
  }),
  token('the issuer is away, an unknown key id', '503', async (world) => {
    await world.warmUp();
    world.tenant.condition = 'away';
    world.wait(31);
    return await world.tenant.token({ header: { kid: randomUUID() } });
  }),
  token('the issuer is away, garbage', invalid, async ({ tenant }) => {
    tenant.condition = 'away';
    return await Promise.resolve('garbage');
  }),
  token('the issuer answers without keys', '503', async ({ tenant }) => {
    tenant.condition = 'without-keys';
    return await tenant.token();
  }),
  token('the metadata are of another issuer', '503', async ({ tenant }) => {
    tenant.condition = 'of-another-issuer';
    return await tenant.token();
  }),
  token('the issuer redirects to another address', '503', async ({ tenant }) => {
    tenant.condition = 'redirecting';
    return await tenant.token();
  }),
];
