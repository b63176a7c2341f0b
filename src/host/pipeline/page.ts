/**
 * The page that a browser shows at the root of the service, and the files it consists of: made by
 * `scripts/build-web.mjs`, held in memory, the same for everyone, without data.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { isGuid } from '../../auth/access-token.js';
import type { AuthSettings } from '../auth-settings.js';
import type { Config, StorageSettings } from '../config.js';
import { packageFolder } from '../../package-folder.js';
import { packageVersion } from '../../version.js';
import { reply, type Reply } from '../../http/reply.js';
import type { RequestHead } from '../../http/incoming-request.js';

/** One file of the page. */
interface PageFile {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers a GET or HEAD for a file of the page; `undefined` where the page has no such file. */
export type WebPage = (path: string, request: Pick<RequestHead, 'headers'>) => Reply | undefined;

/** Where the bundler puts the page. */
const pageDirectory = path.join(packageFolder, 'dist/web');

/** No page: the service answers its API alone. */
export const noPage: WebPage = () => undefined;

const mediaTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Names with a hash of the content never change what they mean. */
const hashed = /-[A-Z\d]{8}\.\w+$/;

/**
 * The page may run its own scripts and styles, show what the service gives (pictures and videos also
 * as blobs, which carry a token in their fetch), and be shown by itself only.
 */
function policy(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "frame-src 'self' blob:",
    `connect-src 'self' ${connect.join(' ')}`.trim(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}

/**
 * The page of this service; {@link noPage} when it was not built. Where tokens are asked for it may call
 * their issuer.
 *
 * @param viewer a viewer of others beside it; offered where its user can be signed in, or need not be.
 */
export function pageOf(
  { auth, shares, limits, storage }: Pick<Config, 'auth' | 'shares' | 'limits' | 'storage'>,
  options: PageOptions = {},
): WebPage {
  const { directory = pageDirectory, viewer = noPage } = options;
  const { blobOrigin = () => blobOriginOf(storage) } = options;
  const { largeFileBytes = usualLargeFileBytes } = options;
  const issuers = auth.kind === 'tokens' ? [new URL(auth.issuer).origin] : [];
  const connect = () => {
    const origin = blobOrigin();
    return origin === undefined ? issuers : [...issuers, origin];
  };
  const directUploadBytes = Math.min(largeFileBytes, limits.requestBytes);
  const signIn = signInOf(auth);
  const beside = auth.kind === 'tokens' && signIn === null ? noPage : viewer;
  const page = readPage(directory, connect, () => ({
    version: packageVersion,
    signIn,
    shareDays: shares?.defaultDays ?? null,
    directUploadBytes: blobOrigin() === undefined ? null : directUploadBytes,
    ohif: beside !== noPage,
  }));
  return (path, request) => page(path, request) ?? beside(path, request);
}

interface PageOptions {
  /** Where the bundler put it. */
  readonly directory?: string;
  readonly viewer?: WebPage;
  /** Where pages may write files to; that of the storage settings when left out. */
  readonly blobOrigin?: () => string | undefined;
  /** Files above it go there, if not into a request. */
  readonly largeFileBytes?: number;
}

/** Small enough for a request on a slow line, large enough that few files take three requests. */
const usualLargeFileBytes = 64 * 1024 ** 2;

/** The origin of a storage account's blobs; `undefined` where the settings do not name it. */
export function blobOriginOf(storage: StorageSettings | undefined): string | undefined {
  if (storage === undefined) return undefined;
  if (storage.kind === 'identity') return new URL(storage.blobServiceUri).origin;
  const part = (name: string) =>
    new RegExp(`(?:^|;)\\s*${name}=([^;]+)`, 'i').exec(storage.connectionString)?.[1];
  const endpoint = part('BlobEndpoint');
  if (endpoint !== undefined) return new URL(endpoint).origin;
  if (part('UseDevelopmentStorage') !== undefined) return 'http://127.0.0.1:10000';
  const account = part('AccountName');
  if (account === undefined) return undefined;
  const suffix = part('EndpointSuffix') ?? 'core.windows.net';
  return `${part('DefaultEndpointsProtocol') ?? 'https'}://${account}.blob.${suffix}`;
}

/** How a page of this service signs its user in. */
export interface SignInSettings {
  readonly issuer: string;
  readonly clientId: string;
  /** Of an access token for the service. */
  readonly scope: string;
}

/** What the page must know before anyone has signed in. */
interface PageSettings {
  readonly version: string;
  readonly signIn: SignInSettings | null;
  /** Days that a link works where nobody chooses; `null` where there are no links. */
  readonly shareDays: number | null;
  /** Larger files go to storage directly; `null` where pages cannot reach it. */
  readonly directUploadBytes: number | null;
  readonly ohif: boolean;
}

/**
 * The app registration of the service is that of its pages, public clients of it: the first audience
 * that is a client id names it. `null` where nobody signs in, or none does.
 */
export function signInOf(auth: AuthSettings): SignInSettings | null {
  const clientId = auth.kind === 'tokens' ? auth.audiences.find(isGuid) : undefined;
  if (auth.kind !== 'tokens' || clientId === undefined) return null;
  return { issuer: auth.issuer, clientId, scope: `${clientId}/.default` };
}

/**
 * Reads the files of a page.
 *
 * @param directory where the bundler put them.
 * @param connect origins besides its own that the page may call.
 * @param settings what the page asks for first, at `web/settings.json`.
 * @returns {@link noPage} when it was not built.
 */
export function readPage(
  directory: string,
  connect: () => readonly string[],
  settings: () => PageSettings,
): WebPage {
  let names: readonly string[];
  try {
    names = readdirSync(directory);
  } catch {
    return noPage;
  }
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const type = mediaTypes[path.extname(name)];
    if (type === undefined) continue;
    const bytes = new Uint8Array(readFileSync(path.join(directory, name)));
    const digest = createHash('sha256').update(bytes).digest('base64url');
    files.set(name === 'index.html' ? '/' : `/web/${name}`, {
      bytes,
      headers: {
        'Content-Type': type,
        ETag: `"${digest}"`,
        'Cache-Control': hashed.test(name) ? 'public, max-age=31536000, immutable' : 'no-cache',
        'Cross-Origin-Opener-Policy': 'same-origin',
      },
    });
  }
  return (asked, request) => {
    if (asked === '/web/settings.json') {
      const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache' };
      return reply(JSON.stringify(settings()), { headers });
    }
    const file = files.get(asked);
    if (file === undefined) return undefined;
    const { bytes } = file;
    const headers = { ...file.headers, 'Content-Security-Policy': policy(connect()) };
    if (request.headers.get('if-none-match') === file.headers['ETag']) {
      return reply(null, { status: 304, headers });
    }
    return reply(bytes, {
      headers: { ...headers, 'Content-Length': String(bytes.byteLength) },
    });
  };
}
