/** Which service a script speaks to. */

/**
 * The URL of the service: what was named, else `DICOMWEB_URL`, else the server on this machine, on the
 * port on which `npm start` would listen in this environment.
 */
export function serviceUrl(named: string | undefined, environment: NodeJS.ProcessEnv): string {
  const port = environment['PORT']?.trim() ?? '';
  const local = `http://localhost:${port === '' ? '7071' : port}`;
  return (named ?? environment['DICOMWEB_URL'] ?? local).replace(/\/+$/, '');
}
