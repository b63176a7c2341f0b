/**
 * Stores an instance under UIDs of its own, searches, retrieves and deletes it again, and says at the
 * end how to call the service by hand.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { sampleInstances, writeSample } from '../sample/instances.js';
import { DicomwebClient, ServiceUnreachable } from '../support/dicomweb-client.js';
import type { InstanceAddress } from '../support/dicomweb-client.js';
import { lendRoles, RolesNotLent, type CallGraph } from './lend-roles.js';
import { NoToken, tokenCommand, type GetToken } from './token.js';
import type { Output } from '../support/output.js';

interface Options {
  readonly url: string;
  /** Whom tokens are made out to; without it, and without a token, none is sent. */
  readonly audience: string | undefined;
  readonly token: string | undefined;
  /** To whom roles are lent for the test; nobody when it is undefined. */
  readonly borrower: string | undefined;
  /** For how long a service that is only just starting is waited for. */
  readonly waitSeconds: number;
}

/** A step that did not go as it should. */
class SmokeFailure extends Error {
  override readonly name = 'SmokeFailure';
}

const usage = `usage: npm run smoke -- [URL] [--audience CLIENT-ID] [--wait SECONDS] [--lend-roles]
  URL         base URL of the service (or DICOMWEB_URL)
  --audience  client id of the service, to get a token by the Azure CLI (or DICOMWEB_AUDIENCE)
  --wait      for how long to wait for a service that is starting (default 180)
  --lend-roles  gives the roles that the test needs to AZURE_PRINCIPAL_ID, and takes them back
  DICOMWEB_TOKEN, when set, is sent instead. With neither, no token is.
`;

const json = 'application/dicom+json';
const secondsBetweenTries = 5;
/** Not there yet: the platform's own answers while an app starts, and rights that are on their way. */
const passing: readonly number[] = [403, 404, 500, 502, 503];

function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options | undefined {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        audience: { type: 'string' },
        wait: { type: 'string', default: '180' },
        'lend-roles': { type: 'boolean', default: false },
      },
    });
    const url = positionals[0] ?? environment['DICOMWEB_URL'];
    const waitSeconds = Number(values.wait);
    if (url === undefined || !/^https?:/.test(url) || !URL.canParse(url)) return undefined;
    if (positionals.length > 1 || !(waitSeconds >= 0)) return undefined;
    const audience = values.audience ?? environment['DICOMWEB_AUDIENCE'];
    const principal = environment['AZURE_PRINCIPAL_ID'];
    if (values['lend-roles'] && (audience === undefined || principal === undefined)) {
      return undefined;
    }
    const borrower = values['lend-roles'] ? principal : undefined;
    return { url, audience, token: environment['DICOMWEB_TOKEN'], borrower, waitSeconds };
  } catch {
    return undefined;
  }
}

/** A UID that nobody has, PS3.5 §B.2. */
function freshUid(): string {
  return `2.25.${BigInt(`0x${randomBytes(16).toString('hex')}`).toString()}`;
}

/** One of the samples, under new UIDs: what is in the archive already is left alone. */
function freshInstance(): { readonly address: InstanceAddress; readonly file: Uint8Array } {
  const [sample] = sampleInstances;
  if (sample === undefined) throw new Error('There are no samples.');
  const address = { study: freshUid(), series: freshUid(), instance: freshUid() };
  return { address, file: writeSample({ ...sample, ...address }) };
}

/** Waits until the service can be asked, and lets nobody in without a token. */
async function awaitService(client: DicomwebClient, waitSeconds: number): Promise<void> {
  const deadline = Date.now() + waitSeconds * 1000;
  for (;;) {
    let why: string;
    try {
      const answer = await client.get(`${client.url}/studies?limit=1`, json);
      // 204 is an empty archive.
      if (answer.ok || answer.status === 204) return;
      why = `a search was answered ${answer.status} ${answer.message}`;
      if (!passing.includes(answer.status)) throw new SmokeFailure(why);
    } catch (error) {
      if (!(error instanceof ServiceUnreachable)) throw error;
      why = error.message;
    }
    if (Date.now() >= deadline) throw new SmokeFailure(why);
    await wait(secondsBetweenTries * 1000);
  }
}

async function mustBeLocked(url: string): Promise<void> {
  const answer = await new DicomwebClient(url).get(`${url}/studies?limit=1`, json);
  const status = answer.ok ? 200 : answer.status;
  if (status !== 401) throw new SmokeFailure(`without a token the answer is ${status}, not 401`);
}

async function mustStore(client: DicomwebClient, file: Uint8Array): Promise<void> {
  const outcome = await client.store(file);
  if (outcome.kind === 'stored') return;
  throw new SmokeFailure(`the store was answered ${outcome.status} ${outcome.message}`);
}

async function mustFind(client: DicomwebClient, { study }: InstanceAddress): Promise<void> {
  const answer = await client.get(`${client.url}/studies?StudyInstanceUID=${study}`, json);
  if (!answer.ok) throw new SmokeFailure(`the search was answered ${answer.status}`);
  if (!answer.body.includes(study)) throw new SmokeFailure('the search did not find the study');
}

async function mustRetrieve(
  client: DicomwebClient,
  address: InstanceAddress,
  file: Uint8Array,
): Promise<void> {
  const answer = await client.retrieve(address);
  if (!answer.ok) throw new SmokeFailure(`the retrieve was answered ${answer.status}`);
  if (!answer.body.equals(file))
    throw new SmokeFailure('what was retrieved is not what was stored');
}

async function mustDelete(client: DicomwebClient, address: InstanceAddress): Promise<void> {
  const status = await client.delete(address);
  if (status !== 204) throw new SmokeFailure(`the delete was answered ${status}`);
  const answer = await client.metadata(address);
  if (answer.ok || answer.status !== 404) {
    throw new SmokeFailure('what was deleted can still be retrieved');
  }
}

/** A call for people to try. */
function exampleCall({ url, audience }: Options): string {
  const base = url.replace(/\/+$/, '');
  const token =
    audience === undefined ? '' : ` \\\n  -H "Authorization: Bearer $(${tokenCommand(audience)})"`;
  return `curl "${base}/studies?limit=5" -H 'Accept: ${json}'${token}`;
}

/**
 * Runs the script.
 *
 * @returns the exit code: 0 when all went well, 1 when something did not, 2 for bad arguments.
 */
export async function runSmoke(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  { stdout, stderr }: Output,
  getToken: GetToken,
  graph?: CallGraph,
): Promise<number> {
  const options = readOptions(args, environment);
  if (options === undefined) {
    stderr.write(usage);
    return 2;
  }
  const { address, file } = freshInstance();
  const step = async (name: string, work: () => Promise<void>): Promise<void> => {
    const start = performance.now();
    await work();
    stdout.write(`  ${name.padEnd(8)}  ${Math.round(performance.now() - start)} ms\n`);
  };
  let takeBack = async () => await Promise.resolve();
  try {
    const { audience, borrower, waitSeconds } = options;
    if (graph !== undefined && borrower !== undefined && audience !== undefined) {
      takeBack = await lendRoles(graph, audience, borrower);
      stdout.write('Roles are lent for this test.\n');
    }
    const token = options.token ?? (audience === undefined ? undefined : await getToken(audience));
    const client = new DicomwebClient(options.url, token);
    stdout.write(`${client.url}\n`);
    await step('ready', () => awaitService(client, waitSeconds));
    if (token !== undefined) await step('locked', () => mustBeLocked(client.url));
    await step('store', () => mustStore(client, file));
    try {
      await step('search', () => mustFind(client, address));
      await step('retrieve', () => mustRetrieve(client, address, file));
    } catch (error) {
      // Nothing is left behind if it can be helped; the first failure is the one to tell.
      await client.delete(address).catch(() => undefined);
      throw error;
    }
    await step('delete', () => mustDelete(client, address));
    stdout.write(`All is well. By hand:\n\n${exampleCall(options)}\n`);
    return 0;
  } catch (error) {
    if (!isExplained(error)) throw error;
    stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    await takeBack().catch((error: unknown) => {
      if (!isExplained(error)) throw error;
      stderr.write(`The roles that were lent are still there. ${error.message}\n`);
    });
  }
}

function isExplained(error: unknown): error is Error {
  return (
    error instanceof SmokeFailure ||
    error instanceof ServiceUnreachable ||
    error instanceof NoToken ||
    error instanceof RolesNotLent
  );
}
