/**
 * OHIF beside the page, at `/viewer/`, where `npm run viewer` has put it. Where tokens are asked for it signs its user in
 * by itself, at the same issuer and as the same client. Files are read as they are asked for; there are 200 MB of them.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { packageFolder } from '../../package-folder.js';
import { reply, type Reply, type ReplyHeaders } from '../../http/reply.js';
import { noPage, type WebPage, type SignInSettings } from '../pipeline/page.js';

/** Where `scripts/viewer.mjs` puts it. */
const ohifDirectory = path.join(packageFolder, 'node_modules/.cache/ohif');

const prefix = '/viewer/';

const mediaTypes: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
};

/** What OHIF needs and no more: its decoders are WebAssembly in workers, its styles are made as it runs. */
function policy(connect: readonly string[]): string {
  return [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' blob: data:",
    "font-src 'self' data:",
    "media-src 'self' blob:",
    "object-src 'self' blob:",
    "frame-src 'self' blob:",
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    `connect-src 'self' blob: data: ${connect.join(' ')}`.trim(),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'self'",
  ].join('; ');
}

interface ViewerFile {
  readonly file: string;
  readonly bytes: number;
  readonly etag: string;
  readonly type: string;
}

/** The settings that `scripts/viewer.mjs` makes, to which the service adds how to sign in. */
const settingsUrl = `${prefix}app-config.js`;

/**
 * How OHIF signs its user in: OpenID Connect with a code and PKCE. Entra ID revokes no tokens, so it is not asked to.
 */
function signInScript({ issuer, clientId, scope }: SignInSettings): string {
  const client = {
    authority: issuer,
    client_id: clientId,
    redirect_uri: '/callback',
    // Its own would match the route of the viewer, since both are below /viewer.
    post_logout_redirect_uri: '/signed-out',
    response_type: 'code',
    scope: `openid profile offline_access ${scope}`,
    automaticSilentRenew: true,
    revokeAccessTokenOnSignout: false,
  };
  return `window.config.oidc = ${JSON.stringify([client])};\n`;
}

/** Opened when the first chunk is asked for, so that an answer that nobody reads holds no file. */
async function* chunksOf(file: string): AsyncGenerator<Uint8Array, void, undefined> {
  yield* createReadStream(file) as AsyncIterable<Uint8Array>;
}

/** Every file by its path in URLs: what is not among them is not read. */
function filesIn(directory: string): ReadonlyMap<string, ViewerFile> {
  const files = new Map<string, ViewerFile>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const type = mediaTypes[path.extname(entry.name)];
    if (!entry.isFile() || type === undefined) continue;
    const file = path.join(entry.parentPath, entry.name);
    const { size, mtimeMs } = statSync(file);
    const url = prefix + path.relative(directory, file).split(path.sep).join('/');
    files.set(url, { file, bytes: size, etag: `"${size}-${Math.round(mtimeMs)}"`, type });
  }
  return files;
}

interface OhifOptions {
  readonly directory?: string;
  readonly signIn?: SignInSettings | null;
}

/** The settings of OHIF with how to sign in. */
function settingsWith(found: ViewerFile | undefined, signIn: SignInSettings) {
  if (found === undefined) return undefined;
  const text = readFileSync(found.file, 'utf8') + signInScript(signIn);
  const ETag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  return (request: Parameters<WebPage>[1], common: ReplyHeaders): Reply => {
    const headers = { ...common, 'Content-Type': found.type, ETag, 'Cache-Control': 'no-cache' };
    const isKnown = request.headers.get('if-none-match') === ETag;
    return isKnown ? reply(null, { status: 304, headers }) : reply(text, { headers });
  };
}

/**
 * OHIF from a folder; {@link noPage} where there is none.
 *
 * @param directory as `scripts/viewer.mjs` leaves it.
 * @param signIn `null` where no tokens are asked for.
 */
export function readOhif({ directory = ohifDirectory, signIn = null }: OhifOptions = {}): WebPage {
  let files: ReadonlyMap<string, ViewerFile>;
  try {
    files = filesIn(directory);
  } catch {
    return noPage;
  }
  const start = files.get(`${prefix}index.html`);
  if (start === undefined) return noPage;
  const contentPolicy = policy(signIn === null ? [] : [new URL(signIn.issuer).origin]);
  const settings = signIn === null ? undefined : settingsWith(files.get(settingsUrl), signIn);
  return (asked, request) => {
    if (asked !== '/viewer' && !asked.startsWith(prefix)) return undefined;
    // Its own routes, such as `/viewer/viewer`, are all one page.
    const isRoute = path.posix.extname(asked) === '';
    if (asked === settingsUrl && settings !== undefined) {
      return settings(request, { 'Content-Security-Policy': contentPolicy });
    }
    const found = files.get(asked) ?? (isRoute ? start : undefined);
    if (found === undefined) return undefined;
    const headers = {
      'Content-Type': found.type,
      ETag: found.etag,
      'Cache-Control': 'no-cache',
      'Content-Security-Policy': contentPolicy,
    };
    if (request.headers.get('if-none-match') === found.etag) {
      return reply(null, { status: 304, headers });
    }
    return reply(chunksOf(found.file), {
      headers: { ...headers, 'Content-Length': String(found.bytes) },
    });
  };
}
