import { describe, expect, it } from '@jest/globals';
import { defaultLimits } from '../../src/dicomweb/limits.js';
import { readConfig, settings } from '../../src/host/config.js';

describe('readConfig', () => {
  it('has a default for everything but the storage account', () => {
    expect(readConfig({ PATH: '/bin' })).toEqual({
      storage: undefined,
      port: 7071,
      dataDirectory: '.azurite',
      publicUrl: undefined,
      trustForwardedHeaders: false,
      allowedOrigins: ['loopback'],
      logShards: 1,
      partitions: false,
      importKeepsFiles: false,
      auditUids: true,
      host: '127.0.0.1',
      auth: { kind: 'unset' },
      pixelWork: { workers: undefined, timeoutSeconds: 30 },
      limits: defaultLimits,
    });
  });

  it('treats an empty variable as unset', () => {
    expect(readConfig({ PORT: '', DicomStorage: ' ' })).toEqual(readConfig({}));
  });

  it('reads every setting', () => {
    expect(
      readConfig({
        DicomStorage: 'UseDevelopmentStorage=true',
        PORT: '80',
        DICOMWEB_DATA_DIR: 'data',
        DICOMWEB_PUBLIC_URL: 'https://dicom.example.org/api/',
        DICOMWEB_ALLOWED_ORIGINS: 'https://a.example, http://localhost:3000/',
        DICOMWEB_TRUST_FORWARDED_HEADERS: 'true',
        DICOMWEB_LOG_SHARDS: '4',
        DICOMWEB_PARTITIONS: 'True',
        DICOMWEB_IMPORT_KEEP_FILES: 'true',
        DICOMWEB_HOST: '0.0.0.0',
        DICOMWEB_AUDIT_UIDS: 'false',
        DICOM_AUTH_MODE: 'none',
        DICOMWEB_MAX_REQUEST_BYTES: '5',
        DICOMWEB_MAX_INSTANCE_BYTES: '4',
        DICOMWEB_MAX_PARTS: '3',
        DICOMWEB_UPLOADS_PER_REQUEST: '2',
        DICOMWEB_PIXEL_WORKERS: '6',
        DICOMWEB_PIXEL_TIMEOUT_SECONDS: '7',
        DICOMWEB_MAX_FRAME_BYTES: '8',
      }),
    ).toEqual({
      storage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      port: 80,
      dataDirectory: 'data',
      publicUrl: 'https://dicom.example.org/api',
      trustForwardedHeaders: true,
      allowedOrigins: ['https://a.example', 'http://localhost:3000', 'loopback'],
      logShards: 4,
      partitions: true,
      importKeepsFiles: true,
      auditUids: false,
      host: '0.0.0.0',
      auth: { kind: 'none' },
      pixelWork: { workers: 6, timeoutSeconds: 7 },
      limits: {
        ...defaultLimits,
        requestBytes: 5,
        instanceBytes: 4,
        parts: 3,
        uploadsPerRequest: 2,
        pixels: { frameBytes: 8 },
      },
    });
  });

  it('reads a storage account to be used with an identity', () => {
    const endpoints = {
      DicomStorage__blobServiceUri: 'https://a.blob.core.windows.net/',
      DicomStorage__tableServiceUri: 'https://a.table.core.windows.net',
    };
    const identity = {
      kind: 'identity',
      blobServiceUri: 'https://a.blob.core.windows.net',
      tableServiceUri: 'https://a.table.core.windows.net',
    };
    expect(readConfig(endpoints).storage).toEqual(identity);
    const queueServiceUri = 'https://a.queue.core.windows.net';
    const queues = { DicomStorage__queueServiceUri: queueServiceUri };
    expect(readConfig({ ...endpoints, ...queues }).storage).toEqual({
      ...identity,
      queueServiceUri,
    });
    const user = { DicomStorage__credential: 'managedidentity', DicomStorage__clientId: 'id' };
    expect(readConfig({ ...endpoints, ...user }).storage).toEqual({ ...identity, clientId: 'id' });
    expect(() =>
      readConfig({ DicomStorage__blobServiceUri: 'https://a.blob.core.windows.net' }),
    ).toThrow(/DicomStorage__tableServiceUri/);
  });

  it.each([
    ['PORT', 'seven'],
    ['PORT', '65536'],
    ['DICOMWEB_PUBLIC_URL', 'dicom.example.org'],
    ['DICOMWEB_PUBLIC_URL', 'ftp://dicom.example.org'],
    ['DICOMWEB_PUBLIC_URL', 'https://dicom.example.org/?x=1'],
    ['DICOMWEB_ALLOWED_ORIGINS', 'viewer.example.org'],
    ['DICOMWEB_ALLOWED_ORIGINS', 'https://a.example, *'],
    ['DICOMWEB_PARTITIONS', 'yes'],
    ['DICOM_AUTH_MODE', 'off'],
    ['DICOM_AUTH_TENANT_ID', 'common'],
    ['DICOM_AUTH_AUDIENCE', 'dicom'],
    ['DICOM_AUTH_AUDIENCE', 'api://dicom,'],
    ['DICOMWEB_HOST', 'localhost'],
    ['DICOMWEB_MAX_REQUEST_BYTES', '4GB'],
    ['DICOMWEB_MAX_PARTS', '0'],
    ['DicomStorage__credential', 'clientsecret'],
  ])('refuses %s=%s and names it', (variable, value) => {
    expect(() => readConfig({ [variable]: value })).toThrow(`The setting ${variable} must be`);
  });

  it('refuses a setting that does not exist', () => {
    expect(() => readConfig({ DICOMWEB_ALLOWED_ORIGIN: '*' })).toThrow(
      'There is no setting DICOMWEB_ALLOWED_ORIGIN.',
    );
  });

  it.each([
    ['on a dedicated plan', { WEBSITE_INSTANCE_ID: 'f00' }],
    ['on Flex Consumption', { LEGION_SERVICE_HOST: 'legion', WEBSITE_POD_NAME: 'pod' }],
    ['on Linux Consumption', { WEBSITE_SITE_NAME: 'dicom', CONTAINER_NAME: 'F00' }],
    ['in a container app', { CONTAINER_APP_NAME: 'dicom' }],
    ['in a Functions host that is not Core Tools', { FUNCTIONS_WORKER_RUNTIME: 'node' }],
    [
      'in Azure with the mark of Core Tools',
      { WEBSITE_SKU: 'FlexConsumption', FUNCTIONS_CORETOOLS_ENVIRONMENT: 'true' },
    ],
  ])('refuses to be open %s', (_, marks) => {
    const environment = { DICOM_AUTH_MODE: 'none', ...marks };
    expect(() => readConfig(environment)).toThrow('DICOM_AUTH_MODE must not be none in Azure');
    expect(readConfig(marks as Record<string, string>).auth).toEqual({ kind: 'unset' });
  });

  it('may be open in a container of another kind', () => {
    const environment = { DICOM_AUTH_MODE: 'none', CONTAINER_NAME: 'build' };
    expect(readConfig(environment).auth).toEqual({ kind: 'none' });
  });

  it('may be open in Core Tools', () => {
    const marks = { FUNCTIONS_WORKER_RUNTIME: 'node', FUNCTIONS_CORETOOLS_ENVIRONMENT: 'True' };
    expect(readConfig({ ...marks, DICOM_AUTH_MODE: 'none' }).auth).toEqual({ kind: 'none' });
  });

  it('reads whose tokens are taken, and for whom', () => {
    const tenantId = '11111111-2222-3333-4444-555555555555';
    const tokens = {
      DICOM_AUTH_TENANT_ID: tenantId,
      DICOM_AUTH_AUDIENCE: 'api://dicom, AAAAAAAA-2222-3333-4444-555555555555',
    };
    const auth = {
      kind: 'tokens',
      tenantId,
      audiences: ['api://dicom', 'AAAAAAAA-2222-3333-4444-555555555555'],
      issuer: `https://login.microsoftonline.com/${tenantId}/v2.0`,
    };
    expect(readConfig(tokens).auth).toEqual(auth);
    const issuer = `https://login.partner.microsoftonline.cn/${tenantId}/v2.0`;
    expect(readConfig({ ...tokens, DICOM_AUTH_ISSUER: `${issuer}/` }).auth).toEqual({
      ...auth,
      issuer,
    });
    expect(readConfig({ ...tokens, DICOM_AUTH_ISSUER: 'http://127.0.0.1:1/x' }).auth).toMatchObject(
      { issuer: 'http://127.0.0.1:1/x' },
    );
  });

  it.each([
    ['a tenant without an audience', { DICOM_AUTH_TENANT_ID: '1' }, 'must be given together'],
    ['an audience without a tenant', { DICOM_AUTH_AUDIENCE: 'api://x' }, 'must be given together'],
    ['an issuer alone', { DICOM_AUTH_ISSUER: 'https://i.example' }, 'must be given together'],
    [
      'keys over plain http',
      {
        DICOM_AUTH_TENANT_ID: '1',
        DICOM_AUTH_AUDIENCE: 'api://x',
        DICOM_AUTH_ISSUER: 'http://i.example',
      },
      'must be an https URL',
    ],
    [
      'tokens and none at once',
      { DICOM_AUTH_TENANT_ID: '1', DICOM_AUTH_AUDIENCE: 'api://x', DICOM_AUTH_MODE: 'none' },
      'must not be none where',
    ],
  ])('refuses %s', (_, environment: Record<string, string>, message) => {
    const tenant = environment['DICOM_AUTH_TENANT_ID'] !== undefined && {
      DICOM_AUTH_TENANT_ID: '11111111-2222-3333-4444-555555555555',
    };
    expect(() => readConfig({ ...environment, ...tenant })).toThrow(message);
  });
});

describe('settings', () => {
  it('have a name and a description each', () => {
    const rows = Object.values(settings);
    expect(new Set(rows.map(({ variable }) => variable)).size).toBe(rows.length);
    for (const { description } of rows) expect(description).toMatch(/^\S.*\.$/);
  });
});
