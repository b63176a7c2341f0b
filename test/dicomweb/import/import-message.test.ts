import { describe, expect, it } from '@jest/globals';
import { hostileNames } from '../../storage/contract/hostile-names.js';
import { readImportMessage } from '../../../src/dicomweb/import/import-message.js';

const account = 'https://account.blob.core.windows.net';

const gridEvent = (name: string, changes: object = {}) => ({
  id: '1',
  topic: '/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account',
  subject: `/blobServices/default/containers/import/blobs/${name}`,
  eventType: 'Microsoft.Storage.BlobCreated',
  eventTime: '2026-01-01T00:00:00Z',
  data: { api: 'PutBlob', url: `${account}/import/${encodeURI(name)}` },
  ...changes,
});

const cloudEvent = (name: string) => ({
  id: '1',
  source: '/subscriptions/s',
  specversion: '1.0',
  type: 'Microsoft.Storage.BlobCreated',
  subject: `/blobServices/default/containers/import/blobs/${name}`,
  data: { api: 'PutBlockList', url: `${account}/import/${encodeURI(name)}` },
});

describe('readImportMessage', () => {
  it.each([
    ['an event of Event Grid', gridEvent('a/b.dcm')],
    ['the same as text', JSON.stringify(gridEvent('a/b.dcm'))],
    ['a cloud event', cloudEvent('a/b.dcm')],
    ['a plain name', 'a/b.dcm'],
    ['a plain name with a line end', 'a/b.dcm\n'],
  ])('reads the name from %s', (_, message) => {
    expect(readImportMessage(message)).toEqual({ kind: 'file', name: 'a/b.dcm' });
  });

  it.each([
    'rück 1/100%.dcm',
    'a%20b.dcm',
    'a b+c.dcm',
    'what?/#1.dcm',
    "Doe^Jane's/é.dcm",
    'import/a',
    'import/import/a',
  ])('takes the name %j from the URL, decoded once', (name) => {
    const url = `${account}/import/${name.split('/').map(encodeURIComponent).join('/')}`;
    expect(readImportMessage(gridEvent(name, { data: { url } }))).toEqual({ kind: 'file', name });
  });

  it('finds the name in a URL of Azurite', () => {
    const data = { url: 'http://127.0.0.1:10000/devstoreaccount1/import/a%20b.dcm' };
    expect(readImportMessage(gridEvent('a b.dcm', { data }))).toEqual({
      kind: 'file',
      name: 'a b.dcm',
    });
  });

  it.each(hostileNames.filter((name) => name !== ''))(
    'refuses the name %j, in a message and in an event',
    (name) => {
      expect(() => readImportMessage(`x/${name}/`)).toThrow(TypeError);
      for (const spelling of new Set([name, name.replaceAll('%', '%25')])) {
        const data = { url: `${account}/import/x/${spelling}/` };
        expect(() => readImportMessage(gridEvent('a', { data }))).toThrow(TypeError);
      }
    },
  );

  it.each([
    ['of another container', `${account}/instances/a`],
    ['that leaves the container', `${account}/import/../instances/a`],
    ['with half a character', `${account}/import/%e0%a4`],
    ['without a name', `${account}/import/`],
    ['that is none', 'import/a'],
    ['that is missing', undefined],
  ])('cannot make sense of an event with a URL %s', (_, url) => {
    expect(() => readImportMessage(gridEvent('a', { data: { url } }))).toThrow(TypeError);
  });

  it.each([
    ['blobs that were deleted', { eventType: 'Microsoft.Storage.BlobDeleted' }],
    [
      'blobs of other containers',
      { subject: '/blobServices/default/containers/import-reports/blobs/a.json' },
    ],
    ['files that are created empty and flushed later', { data: { api: 'CreateFile' } }],
  ])('passes over %s', (_, changes) => {
    expect(readImportMessage(gridEvent('a', changes))).toMatchObject({ kind: 'other' });
  });

  it.each([
    ['nothing', ''],
    ['white space', ' \n'],
    ['JSON that is no event', '{"blob":"a"}'],
    ['an event without data', { ...gridEvent('a'), data: undefined }],
    ['a number', 5],
    ['no message', undefined],
  ])('cannot make sense of %s', (_, message) => {
    expect(() => readImportMessage(message)).toThrow(TypeError);
  });

  it('takes text that only looks like JSON for a name', () => {
    expect(readImportMessage('{a}.dcm')).toEqual({ kind: 'file', name: '{a}.dcm' });
    expect(readImportMessage('123')).toEqual({ kind: 'file', name: '123' });
  });
});
