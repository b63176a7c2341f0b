/**
 * Storage by managed identity, as on Azure: the service as a process, with endpoints instead of a
 * connection string, a token endpoint of the platform, and Azurite over HTTPS, which takes tokens.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { UnsecuredJWT } from 'jose';
import { startAzurite, type Azurite } from '../../src/host/local/azurite.js';
import { pathOf, sample, valueOf, type Json } from '../support/conformance.js';
import { selfSigned } from '../support/host/self-signed.js';

const root = path.join(__dirname, '../..');
const clientId = '0a0b0c0d-0000-4000-8000-000000000001';
const tenantId = '0a0b0c0d-0000-4000-8000-000000000002';

/** What the platform was asked for. */
const asked: { readonly resource: string | null; readonly clientId: string | null }[] = [];

/** The endpoint at which App Service and Functions hand out the tokens of an identity. */
async function startIdentityEndpoint(): Promise<Server> {
  const server = createServer((message, response) => {
    const { searchParams } = new URL(message.url ?? '/', 'http://localhost');
    asked.push({ resource: searchParams.get('resource'), clientId: searchParams.get('client_id') });
    const token = new UnsecuredJWT({ oid: clientId, tid: tenantId })
      .setIssuer(`https://sts.windows.net/${tenantId}/`)
      .setAudience('https://storage.azure.com')
      .setIssuedAt()
      .setNotBefore('0s')
      .setExpirationTime('1h')
      .encode();
    response.setHeader('Content-Type', 'application/json');
    const expires = Math.floor(Date.now() / 1000) + 3600;
    response.end(
      JSON.stringify({
        access_token: message.headers['x-identity-header'] === 'secret' ? token : '',
        expires_on: String(expires),
        resource: 'https://storage.azure.com',
        token_type: 'Bearer',
        client_id: clientId,
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

async function urlOf(child: ChildProcess): Promise<string> {
  let output = '';
  return await new Promise<string>((resolve, reject) => {
    const hear = (chunk: Buffer) => {
      output += chunk.toString();
      const url = /Listening on (http:\S+)/.exec(output)?.[1];
      if (url !== undefined) resolve(url);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('close', () => {
      reject(new Error(output));
    });
  });
}

describe('the service with a managed identity', () => {
  let azurite: Azurite;
  let identity: Server;
  let child: ChildProcess;
  let folder: string;
  let certificate: string;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-oauth-'));
    const certificateFile = path.join(folder, 'certificate.pem');
    const keyFile = path.join(folder, 'key.pem');
    const made = selfSigned();
    const { key } = made;
    certificate = made.certificate;
    await Promise.all([writeFile(certificateFile, certificate), writeFile(keyFile, key)]);
    azurite = await startAzurite({ tls: { certificateFile, keyFile } });
    identity = await startIdentityEndpoint();
    const { port } = identity.address() as AddressInfo;
    const runner = path.join(root, 'test/support/run-typescript.mjs');
    child = spawn(process.execPath, [runner, 'src/host/local/main.ts'], {
      cwd: root,
      env: {
        PATH: process.env['PATH'],
        PORT: '0',
        NODE_EXTRA_CA_CERTS: certificateFile,
        IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/token`,
        IDENTITY_HEADER: 'secret',
        DicomStorage__blobServiceUri: azurite.blobUrl,
        DicomStorage__tableServiceUri: azurite.tableUrl,
        DicomStorage__credential: 'managedidentity',
        DicomStorage__clientId: clientId,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    url = await urlOf(child);
  }, 60_000);

  afterAll(async () => {
    child.kill('SIGKILL');
    await azurite.stop();
    identity.close();
    identity.closeAllConnections();
    await rm(folder, { recursive: true });
  });

  it('stores, finds, retrieves and deletes without a key', async () => {
    const one = sample();
    const stored = await fetch(`${url}/studies`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/dicom' },
      body: new Uint8Array(one.file),
    });
    expect({ status: stored.status, text: await stored.text() }).toMatchObject({ status: 200 });

    const found = await fetch(`${url}/studies?StudyInstanceUID=${one.study}`);
    const [study] = (await found.json()) as readonly Json[];
    expect(valueOf(study, '0020000D')).toBe(one.study);

    const headers = { Accept: 'application/dicom' };
    const file = await fetch(url + pathOf(one), { headers });
    expect(Buffer.from(await file.arrayBuffer()).equals(one.file)).toBe(true);

    const deleted = await fetch(url + pathOf({ study: one.study }), { method: 'DELETE' });
    expect(deleted.status).toBe(204);
    expect((await fetch(url + pathOf(one), { headers })).status).toBe(404);
  });

  it('grants direct uploads with a user delegation key', async () => {
    const one = sample();
    const granted = await fetch(`${url}/uploads`, { method: 'POST' });
    const upload = (await granted.json()) as Record<'uploadUrl' | 'statusUrl', string>;
    const query = new URL(upload.uploadUrl).searchParams;
    expect(query.get('skoid')).toEqual(expect.any(String));
    expect(query.get('spr')).toBe('https');
    const ca = certificate;
    const put = request(upload.uploadUrl, {
      method: 'PUT',
      ca,
      headers: { 'x-ms-blob-type': 'BlockBlob', 'Content-Length': one.file.length },
    });
    put.end(one.file);
    const [answer] = (await once(put, 'response')) as [IncomingMessage];
    answer.resume();
    expect(answer.statusCode).toBe(201);
    const get = request(upload.uploadUrl, { ca }).end();
    const [denied] = (await once(get, 'response')) as [IncomingMessage];
    denied.resume();
    expect(denied.statusCode).toBe(403);

    const stored = await fetch(upload.statusUrl, { method: 'POST' });
    expect({ status: stored.status, text: await stored.text() }).toMatchObject({ status: 200 });
    const found = await fetch(url + pathOf(one), { headers: { Accept: 'application/dicom' } });
    expect(Buffer.from(await found.arrayBuffer()).equals(one.file)).toBe(true);
  });

  it('asked the platform for tokens for storage, in the name of the identity', () => {
    expect(asked.length).toBeGreaterThan(0);
    for (const { resource, clientId: id } of asked) {
      expect(resource).toMatch(/^https:\/\/storage\.azure\.com\/?$/);
      expect(id).toBe(clientId);
    }
  });
});
