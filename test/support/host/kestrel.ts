/**
 * What the web server of the Functions host refuses by itself, as measured on Kestrel (.NET 10) with its
 * default limits: see docs/functions-host.md.
 */
import type { IncomingMessage } from 'node:http';

/** Bytes of all header lines, their number, and bytes of the request target. */
const limits = { headerBytes: 32 * 1024, headers: 100, targetBytes: 8 * 1024 };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The value of a header line as the host reads it: UTF-8. @throws TypeError when it is not. */
export function hostText(value: string): string {
  return utf8.decode(Buffer.from(value, 'latin1'));
}

/** Header lines in order: name and value as they came, one character per byte. */
export function headerLines({
  rawHeaders,
}: IncomingMessage): readonly (readonly [string, string])[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ''] as const] : [],
  );
}

function isText(value: string): boolean {
  try {
    hostText(value);
    return !value.includes('\0');
  } catch {
    return false;
  }
}

/** The status with which a request is refused by its head; `undefined` when it is let through. */
export function kestrelRefusal(message: IncomingMessage): number | undefined {
  const lines = headerLines(message);
  if ((message.url ?? '').length > limits.targetBytes) return 414;
  const bytes = lines.reduce((sum, [name, value]) => sum + name.length + value.length + 4, 0);
  if (bytes > limits.headerBytes || lines.length > limits.headers) return 431;
  if (!lines.every(([, value]) => isText(value))) return 400;
  const hosts = lines.filter(([name]) => name.toLowerCase() === 'host');
  if (hosts.length !== 1) return 400;
  const coding = message.headers['transfer-encoding'];
  if (coding !== undefined && !/(?:^|,)\s*chunked$/i.test(coding)) return 400;
  return undefined;
}
