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
      allowedOrigins: '*',
      partitions: false,
      importKeepsFiles: false,
      authMode: undefined,
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
        DICOMWEB_PARTITIONS: 'True',
        DICOMWEB_IMPORT_KEEP_FILES: 'true',
        DICOM_AUTH_MODE: 'none',
        DICOMWEB_MAX_REQUEST_BYTES: '5',
        DICOMWEB_MAX_INSTANCE_BYTES: '4',
        DICOMWEB_MAX_PARTS: '3',
        DICOMWEB_UPLOADS_PER_REQUEST: '2',
      }),
    ).toEqual({
      storage: { kind: 'connection-string', connectionString: 'UseDevelopmentStorage=true' },
      port: 80,
      dataDirectory: 'data',
      publicUrl: 'https://dicom.example.org/api',
      allowedOrigins: ['https://a.example', 'http://localhost:3000'],
      partitions: true,
      importKeepsFiles: true,
      authMode: 'none',
      limits: {
        ...defaultLimits,
        requestBytes: 5,
        instanceBytes: 4,
        parts: 3,
        uploadsPerRequest: 2,
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

  it('refuses to be open in Azure', () => {
    const environment = { DICOM_AUTH_MODE: 'none', WEBSITE_INSTANCE_ID: 'f00' };
    expect(() => readConfig(environment)).toThrow('DICOM_AUTH_MODE must not be none in Azure');
  });
});

describe('settings', () => {
  it('have a name and a description each', () => {
    const rows = Object.values(settings);
    expect(new Set(rows.map(({ variable }) => variable)).size).toBe(rows.length);
    for (const { description } of rows) expect(description).toMatch(/^\S.*\.$/);
  });
});
