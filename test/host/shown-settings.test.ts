/** No secret is among the settings that are told, wherever it was pasted. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { settings } from '../../src/host/config.js';
import { showSettings } from '../../src/host/shown-settings.js';
import type { Setting } from '../../src/host/settings.js';

const key = randomBytes(64).toString('base64');
const signature = randomBytes(32).toString('base64');
const encoded = encodeURIComponent(signature);
const token = ['{"alg":"RS256"}', '{"sub":"robin"}', signature]
  .map((part) => Buffer.from(part).toString('base64url'))
  .join('.');
const link = `share_${randomBytes(32).toString('base64url')}`;

/** What somebody might paste, and the part of it that nobody may see. */
const pasted: readonly (readonly [what: string, text: string, secret: string])[] = [
  [
    'a connection string with a key',
    `DefaultEndpointsProtocol=https;AccountName=clinic;AccountKey=${key};EndpointSuffix=core.windows.net`,
    key,
  ],
  [
    'a connection string with a signature',
    `BlobEndpoint=https://clinic.blob.core.windows.net;SharedAccessSignature=sv=2025-01-05&sig=${encoded}`,
    encoded,
  ],
  ['an account key', key, key],
  ['a signed URL', `https://clinic.blob.core.windows.net/import?sp=cw&sig=${encoded}`, encoded],
  ['a URL with a password', 'https://robin:hunter2@dicom.example.org', 'hunter2'],
  ['a token', token, token],
  ['a bearer token', `Bearer ${token}`, token],
  ['a link of the service', link, link],
  ['an audience with a password', 'api://robin:hunter2@archive', 'hunter2'],
];

const table: readonly Setting<unknown>[] = Object.values(settings);

describe('showSettings', () => {
  it.each(pasted)('keeps back %s, in whatever setting it stands', (_, text, secret) => {
    let accepted = 0;
    for (const { variable, parse } of table) {
      // What is no value of a setting stops the start.
      if (parse(text) === undefined) continue;
      accepted += 1;
      const shown = showSettings(settings, { [variable]: text });
      expect(JSON.stringify(shown)).not.toContain(secret);
      const one = shown.find(({ name }) => name === variable);
      expect(one).toMatchObject({ value: null, isSet: true, isSecret: true });
    }
    expect(accepted).toBeGreaterThan(0);
  });

  it('never tells a connection string, however harmless', () => {
    const secrets = showSettings(settings, {}).filter(({ isSecret }) => isSecret);
    expect(secrets.map(({ name }) => name)).toEqual(['DicomStorage']);
    const shown = showSettings(settings, { DicomStorage: 'UseDevelopmentStorage=true' });
    expect(shown.find(({ name }) => name === 'DicomStorage')?.value).toBeNull();
  });

  it('tells values that are none, as they hold', () => {
    const environment = {
      DICOMWEB_DATA_DIR: '/home/robin/projects/dicomweb-functions/.azurite',
      DICOMWEB_PUBLIC_URL: 'https://dicom.clinic.example.org/archive/',
      DICOMWEB_ALLOWED_ORIGINS: 'https://viewer.clinic.example.org, loopback',
      DicomStorage__blobServiceUri: 'https://stclinicarchive2026.blob.core.windows.net',
      DICOM_AUTH_TENANT_ID: '0f8fad5b-d9cb-469f-a165-70867728950e',
      DICOM_AUTH_AUDIENCE: '0f8fad5b-d9cb-469f-a165-70867728950e,api://dicom.example.org/archive',
      DICOMWEB_MAX_PARTS: '7',
    };
    const shown = showSettings(settings, environment);
    expect(
      Object.fromEntries(
        shown.filter(({ isSet }) => isSet).map(({ name, value }) => [name, value]),
      ),
    ).toEqual({
      ...environment,
      DICOMWEB_PUBLIC_URL: 'https://dicom.clinic.example.org/archive',
      DICOM_AUTH_AUDIENCE: '0f8fad5b-d9cb-469f-a165-70867728950e, api://dicom.example.org/archive',
      DICOMWEB_MAX_PARTS: 7,
    });
    expect(shown).toHaveLength(table.length);
  });
});
