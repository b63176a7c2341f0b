/** The check before provisioning, with an Azure CLI that says what a test wants to hear. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';

const root = path.join(__dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-preflight-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Answers {
  /** By the first words of the arguments; what is not there fails. */
  readonly [words: string]: unknown;
}

const signedIn: Answers = {
  version: {},
  'account show': { id: 'subscription-1' },
  'provider list': [
    'Microsoft.Web',
    'microsoft.storage',
    'Microsoft.ManagedIdentity',
    'Microsoft.OperationalInsights',
    'microsoft.insights',
    'Microsoft.EventGrid',
    'Microsoft.AlertsManagement',
  ],
  'functionapp list-flexconsumption-locations': [{ name: 'North Europe' }, { name: 'uksouth' }],
};

function preflight(environment: Readonly<Record<string, string>>, answers: Answers | 'no az') {
  const az = path.join(folder, 'az');
  rmSync(az, { force: true });
  if (answers !== 'no az') {
    const known = JSON.stringify(answers);
    writeFileSync(
      az,
      `#!${process.execPath}
const words = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const known = ${known};
const answer = known[words.slice(0, 2).join(' ')] ?? known[words[0]];
if (answer === undefined) process.exit(1);
console.log(JSON.stringify(answer));
`,
    );
    chmodSync(az, 0o755);
  }
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [path.join(root, 'scripts/preflight.mjs')],
    { env: { PATH: folder, ...environment }, encoding: 'utf8' },
  );
  return { status, stdout, stderr };
}

// A script stands in for `az`, which Windows would not run.
const onUnix = process.platform === 'win32' ? describe.skip : describe;

onUnix('npm run preflight', () => {
  it('finds nothing in the way of one who is signed in, and notes what is not set', () => {
    const { status, stdout, stderr } = preflight({ AZURE_LOCATION: 'northeurope' }, signedIn);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/DICOMWEB_ALLOWED_ORIGINS is not set/);
    expect(stdout).not.toMatch(/not registered/);
    expect(stdout).toMatch(/Nothing is in the way/);
  });

  it('asks for the Azure CLI', () => {
    const { status, stderr } = preflight({}, 'no az');
    expect(status).toBe(1);
    expect(stderr).toMatch(/The Azure CLI \(az\) is not there/);
  });

  it('asks to sign in', () => {
    const { status, stderr } = preflight({}, { version: {} });
    expect(status).toBe(1);
    expect(stderr).toMatch(/az login/);
  });

  it('knows the regions', () => {
    const { status, stderr } = preflight({ AZURE_LOCATION: 'antarctica' }, signedIn);
    expect(status).toBe(1);
    expect(stderr).toMatch(/antarctica has no Flex Consumption. These have: northeurope, uksouth/);
  });

  it('names providers that are not registered, those of the network if there is one', () => {
    const { stdout } = preflight({ DICOM_VNET: 'true' }, signedIn);
    expect(stdout).toMatch(/Microsoft.Network is not registered/);
    expect(stdout).toMatch(/Microsoft.App is not registered/);
  });

  it.each([
    ['DICOM_INSTANCE_MEMORY_MB', '1024', /must be one of 2048, 4096, not 1024/],
    ['DICOM_NODE_VERSION', '18', /must be one of 22, 24, not 18/],
    ['DICOM_REDUNDANCY', 'lrs', /must be one of LRS/],
    ['DICOM_VNET', 'yes', /must be one of true, false, not yes/],
    ['DICOM_MAXIMUM_INSTANCES', '10', /from 40 to 1000, not 10/],
    ['DICOM_LOG_DAYS', 'a month', /from 30 to 730, not a month/],
    ['DICOM_AUTH_CLIENT_ID', 'dicom', /must be a GUID/],
    ['DICOMWEB_MAX_REQUEST_BYTES', '59768833', /fit into 4096 MB with 59768832 at most/],
    ['DICOM_REQUESTS_PER_INSTANCE', '500', /4096 MB hold no bodies of 500 requests/],
    ['DICOM_POINT_IN_TIME_DAYS', '30', /needs DICOM_VERSIONING/],
  ])('refuses %s=%s', (name, value, message) => {
    const { status, stderr } = preflight({ [name]: value }, signedIn);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });

  it('counts the memory as the templates do, and takes empty variables for unset', () => {
    const largest = /DICOMWEB_MAX_REQUEST_BYTES=(\d+)/.exec(
      readFileSync(path.join(__dirname, 'summaries/nothing-set.txt'), 'utf8'),
    );
    const environment = { DICOMWEB_MAX_REQUEST_BYTES: largest?.[1] ?? '', DICOM_VNET: '' };
    expect(preflight(environment, signedIn)).toMatchObject({ status: 0, stderr: '' });
  });

  it('takes larger bodies behind the second lock', () => {
    const environment = { DICOMWEB_MAX_REQUEST_BYTES: '4294967296', DICOM_PLATFORM_AUTH: 'true' };
    expect(preflight(environment, signedIn)).toMatchObject({ status: 0, stderr: '' });
  });

  it('refuses to move instances to the cold tier before the cool one', () => {
    const environment = { DICOM_COOL_AFTER_DAYS: '90', DICOM_COLD_AFTER_DAYS: '30' };
    expect(preflight(environment, signedIn).stderr).toMatch(/must be later than/);
  });
});
