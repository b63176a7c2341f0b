/**
 * A look-alike of Entra ID on this machine: a server of metadata and keys, and a mint of tokens, good
 * and bad. Each tenant of it is an issuer of its own.
 */
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { TokenRules } from '../../src/auth/access-token.js';
import { keepSecret } from './leaks.js';

type KeyPair = Awaited<ReturnType<typeof generateKeyPair>>;

interface Key {
  readonly id: string;
  readonly pair: KeyPair;
}

/** Making one takes a while; two are enough for any number of issuers. */
let pairs: Promise<readonly [KeyPair, KeyPair]> | undefined;

async function keyPairs(): Promise<readonly [KeyPair, KeyPair]> {
  const make = async () => await generateKeyPair('RS256', { extractable: true });
  pairs ??= Promise.all([make(), make()]);
  return await pairs;
}

/** What a token may have otherwise than a good one; a claim of `undefined` is left out. */
export interface TokenSpec {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  /** The key that signs: one that the issuer does not have, under the id of one that it has. */
  readonly forged?: boolean;
}

/** How the issuer answers those who ask for its keys. */
export type Condition =
  'well' | 'away' | 'without-keys' | 'of-another-issuer' | 'redirecting' | 'flooding';

const encode = (value: unknown): string => base64url.encode(JSON.stringify(value));

/** Seconds of the epoch. */
const seconds = (): number => Math.floor(Date.now() / 1000);

/** One tenant with one registered service. */
export class Tenant {
  readonly id = randomUUID();
  readonly clientId = randomUUID();
  /** A second name under which the service is known. */
  readonly uri = 'api://dicom.example.org/archive';
  readonly issuer: string;
  condition: Condition = 'well';
  /** What is published among its keys and is none of them. */
  strangeKeys: readonly unknown[] = [];
  /** Roles of the user who signs in at the page, and seconds that a token of it is good for. */
  roles: readonly string[] = ['Dicom.Read'];
  tokenSeconds = 3600;
  /** How often tokens were asked for. */
  tokenRequests = 0;
  readonly #codes = new Map<string, Readonly<Record<string, string>>>();
  /** How often its keys were asked for. */
  keyRequests = 0;
  #keys: readonly Key[] = [];
  readonly #spare: KeyPair;

  constructor(baseUrl: string, [first, spare]: readonly [KeyPair, KeyPair]) {
    this.issuer = `${baseUrl}/${this.id}/v2.0`;
    this.#keys = [{ id: randomUUID(), pair: first }];
    this.#spare = spare;
  }

  get rules(): TokenRules {
    const { id: tenantId, clientId, uri, issuer } = this;
    return { tenantId, audiences: [clientId, uri], issuer };
  }

  /** Claims of a token of version 2.0 for an app with the role to read. */
  claims(): JWTPayload {
    const now = seconds();
    return {
      aud: this.clientId,
      iss: this.issuer,
      iat: now,
      nbf: now,
      exp: now + 3600,
      azp: '3f0a1c7e-0000-4000-8000-00000000a99a',
      azpacr: '1',
      oid: '3f0a1c7e-0000-4000-8000-00000000001d',
      sub: '3f0a1c7e-0000-4000-8000-00000000001d',
      tid: this.id,
      ver: '2.0',
      roles: ['Dicom.Read'],
    };
  }

  /** The claims that version 1.0 has instead. */
  claimsOfVersion1(): JWTPayload {
    return {
      aud: `api://${this.clientId}`,
      iss: `https://sts.windows.net/${this.id}/`,
      azp: undefined,
      azpacr: undefined,
      appid: '3f0a1c7e-0000-4000-8000-00000000a99a',
      appidacr: '1',
      ver: '1.0',
    };
  }

  /** A token signed as the issuer signs. */
  async token({ claims = {}, header = {}, forged = false }: TokenSpec = {}): Promise<string> {
    const [{ id, pair }] = this.#newestFirst();
    const payload = JSON.parse(JSON.stringify({ ...this.claims(), ...claims })) as JWTPayload;
    const token = await new SignJWT(payload)
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: id, ...header })
      .sign(forged ? this.#spare.privateKey : pair.privateKey);
    for (const text of [token, ...token.split('.').slice(1)]) keepSecret(text);
    return token;
  }

  /** A token without a signature. */
  unsigned(alg: string): string {
    return `${encode({ alg, typ: 'JWT' })}.${encode(this.claims())}.`;
  }

  /** A token whose secret is the public key, for those who take the algorithm from the token. */
  async signedWithPublicKey(): Promise<string> {
    const [{ id, pair }] = this.#newestFirst();
    const text = `${encode({ alg: 'HS256', typ: 'JWT', kid: id })}.${encode(this.claims())}`;
    const secret = await exportSPKI(pair.publicKey);
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  }

  /** The public part of the key that forged tokens are signed with. */
  async forgersKey(): Promise<object> {
    return await exportJWK(this.#spare.publicKey);
  }

  /** Signs with a new key from now on, and forgets the old one. */
  rotate(): void {
    this.#keys = [{ id: randomUUID(), pair: this.#spare }];
  }

  /** Answers what the service asks of the issuer. */
  async answer(path: string): Promise<unknown> {
    if (path.endsWith('/.well-known/openid-configuration')) {
      const issuer = this.condition === 'of-another-issuer' ? `${this.issuer}x` : this.issuer;
      const endpoint = (name: string) => this.issuer.replace('/v2.0', `/oauth2/v2.0/${name}`);
      return {
        issuer,
        jwks_uri: this.issuer.replace('/v2.0', '/discovery/v2.0/keys'),
        authorization_endpoint: endpoint('authorize'),
        token_endpoint: endpoint('token'),
        end_session_endpoint: endpoint('logout'),
      };
    }
    this.keyRequests += 1;
    if (this.condition === 'without-keys') return { error: 'none' };
    const keys = this.#keys.map(async ({ id, pair }) => {
      return { ...(await exportJWK(pair.publicKey)), kid: id, use: 'sig', issuer: this.issuer };
    });
    const padding = this.condition === 'flooding' ? ' '.repeat(1024 ** 2) : '';
    return { keys: [...this.strangeKeys, ...(await Promise.all(keys))], padding };
  }

  /** Signs the user of the browser in at once, and sends it back with a code (RFC 6749 §4.1.2). */
  authorize(query: URLSearchParams): URL {
    const { redirect_uri: back = '', ...asked } = Object.fromEntries(query);
    const code = randomUUID();
    this.#codes.set(code, asked);
    const url = new URL(back);
    url.search = new URLSearchParams({ code, state: asked['state'] ?? '' }).toString();
    return url;
  }

  /** Tokens for a code or a refresh token, as a public client asks with PKCE (RFC 7636 §4.6). */
  async redeem(form: URLSearchParams): Promise<object> {
    this.tokenRequests += 1;
    const nonce = this.#codes.get(form.get('code') ?? '')?.['nonce'];
    if (form.get('grant_type') === 'authorization_code') {
      const asked = this.#codes.get(form.get('code') ?? '');
      this.#codes.delete(form.get('code') ?? '');
      const verifier = form.get('code_verifier') ?? '';
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      if (asked?.['code_challenge'] !== challenge) return { error: 'invalid_grant' };
    }
    const { roles } = this;
    return {
      token_type: 'Bearer',
      expires_in: this.tokenSeconds,
      access_token: await this.token({ claims: { roles } }),
      refresh_token: randomUUID(),
      id_token: await this.token({ claims: { nonce, name: 'Robin Reader' } }),
    };
  }

  #newestFirst(): readonly [Key, ...Key[]] {
    const [newest, ...others] = this.#keys;
    if (newest === undefined) throw new Error('The issuer has no key.');
    return [newest, ...others];
  }
}

/** The running look-alike. */
export interface Entra {
  newTenant(): Promise<Tenant>;
  stop(): Promise<void>;
}

/** Starts the look-alike on a free port of the loopback interface. */
export async function startEntra(): Promise<Entra> {
  const tenants = new Map<string, Tenant>();

  async function respond(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = message.url ?? '/';
    const tenant = tenants.get(path.split('/')[1] ?? '');
    if (tenant === undefined || tenant.condition === 'away') {
      message.socket.destroy();
      return;
    }
    if (tenant.condition === 'redirecting') {
      response.writeHead(302, { Location: 'http://127.0.0.1:9/' }).end();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', '*');
    const url = new URL(path, 'http://localhost');
    if (url.pathname.endsWith('/authorize')) {
      response.writeHead(302, { Location: tenant.authorize(url.searchParams).href }).end();
      return;
    }
    response.setHeader('Content-Type', 'application/json');
    if (url.pathname.endsWith('/token')) {
      const chunks: Buffer[] = [];
      for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
      const answer = await tenant.redeem(new URLSearchParams(Buffer.concat(chunks).toString()));
      response.writeHead('error' in answer ? 400 : 200).end(JSON.stringify(answer));
      return;
    }
    response.end(JSON.stringify(await tenant.answer(path)));
  }

  const server = createServer((message, response) => void respond(message, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    async newTenant() {
      const tenant = new Tenant(baseUrl, await keyPairs());
      tenants.set(tenant.id, tenant);
      return tenant;
    },
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
