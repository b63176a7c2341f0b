import { describe, expect, it } from '@jest/globals';
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
    expect(readImportMessage(message)).toEqual({ kind: 'file', names: ['a/b.dcm'] });
  });

  it('takes the name from the subject as it stands, and knows how else it may be meant', () => {
    expect(readImportMessage(gridEvent('rück 1/100%.dcm'))).toEqual({
      kind: 'file',
      names: ['rück 1/100%.dcm'],
    });
    expect(readImportMessage(gridEvent('a%20b.dcm'))).toEqual({
      kind: 'file',
      names: ['a%20b.dcm', 'a b.dcm'],
    });
  });

  it('finds the name in a URL of Azurite', () => {
    const data = { url: 'http://127.0.0.1:10000/devstoreaccount1/import/a%20b.dcm' };
    expect(readImportMessage(gridEvent('a b.dcm', { data }))).toEqual({
      kind: 'file',
      names: ['a b.dcm'],
    });
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
    expect(readImportMessage('{a}.dcm')).toEqual({ kind: 'file', names: ['{a}.dcm'] });
    expect(readImportMessage('123')).toEqual({ kind: 'file', names: ['123'] });
  });
});
