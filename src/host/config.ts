/** The configuration of the process: the one reader of the environment, and THE table of settings. */
import { defaultLimits, type Limits } from '../dicomweb/limits.js';
import type { ShareSettings } from '../dicomweb/services.js';
import { mostLogShards } from '../storage/archive/log/sequence.js';
import { mostShareDays } from '../storage/share-registry.js';
import { loopbackOrigins, type CorsConfig } from '../http/cors.js';
import type { ShownSetting } from '../dicomweb/administration/configuration.js';
import { readAuthSettings, type AuthSettings } from './auth-settings.js';
import {
  audiences,
  connectionString,
  flag,
  guid,
  oneOf,
  origins,
  readSettings,
  SettingError,
  text,
  url,
  wholeNumber,
  type Setting,
  type SettingValues,
} from './settings.js';
import { showSettings } from './shown-settings.js';

/** Where data lives: a storage account by connection string or by identity. */
export type StorageSettings =
  | { readonly kind: 'connection-string'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      readonly blobServiceUri: string;
      readonly tableServiceUri: string;
      /** Where imports are queued; without it none are. */
      readonly queueServiceUri?: string;
      /** Of a user-assigned identity. */
      readonly clientId?: string;
    };

/** The threads that work on pixels. */
export interface PixelWorkSettings {
  /** `undefined`: as many as the machine suggests. */
  readonly workers: number | undefined;
  readonly timeoutSeconds: number;
}

/** Enough for as many function instances as the templates allow (docs/scale.md). */
export const deployedLogShards = 16;
const largestBody = 64 * 1024 ** 3;

function limit(
  variable: string,
  description: string,
  { fallback, most }: { readonly fallback: number; readonly most: number },
): Setting<number> {
  return wholeNumber({ variable, description, fallback }, 1, most);
}

/** THE table of settings: an environment variable each, an app setting in Azure. */
export const settings = {
  connectionString: connectionString({
    variable: 'DicomStorage',
    description:
      'Connection string of the storage account. `UseDevelopmentStorage=true` means Azurite on its usual ports. Unset, the local server starts an Azurite of its own.',
    fallback: undefined,
  }),
  blobServiceUri: url({
    variable: 'DicomStorage__blobServiceUri',
    description: 'Blob endpoint of the storage account, to be used with an identity.',
    fallback: undefined,
  }),
  tableServiceUri: url({
    variable: 'DicomStorage__tableServiceUri',
    description: 'Table endpoint of the storage account, to be used with an identity.',
    fallback: undefined,
  }),
  queueServiceUri: url({
    variable: 'DicomStorage__queueServiceUri',
    description:
      'Queue endpoint of the storage account, to be used with an identity: where uploads to the container `import` are announced.',
    fallback: undefined,
  }),
  credential: oneOf(
    {
      variable: 'DicomStorage__credential',
      description: 'How to sign in to storage; only managed identities are supported.',
      fallback: undefined,
    },
    ['managedidentity'],
  ),
  clientId: text({
    variable: 'DicomStorage__clientId',
    description: 'Client id of the user-assigned managed identity.',
    fallback: undefined,
  }),
  port: wholeNumber(
    { variable: 'PORT', description: 'Port of the local server.', fallback: 7071 },
    0,
    65_535,
  ),
  host: oneOf(
    {
      variable: 'DICOMWEB_HOST',
      description:
        'Address on which the local server listens; `0.0.0.0` is every one of the machine, and then tokens are asked for.',
      fallback: '127.0.0.1',
    },
    ['127.0.0.1', '0.0.0.0'],
  ),
  dataDirectory: text({
    variable: 'DICOMWEB_DATA_DIR',
    description: 'Where the Azurite of the local server keeps its data.',
    fallback: '.azurite',
  }),
  publicUrl: url({
    variable: 'DICOMWEB_PUBLIC_URL',
    description:
      'URL under which clients reach the service, for links in responses. Unset, it is taken from each request.',
    fallback: undefined,
  }),
  allowedOrigins: origins({
    variable: 'DICOMWEB_ALLOWED_ORIGINS',
    description:
      'Origins of the web pages that may use the service (CORS), separated by commas, or `*`; `loopback` stands for the pages of this machine. Unset, every page may where tokens are asked for, and pages of this machine where not.',
    fallback: undefined,
  }),
  trustForwardedHeaders: flag({
    variable: 'DICOMWEB_TRUST_FORWARDED_HEADERS',
    description:
      'Whether the proxy in front sets `X-Forwarded-Host`, `-Proto`, `-Port`, `X-Original-Host` or `Forwarded`, so that links in responses follow them. Anyone could, where no proxy does.',
    fallback: false,
  }),
  logShards: wholeNumber(
    {
      variable: 'DICOMWEB_LOG_SHARDS',
      description:
        'Shards of the change log, so that processes that store do not wait for each other. A log grows and never shrinks. Unset, 16 where storage is used with an identity, and 1 otherwise.',
      fallback: undefined,
    },
    1,
    mostLogShards,
  ),
  partitions: flag({
    variable: 'DICOMWEB_PARTITIONS',
    description: 'Whether data partitions may be addressed.',
    fallback: false,
  }),
  auditUids: flag({
    variable: 'DICOMWEB_AUDIT_UIDS',
    description: 'Whether the log tells the UIDs of what a request concerns.',
    fallback: true,
  }),
  importKeepsFiles: flag({
    variable: 'DICOMWEB_IMPORT_KEEP_FILES',
    description:
      'Whether imported and refused files stay in the container `import`; otherwise they leave it.',
    fallback: false,
  }),
  authMode: oneOf(
    {
      variable: 'DICOM_AUTH_MODE',
      description:
        '`none` lets everyone do everything; refused in Azure, and where others than this machine can connect.',
      fallback: undefined,
    },
    ['none'],
  ),
  authTenantId: guid({
    variable: 'DICOM_AUTH_TENANT_ID',
    description: 'The tenant of Entra ID whose tokens are taken.',
    fallback: undefined,
  }),
  authAudience: audiences({
    variable: 'DICOM_AUTH_AUDIENCE',
    description:
      'Whom tokens must have been made for: the client id of this service or its application id URIs.',
    fallback: undefined,
  }),
  authIssuer: url({
    variable: 'DICOM_AUTH_ISSUER',
    description:
      'Issuer of the tokens in other clouds than the public one; its `/.well-known/openid-configuration` names the keys.',
    fallback: undefined,
  }),
  maxRequestBytes: limit('DICOMWEB_MAX_REQUEST_BYTES', 'Bytes of one request body.', {
    fallback: defaultLimits.requestBytes,
    most: largestBody,
  }),
  maxInstanceBytes: limit('DICOMWEB_MAX_INSTANCE_BYTES', 'Bytes of one instance in a request.', {
    fallback: defaultLimits.instanceBytes,
    most: largestBody,
  }),
  maxParts: limit('DICOMWEB_MAX_PARTS', 'Parts of one multipart request.', {
    fallback: defaultLimits.parts,
    most: 1_000_000,
  }),
  maxStoreRequests: limit(
    'DICOMWEB_MAX_STORE_REQUESTS',
    'Store requests that one process serves at the same time; further ones are answered 503.',
    { fallback: defaultLimits.storeRequests, most: 10_000 },
  ),
  maxHeldHeaderBytes: limit(
    'DICOMWEB_MAX_HELD_HEADER_BYTES',
    'Bytes of headers that one process holds at the same time; further store requests are answered 503.',
    { fallback: defaultLimits.heldHeaderBytes, most: 16 * 1024 ** 3 },
  ),
  uploadsPerRequest: limit(
    'DICOMWEB_UPLOADS_PER_REQUEST',
    'Instances of one request that are on their way to storage at the same time.',
    { fallback: defaultLimits.uploadsPerRequest, most: 64 },
  ),
  uploadMinutes: limit(
    'DICOMWEB_UPLOAD_MINUTES',
    'Minutes that a client has for a direct upload (`POST /uploads`).',
    { fallback: defaultLimits.uploadMinutes, most: 24 * 60 },
  ),
  shares: flag({
    variable: 'DICOMWEB_SHARES',
    description:
      'Whether studies and series can be shared by links that work without an account, until they expire or are withdrawn.',
    fallback: false,
  }),
  shareDays: limit('DICOMWEB_SHARE_DAYS', 'Days that a link works where its maker names none.', {
    fallback: 7,
    most: mostShareDays,
  }),
  maxHeaderBytes: limit(
    'DICOMWEB_MAX_HEADER_BYTES',
    'Bytes of an instance that are held in memory: all but pixel data and other bulk values.',
    { fallback: defaultLimits.part10.headerBytes, most: 1024 ** 3 },
  ),
  maxNestingDepth: limit('DICOMWEB_MAX_NESTING_DEPTH', 'Sequences within each other.', {
    fallback: defaultLimits.part10.nestingDepth,
    most: 256,
  }),
  maxElements: limit('DICOMWEB_MAX_ELEMENTS', 'Elements and items of one instance.', {
    fallback: defaultLimits.part10.elements,
    most: 100_000_000,
  }),
  maxValues: limit(
    'DICOMWEB_MAX_VALUES',
    'Values of one instance that are held in memory: of text and numbers.',
    { fallback: defaultLimits.part10.values, most: 100_000_000 },
  ),
  maxFragments: limit('DICOMWEB_MAX_FRAGMENTS', 'Fragments of compressed frames of one instance.', {
    fallback: defaultLimits.part10.fragments,
    most: 100_000_000,
  }),
  maxInflatedBytes: limit(
    'DICOMWEB_MAX_INFLATED_BYTES',
    'Bytes of a deflated instance when it is inflated.',
    { fallback: defaultLimits.part10.inflatedBytes, most: largestBody },
  ),
  maxFrameBytes: limit(
    'DICOMWEB_MAX_FRAME_BYTES',
    'Bytes of one frame that is decoded, to be rendered or sent in another transfer syntax.',
    { fallback: defaultLimits.pixels.frameBytes, most: 1024 ** 3 },
  ),
  pixelWorkers: wholeNumber(
    {
      variable: 'DICOMWEB_PIXEL_WORKERS',
      description:
        'Threads that decode, encode and render. Unset, one less than there are cores, at least 1 and at most 2.',
      fallback: undefined,
    },
    1,
    64,
  ),
  pixelTimeoutSeconds: limit(
    'DICOMWEB_PIXEL_TIMEOUT_SECONDS',
    'Seconds that the work on one frame or picture may take; it is then given up.',
    { fallback: 30, most: 600 },
  ),
};

type Values = SettingValues<typeof settings>;

export interface Config extends Pick<
  Values,
  | 'port'
  | 'dataDirectory'
  | 'publicUrl'
  | 'trustForwardedHeaders'
  | 'partitions'
  | 'importKeepsFiles'
  | 'auditUids'
  | 'host'
> {
  readonly auth: AuthSettings;
  readonly allowedOrigins: CorsConfig['allowedOrigins'];
  /** `undefined` when no storage account is named. */
  readonly storage: StorageSettings | undefined;
  readonly logShards: number;
  readonly limits: Limits;
  readonly pixelWork: PixelWorkSettings;
  /** `undefined` where links are switched off. */
  readonly shares: ShareSettings | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What the scripts read (`npm run sample` and so on); exported in a shell it is no slip. */
const ofScripts: readonly string[] = ['DICOMWEB_URL', 'DICOMWEB_TOKEN'];

/** A name like these that the table lacks is a slip of the pen, and worse when it passes unnoticed. */
const ours = /^(DICOMWEB_|DicomStorage|DICOM_AUTH_)/i;

function refuseUnknown(environment: Environment): void {
  const known = Object.values(settings).map(({ variable }) => variable);
  const unknown = Object.keys(environment).find(
    (name) => ours.test(name) && !known.includes(name) && !ofScripts.includes(name),
  );
  if (unknown === undefined) return;
  throw new SettingError(`There is no setting ${unknown}. The settings are: ${known.join(', ')}.`);
}

function storageOf(values: Values): StorageSettings | undefined {
  const { connectionString, blobServiceUri, tableServiceUri, queueServiceUri, clientId } = values;
  if (connectionString !== undefined) return { kind: 'connection-string', connectionString };
  if (blobServiceUri !== undefined && tableServiceUri !== undefined) {
    return {
      kind: 'identity',
      blobServiceUri,
      tableServiceUri,
      ...(queueServiceUri !== undefined && { queueServiceUri }),
      ...(clientId !== undefined && { clientId }),
    };
  }
  if (blobServiceUri !== undefined || tableServiceUri !== undefined) {
    throw new SettingError(
      'The settings DicomStorage__blobServiceUri and DicomStorage__tableServiceUri must be given together.',
    );
  }
  return undefined;
}

/** Whose pages may call: without tokens a page needs no more than the browser it is open in. */
function originsFor(
  named: Values['allowedOrigins'],
  { kind }: AuthSettings,
): CorsConfig['allowedOrigins'] {
  if (kind === 'tokens') return named ?? '*';
  return named === '*' ? named : [...(named ?? []), loopbackOrigins];
}

/**
 * Reads the configuration from environment variables.
 *
 * @throws SettingError naming the setting that is unknown, malformed or not allowed here.
 */
export function readConfig(environment: Environment): Config {
  refuseUnknown(environment);
  const values = readSettings(settings, environment);
  const auth = readAuthSettings(values, environment);
  const storage = storageOf(values);
  return {
    storage,
    logShards: values.logShards ?? (storage?.kind === 'identity' ? deployedLogShards : 1),
    port: values.port,
    dataDirectory: values.dataDirectory,
    publicUrl: values.publicUrl,
    trustForwardedHeaders: values.trustForwardedHeaders,
    allowedOrigins: originsFor(values.allowedOrigins, auth),
    partitions: values.partitions,
    importKeepsFiles: values.importKeepsFiles,
    auditUids: values.auditUids,
    host: values.host,
    auth,
    shares: values.shares ? { defaultDays: values.shareDays } : undefined,
    pixelWork: { workers: values.pixelWorkers, timeoutSeconds: values.pixelTimeoutSeconds },
    limits: {
      requestBytes: values.maxRequestBytes,
      instanceBytes: values.maxInstanceBytes,
      parts: values.maxParts,
      storeRequests: values.maxStoreRequests,
      heldHeaderBytes: values.maxHeldHeaderBytes,
      uploadsPerRequest: values.uploadsPerRequest,
      uploadMinutes: values.uploadMinutes,
      part10: {
        headerBytes: values.maxHeaderBytes,
        nestingDepth: values.maxNestingDepth,
        elements: values.maxElements,
        values: values.maxValues,
        fragments: values.maxFragments,
        inflatedBytes: values.maxInflatedBytes,
      },
      pixels: { frameBytes: values.maxFrameBytes },
    },
  };
}

/** The settings of this process as they may be told. @throws SettingError */
export function loadShownSettings(): readonly ShownSetting[] {
  return showSettings(settings, process.env);
}

/** The configuration of this process. @throws SettingError */
export function loadConfig(): Config {
  return readConfig(process.env);
}
