/** Environments of azd for which the templates are built and evaluated. */

export interface Environment {
  readonly name: string;
  readonly variables: Readonly<Record<string, string>>;
  /** The environment that it must not differ from; it then has no summary of its own. */
  readonly same?: string;
  /** What it is refused with, if it must be. */
  readonly refused?: string;
}

const ofAzd = { AZURE_ENV_NAME: 'check', AZURE_LOCATION: 'northeurope' };
const clientId = '0f3e5d5b-7a52-4c49-9f0e-0d3a6c0c8f11';

/** Every variable of main.bicepparam beyond those of azd, with a value that is not its default. */
export const everyVariable: Readonly<Record<string, string>> = {
  DICOM_AUTH_CLIENT_ID: clientId,
  DICOM_AUTH_AUDIENCE: `${clientId},api://dicom`,
  DICOM_AUTH_TENANT_ID: 'c11c6f26-54b6-4a0c-b1ea-93a59a0a4a07',
  DICOM_AUTH_ISSUER: 'https://login.microsoftonline.us/c11c6f26-54b6-4a0c-b1ea-93a59a0a4a07/v2.0',
  DICOM_TESTER_ID: '33333333-3333-3333-3333-333333333333',
  DICOM_PLATFORM_AUTH: 'true',
  DICOM_VIEWER_REDIRECT_URIS: 'https://viewer.example.org/callback',
  DICOMWEB_ALLOWED_ORIGINS: 'https://viewer.example.org,https://other.example.org',
  DICOMWEB_PUBLIC_URL: 'https://dicom.example.org',
  DICOM_DATA_PARTITIONS: 'north,south',
  DICOMWEB_IMPORT_KEEP_FILES: 'true',
  DICOMWEB_MAX_REQUEST_BYTES: '33554432',
  DICOM_MORE_SETTINGS: '{"DICOMWEB_AUDIT_UIDS":false,"DICOMWEB_MAX_STORE_REQUESTS":32}',
  DICOM_INSTANCE_MEMORY_MB: '2048',
  DICOM_MAXIMUM_INSTANCES: '60',
  DICOM_REQUESTS_PER_INSTANCE: '4',
  DICOM_ALWAYS_READY: '2',
  DICOM_ZONE_REDUNDANT: 'true',
  DICOM_NODE_VERSION: '22',
  DICOM_REDUNDANCY: 'GZRS',
  DICOM_SOFT_DELETE_DAYS: '60',
  DICOM_VERSIONING: 'true',
  DICOM_VERSION_DAYS: '45',
  DICOM_POINT_IN_TIME_DAYS: '30',
  DICOM_DELETE_LOCK: 'true',
  DICOM_COOL_AFTER_DAYS: '90',
  DICOM_COLD_AFTER_DAYS: '365',
  DICOM_VNET: 'true',
  DICOM_VNET_PREFIX: '10.30.0.0/23',
  DICOM_LOG_DAYS: '365',
  DICOM_BLOB_AUDIT: 'all',
  DICOM_ALERT_EMAILS: 'a@hospital.example,b@hospital.example',
  DICOM_ALERT_FAILED_PERCENT: '10',
  DICOM_ALERT_SLOW_MS: '3000',
};

export const environments: readonly Environment[] = [
  { name: 'nothing-set', variables: ofAzd },
  {
    name: 'set-but-empty',
    variables: {
      ...ofAzd,
      ...Object.fromEntries(Object.keys(everyVariable).map((variable) => [variable, ''])),
    },
    same: 'nothing-set',
  },
  { name: 'everything-set', variables: { ...ofAzd, ...everyVariable } },
  {
    name: 'existing-registration',
    variables: { ...ofAzd, DICOM_AUTH_CLIENT_ID: clientId, DICOM_AUTH_AUDIENCE: 'api://dicom' },
  },
  {
    name: 'private-network',
    variables: {
      ...ofAzd,
      DICOM_VNET: 'true',
      DICOM_ZONE_REDUNDANT: 'true',
      DICOM_DATA_PARTITIONS: 'north,south',
    },
  },
  {
    name: 'bodies-beyond-memory',
    variables: { ...ofAzd, DICOMWEB_MAX_REQUEST_BYTES: '4294967296' },
    refused: 'maxRequestBytes is 4294967296, but 8 requests at a time fit into 4096 MB',
  },
  {
    name: 'restore-beyond-versions',
    variables: { ...ofAzd, DICOM_POINT_IN_TIME_DAYS: '30' },
    refused: 'pointInTimeDays needs versioning',
  },
];

/** Where everything is said to be, so that names are the same at each evaluation. */
export const place = {
  tenantId: '11111111-1111-1111-1111-111111111111',
  subscriptionId: '22222222-2222-2222-2222-222222222222',
  location: 'northeurope',
};
