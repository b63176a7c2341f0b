/**
 * What the request path is compared with: a server on the storage SDKs alone that makes the calls of
 * ours and pipes. It checks nothing, reads no DICOM and knows one URL form, so that no server on these
 * SDKs gets much below what it takes. As a process: `DicomStorage` names the account.
 *
 * Who calls it helps: `X-Instances` names the UIDs of the files in a store, `bytes` in a query the range
 * of a frame, and what it answers to a study's metadata and to unknown paths is told by `PUT`.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { odata, TableClient, type TransactionAction } from '@azure/data-tables';
import { BlobServiceClient } from '@azure/storage-blob';
import type { AddressInfo } from 'node:net';

const connectionString = process.env['DicomStorage'] ?? '';
const container =
  BlobServiceClient.fromConnectionString(connectionString).getContainerClient('reference');
const tables = TableClient.fromConnectionString(connectionString, 'reference', {
  allowInsecureConnection: true,
});

/** As large as the rows of ours. */
const metadataBytes = Buffer.alloc(1500, 7);
const indexBytes = Buffer.alloc(300, 7);
const attributes = 'a'.repeat(1500);
const filesAhead = 8;
const boundary = 'reference-boundary';
const partHead = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
const partTail = `\r\n--${boundary}--\r\n`;
const multipart = {
  'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
};
const etag = '"reference"';

interface Uids {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}

/** What is answered without a look at storage, or after one at the row of the study. */
let canned = new Map<string, { status: number; headers: Record<string, string>; body: Buffer }>();

function studyRow(study: string) {
  return { partitionKey: study, rowKey: '0', attributes, state: attributes };
}

function rowKeyOf({ series, instance }: Uids): string {
  return `2|${series}|${instance}`;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The files of a multipart body whose boundary no file contains. */
function partsOf(body: Buffer): readonly Buffer[] {
  const line = body.subarray(0, body.indexOf('\r\n'));
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const start = body.indexOf('\r\n\r\n', at) + 4;
    const end = body.indexOf(line, start);
    if (start === 3 || end < 0) return parts;
    parts.push(body.subarray(start, end - 2));
    at = end;
  }
}

async function store(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const all = String(request.headers['x-instances'])
    .split(' ')
    .map((text): Uids => {
      const [study = '', series = '', instance = ''] = text.split('/');
      return { study, series, instance };
    });
  const files = partsOf(await bodyOf(request));
  await Promise.all(
    all.map(async ({ instance }, n) => {
      const file = files[n] ?? Buffer.alloc(0);
      await container.getBlockBlobClient(instance).upload(file, file.length);
    }),
  );
  const { study = '', series = '' } = all[0] ?? {};
  await tables.submitTransaction([
    ...all.map((uids): TransactionAction => {
      return ['create', { partitionKey: 'log', rowKey: uids.instance, ...uids, state: 'pending' }];
    }),
    ['upsert', { partitionKey: 'log', rowKey: 'tail', next: 1 }, 'Replace'],
  ]);
  await Promise.all(
    all.map(async (uids) => {
      await tables.createEntity({ partitionKey: `index|${uids.instance}`, rowKey: uids.instance });
    }),
  );
  await tables.submitTransaction([
    ['upsert', studyRow(study), 'Replace'],
    ['upsert', { ...studyRow(study), rowKey: `1|${series}` }, 'Replace'],
    ...all.map((uids, n): TransactionAction => {
      const length = files[n]?.length ?? 0;
      const row = { partitionKey: study, rowKey: rowKeyOf(uids), length };
      return ['create', { ...row, metadata: metadataBytes, index: indexBytes }];
    }),
  ]);
  await tables.upsertEntity({ ...studyRow('newest'), rowKey: study }, 'Replace');
  response.writeHead(200, { 'Content-Type': 'application/dicom+json' });
  response.end(JSON.stringify({ '00081199': { vr: 'SQ', Value: all } }));
}

/** Sends a body, after which the response stays open. */
async function piped(body: NodeJS.ReadableStream, response: ServerResponse): Promise<void> {
  body.pipe(response, { end: false });
  await once(body, 'end');
}

async function sendInstance(response: ServerResponse, uids: Uids, bytes: string | null) {
  const properties = bytes === null ? ['length'] : ['length', 'index'];
  await tables.getEntity(uids.study, rowKeyOf(uids), { queryOptions: { select: properties } });
  const [offset = 0, length] = bytes?.split('-').map(Number) ?? [];
  const file = await container.getBlobClient(uids.instance).download(offset, length);
  if (file.readableStreamBody === undefined) throw new Error('no body');
  response.writeHead(200, multipart);
  response.write(partHead);
  await piped(file.readableStreamBody, response);
  response.end(partTail);
}

async function sendStudy(response: ServerResponse, study: string): Promise<void> {
  const filter = odata`PartitionKey eq ${study} and RowKey ge ${'2|'} and RowKey lt ${'2}'}`;
  const names: string[] = [];
  const queryOptions = { filter, select: ['RowKey', 'length'] };
  for await (const row of tables.listEntities({ queryOptions })) {
    names.push(row.rowKey?.split('|')[2] ?? '');
  }
  const open = async (name: string) =>
    (await container.getBlobClient(name).download()).readableStreamBody;
  const ahead = names.slice(0, filesAhead).map(open);
  response.writeHead(200, multipart);
  for (let n = 0; n < names.length; n++) {
    const file = await ahead.shift();
    const next = names[n + filesAhead];
    if (next !== undefined) ahead.push(open(next));
    if (file === undefined) throw new Error('no body');
    response.write(n === 0 ? partHead : `\r\n${partHead}`);
    await piped(file, response);
  }
  response.end(partTail);
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const [, , study = '', , series = '', , instance = ''] = url.pathname.split('/');
  if (request.method === 'POST') {
    await store(request, response);
    return;
  }
  if (request.method === 'PUT') {
    const { status, headers } = JSON.parse(String(request.headers['x-answer'])) as {
      readonly status: number;
      readonly headers: Record<string, string>;
    };
    canned.set(url.pathname, { status, headers, body: await bodyOf(request) });
    response.end();
    return;
  }
  const known = canned.get(url.pathname);
  if (known !== undefined) {
    if (url.pathname.endsWith('/metadata')) await tables.getEntity(study, '0');
    if (request.headers['if-none-match'] === etag) {
      response.writeHead(304, { ETag: etag }).end();
      return;
    }
    response.writeHead(known.status, { ...known.headers, 'Content-Length': known.body.length });
    response.end(known.body);
    return;
  }
  if (instance === '') await sendStudy(response, study);
  else await sendInstance(response, { study, series, instance }, url.searchParams.get('bytes'));
}

async function main(): Promise<void> {
  await container.createIfNotExists();
  await tables.createTable();
  canned = new Map();
  // As ours, so that the connections of an idle client stay.
  const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    console.log(`Listening on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  process.once('SIGTERM', () => process.exit(0));
}

void main();
