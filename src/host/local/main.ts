/** `npm start`: the local host as a process, with its banner, its signals and its exit code. */
import { loadConfig } from '../config.js';
import { letHeapGrow } from '../heap-growth.js';
import { describeAccess, describeStorage, startLocalHost } from './local-host.js';
import { logForPeople, logToConsole } from '../pipeline/log.js';

function banner(url: string, storage: string, access: string): string {
  return `
dicomweb-functions

  Page         ${url}/  (open it in a browser and drop a DICOM file on it)
  DICOMweb     ${url}  (Microsoft-compatible: ${url}/v2, ${url}/v1)
  Data         ${storage}
  Access       ${access}

Try
  npm run sample
  curl ${url}/studies
  curl ${url}/health/check

Listening on ${url}
`;
}

/** What went wrong, for the one who started it. */
function explain(error: unknown, port: number | undefined): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `Port ${String(port)} is in use (setting PORT). Stop the other server, or run beside it, on another port and with data of your own: PORT=7072 DICOMWEB_DATA_DIR=.azurite-7072 npm start`;
  }
  return error instanceof Error ? error.message : String(error);
}

async function main(): Promise<void> {
  let port: number | undefined;
  letHeapGrow();
  try {
    const config = loadConfig();
    port = config.port;
    const log = process.stdout.isTTY ? logForPeople : logToConsole;
    const host = await startLocalHost(config, log);

    let stopping = false;
    const stop = () => {
      // Asked twice: whatever is under way is not worth waiting for.
      if (stopping) process.exit(130);
      stopping = true;
      console.log('Stopping: finishing the requests under way. Once more to stop at once.');
      host.stop().then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(explain(error, port));
          process.exit(1);
        },
      );
    };
    process.on('SIGINT', stop).on('SIGTERM', stop);
    if ((process.env['DICOMWEB_URL'] ?? '') !== '') {
      const message = 'DICOMWEB_URL is for the scripts; the server listens where PORT says.';
      log({ event: 'notice', message });
    }
    console.log(banner(host.url, describeStorage(config), describeAccess(config)));
  } catch (error) {
    console.error(explain(error, port));
    process.exit(1);
  }
}

void main();
