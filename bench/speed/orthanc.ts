/** Orthanc with its DICOMweb plugin, as Debian packages it, to measure against where it is installed. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const plugin = '/usr/share/orthanc/plugins/libOrthancDicomWeb.so';
const startSeconds = 30;

export interface Orthanc {
  /** Of its DICOMweb routes. */
  readonly baseUrl: string;
  /** Of its own REST interface, which takes files the fastest. */
  readonly restUrl: string;
  readonly pid: number;
  readonly version: string;
  stop(): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function installed(): string | undefined {
  try {
    return execFileSync('Orthanc', ['--version'], { encoding: 'utf8' }).split('\n')[0];
  } catch {
    return undefined;
  }
}

/** Starts an empty Orthanc with its defaults; `undefined` where it is not installed. */
export async function startOrthanc(): Promise<Orthanc | undefined> {
  const version = installed();
  if (version === undefined || !existsSync(plugin)) return undefined;
  const folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-orthanc-'));
  const port = await freePort();
  const configuration = path.join(folder, 'orthanc.json');
  await writeFile(
    configuration,
    JSON.stringify({
      Name: 'bench',
      StorageDirectory: path.join(folder, 'storage'),
      IndexDirectory: path.join(folder, 'storage'),
      Plugins: [plugin],
      HttpPort: port,
      DicomServerEnabled: false,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      DicomWeb: { Enable: true, Root: '/dicom-web/' },
    }),
  );
  const child = spawn('Orthanc', [configuration], { stdio: ['ignore', 'ignore', 'ignore'] });
  if (child.pid === undefined) throw new Error('Orthanc did not start.');
  const restUrl = `http://127.0.0.1:${port}`;
  const baseUrl = `${restUrl}/dicom-web`;
  for (let waited = 0; ; waited++) {
    const answer = await fetch(`${baseUrl}/studies?limit=1`).catch(() => undefined);
    if (answer?.ok === true) break;
    if (child.exitCode !== null || waited > startSeconds * 10) {
      child.kill('SIGKILL');
      throw new Error('Orthanc does not answer.');
    }
    await sleep(100);
  }
  return {
    baseUrl,
    restUrl,
    pid: child.pid,
    version,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      await rm(folder, { recursive: true, force: true });
    },
  };
}
