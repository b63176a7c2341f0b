/** Names by which a machine calls itself. */

const loopbackHost = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

/**
 * Whether a Host header or the host of a URL, with or without a port, is `localhost`, `127.0.0.1` or
 * `[::1]`. Any other name can be made to point at this machine by whoever owns it.
 */
export function isLoopbackHost(host: string): boolean {
  return loopbackHost.test(host);
}
