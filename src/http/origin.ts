/**
 * The absolute base that URLs in responses begin with, as the client sees the service: behind
 * proxies, and for clients whose Host header lacks the port, that is not the URL of the request.
 */
import { splitUnquoted, unquote } from './header-list.js';
import type { RequestHead, RequestHeaders } from './incoming-request.js';

const hostPattern = /^(\[[\da-f:.]{2,45}\]|[\da-z](?:[\w.-]{0,252}[\da-z])?\.?)(?::(\d{1,5}))?$/i;

/** Whether a Host header is a name or address, with a port or without (RFC 9110 §7.2), and no more. */
export function isHost(text: string): boolean {
  return parseHost(text) !== undefined;
}

/** Ports that a misconfigured proxy reports for the leg behind it. */
const foreignPorts: Readonly<Record<string, string>> = { https: '80', http: '443' };
const defaultPorts: Readonly<Record<string, string>> = { https: '443', http: '80' };

/** How the service is reached. */
export interface PublicAddress {
  /** The base, which may have a path; `undefined` or empty where it is taken from requests. */
  readonly publicUrl: string | undefined;
  /** Whether a proxy in front sets the headers that tell of it; else anyone could. */
  readonly trustForwardedHeaders: boolean;
}

/**
 * The public base, without a slash at its end: the configured one if there is one, else what
 * X-Forwarded-Host/-Proto/-Port, X-Original-Host or Forwarded (RFC 7239) say where they are trusted,
 * else the URL of the request. The first value of a list counts; a malformed value is ignored.
 */
export function publicOrigin(
  { url, headers }: Pick<RequestHead, 'url' | 'headers'>,
  { publicUrl, trustForwardedHeaders }: PublicAddress,
): string {
  if (publicUrl !== undefined && publicUrl !== '') return publicUrl.replace(/\/+$/, '');
  if (!trustForwardedHeaders) return url.origin;
  const forwarded = forwardedElement(headers.get('forwarded'));
  const proto =
    [firstOf(headers.get('x-forwarded-proto')), forwarded.get('proto')]
      .map((value) => value?.toLowerCase())
      .find((value) => value === 'https' || value === 'http') ?? url.protocol.slice(0, -1);
  const { name, port } = [
    firstOf(headers.get('x-forwarded-host')),
    firstOf(headers.get('x-original-host')),
    forwarded.get('host'),
  ]
    .map(parseHost)
    .find((host) => host !== undefined) ?? { name: url.hostname, port: url.port };
  const visible = port === '' ? forwardedPort(headers, proto) : port;
  return `${proto}://${name}${visible === '' || visible === defaultPorts[proto] ? '' : `:${visible}`}`;
}

function forwardedPort(headers: RequestHeaders, proto: string): string {
  const port = firstOf(headers.get('x-forwarded-port')) ?? '';
  return isPort(port) && port !== foreignPorts[proto] ? port : '';
}

function firstOf(header: string | null): string | undefined {
  return header?.split(',')[0]?.trim();
}

/** Names and values of the first element of a Forwarded header. */
function forwardedElement(header: string | null): ReadonlyMap<string, string> {
  const [element = ''] = splitUnquoted(header ?? '', ',');
  return new Map(
    splitUnquoted(element, ';').map((pair) => {
      const equals = pair.indexOf('=');
      return [
        pair.slice(0, Math.max(equals, 0)).trim().toLowerCase(),
        unquote(pair.slice(equals + 1)),
      ];
    }),
  );
}

function parseHost(text: string | undefined): { name: string; port: string } | undefined {
  const found = hostPattern.exec(text ?? '');
  if (found === null) return undefined;
  const [, name = '', port = ''] = found;
  return port === '' || isPort(port) ? { name: name.toLowerCase(), port } : undefined;
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65536;
}
