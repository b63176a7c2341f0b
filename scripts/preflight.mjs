/**
 * Checks, before anything is provisioned, what would otherwise fail after minutes: tools, sign-in,
 * the subscription, the region, and the parameters. Node alone, since nothing need be installed yet:
 * `npm run preflight`. Exit code 1 when something is in the way.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import process from 'node:process';

const memory = JSON.parse(readFileSync(new URL('../infra/memory.json', import.meta.url), 'utf8'));
const leastNode = [20, 19];
const providers = [
  'Microsoft.Web',
  'Microsoft.Storage',
  'Microsoft.ManagedIdentity',
  'Microsoft.OperationalInsights',
  'Microsoft.Insights',
  'Microsoft.EventGrid',
  'Microsoft.AlertsManagement',
];
const networkProviders = ['Microsoft.Network', 'Microsoft.App'];

const faults = [];
const notes = [];

/** What `az` prints, parsed; undefined when it fails. */
function az(...args) {
  try {
    // On Windows the Azure CLI is a batch file, which only a shell can run.
    const text = execFileSync('az', [...args, '-o', 'json'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    });
    return text.trim() === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function value(name, fallback) {
  const text = process.env[name]?.trim() ?? '';
  return text === '' ? fallback : text;
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  const enough = major > leastNode[0] || (major === leastNode[0] && minor >= leastNode[1]);
  if (!enough)
    faults.push(`Node ${process.versions.node} is too old: ${leastNode.join('.')} or newer.`);
}

/** That the bodies of all requests of an instance fit beside the process, as the templates count it. */
function checkBodies(whole, megabytes) {
  const requests = whole('DICOM_REQUESTS_PER_INSTANCE', 8, 1, 1000);
  const host = Math.floor((megabytes - memory.besideMiB) / (memory.timesBody * requests));
  const most = (host - memory.aboveServiceMiB) * 1024 ** 2;
  if (most <= 0) {
    faults.push(
      `${megabytes} MB hold no bodies of ${requests} requests at a time: take fewer in DICOM_REQUESTS_PER_INSTANCE.`,
    );
    return;
  }
  const asked = whole('DICOMWEB_MAX_REQUEST_BYTES', 0, 0, 64 * 1024 ** 3);
  if (asked <= most || value('DICOM_PLATFORM_AUTH', 'false') === 'true') return;
  faults.push(
    `DICOMWEB_MAX_REQUEST_BYTES is ${asked}, but ${requests} requests at a time fit into ${megabytes} MB with ${most} at most.`,
  );
}

function checkParameters() {
  const whole = (name, fallback, least, most) => {
    const text = value(name, String(fallback));
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= least && number <= most) return number;
    faults.push(`${name} must be a whole number from ${least} to ${most}, not ${text}.`);
    return fallback;
  };
  const oneOf = (name, fallback, words) => {
    const word = value(name, fallback);
    if (!words.includes(word))
      faults.push(`${name} must be one of ${words.join(', ')}, not ${word}.`);
    return word;
  };
  const megabytes = Number(oneOf('DICOM_INSTANCE_MEMORY_MB', '4096', ['2048', '4096']));
  const node = value('DICOM_NODE_VERSION');
  if (node !== undefined) oneOf('DICOM_NODE_VERSION', node, ['22', '24']);
  oneOf('DICOM_BLOB_AUDIT', 'none', ['none', 'changes', 'all']);
  const redundancies = ['LRS', 'ZRS', 'GRS', 'RAGRS', 'GZRS', 'RAGZRS'];
  const redundancy = oneOf('DICOM_REDUNDANCY', 'LRS', redundancies);
  for (const name of [
    'DICOM_VNET',
    'DICOM_ZONE_REDUNDANT',
    'DICOM_VERSIONING',
    'DICOM_PLATFORM_AUTH',
    'DICOM_DELETE_LOCK',
    'DICOMWEB_IMPORT_KEEP_FILES',
  ]) {
    oneOf(name, 'false', ['true', 'false']);
  }
  const most = whole('DICOM_MAXIMUM_INSTANCES', 100, 40, 1000);
  const ready = whole('DICOM_ALWAYS_READY', 0, 0, 1000);
  if (ready > most) faults.push('DICOM_ALWAYS_READY is more than DICOM_MAXIMUM_INSTANCES.');
  checkBodies(whole, megabytes);
  const softDelete = whole('DICOM_SOFT_DELETE_DAYS', 30, 0, 365);
  const versionDays = whole('DICOM_VERSION_DAYS', 30, 0, 99_999);
  const back = whole('DICOM_POINT_IN_TIME_DAYS', 0, 0, 364);
  const versions = value('DICOM_VERSIONING', 'true') === 'true';
  if (back > 0 && !(versions && softDelete > back && (versionDays === 0 || versionDays > back))) {
    faults.push(
      'DICOM_POINT_IN_TIME_DAYS needs DICOM_VERSIONING, and DICOM_SOFT_DELETE_DAYS and DICOM_VERSION_DAYS that are longer.',
    );
  }
  whole('DICOM_LOG_DAYS', 90, 30, 730);
  const cool = whole('DICOM_COOL_AFTER_DAYS', 0, 0, 99_999);
  const cold = whole('DICOM_COLD_AFTER_DAYS', 0, 0, 99_999);
  if (cold > 0 && cool >= cold)
    faults.push('DICOM_COLD_AFTER_DAYS must be later than DICOM_COOL_AFTER_DAYS.');
  if (value('DICOM_ZONE_REDUNDANT', 'false') === 'true' && /^(?:LRS|GRS|RAGRS)$/.test(redundancy)) {
    if (value('DICOM_REDUNDANCY') !== undefined) {
      notes.push(`The app is spread over zones, but data are ${redundancy}: in one zone.`);
    }
  }
  const clientId = value('DICOM_AUTH_CLIENT_ID');
  if (clientId !== undefined && !/^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i.test(clientId)) {
    faults.push('DICOM_AUTH_CLIENT_ID must be a GUID.');
  }
  if (value('DICOMWEB_ALLOWED_ORIGINS') === undefined) {
    notes.push(
      'DICOMWEB_ALLOWED_ORIGINS is not set: no viewer on another origin may use the service.',
    );
  }
  if (value('DICOM_ALERT_EMAILS') === undefined) {
    notes.push('DICOM_ALERT_EMAILS is not set: alerts are seen in the portal only.');
  }
}

function checkAzure() {
  if (az('version') === undefined) {
    faults.push('The Azure CLI (az) is not there: https://aka.ms/azure-cli');
    return;
  }
  const account = az('account', 'show');
  if (account === undefined) {
    faults.push('Nobody is signed in to the Azure CLI: az login');
    return;
  }
  const subscription = value('AZURE_SUBSCRIPTION_ID', account.id);
  if (subscription !== account.id) {
    notes.push(`The Azure CLI is at subscription ${account.id}, azd at ${subscription}.`);
  }
  const wanted =
    value('DICOM_VNET', 'false') === 'true' ? [...providers, ...networkProviders] : providers;
  const registered = az(
    'provider',
    'list',
    '--subscription',
    subscription,
    '--query',
    "[?registrationState=='Registered'].namespace",
  );
  if (Array.isArray(registered)) {
    const known = registered.map((name) => String(name).toLowerCase());
    for (const name of wanted.filter((provider) => !known.includes(provider.toLowerCase()))) {
      notes.push(
        `${name} is not registered; if provisioning fails: az provider register -n ${name}`,
      );
    }
  }
  const location = value('AZURE_LOCATION');
  const regions = az('functionapp', 'list-flexconsumption-locations');
  if (location !== undefined && Array.isArray(regions) && regions.length > 0) {
    const plain = (text) => text.replaceAll(' ', '').toLowerCase();
    const names = regions.map(({ name }) => plain(String(name)));
    if (!names.includes(plain(location))) {
      faults.push(`${location} has no Flex Consumption. These have: ${names.sort().join(', ')}.`);
    }
  }
}

checkNode();
checkParameters();
checkAzure();
for (const note of notes) console.log(`note: ${note}`);
for (const fault of faults) console.error(`in the way: ${fault}`);
if (faults.length === 0) console.log('Nothing is in the way of provisioning.');
process.exitCode = faults.length === 0 ? 0 : 1;
