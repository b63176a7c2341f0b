/** Requests that claim to be what they are not: pages, proxies, hosts, senders of events. */
import { gzipSync } from 'node:zlib';
import { sampleInstance } from '../../support/part10-builder.js';
import type { FileCase } from './files.js';
import type { Answer, ImportRequest, PlainRequest, RawRequest } from './case.js';

const foreign = 'evil.example';

function letIn({ statuses }: Answer): string | undefined {
  return statuses.some((status) => status >= 200 && status < 300) ? 'let in' : undefined;
}

function namesForeign({ statuses, text }: Answer): string | undefined {
  const isAnswered = statuses.some((status) => status >= 200 && status < 300);
  return isAnswered && text.toLowerCase().includes(foreign) ? 'a foreign host in links' : undefined;
}

/** Pages of strangers, and names that were made to point here; none may store or delete. */
export function foreignPages(one: FileCase): PlainRequest {
  const { random, uids } = one;
  const write = random.pick<Pick<PlainRequest, 'method' | 'path' | 'body'>>([
    { method: 'POST', path: '/studies', body: sampleInstance(uids) },
    { method: 'PUT', path: '/v2/studies', body: sampleInstance(uids) },
    { method: 'POST', path: `/studies/${uids.study}`, body: sampleInstance(uids) },
    { method: 'DELETE', path: `/studies/${uids.study}` },
  ]);
  const headers = random.pick<Readonly<Record<string, string>>>([
    { Host: foreign },
    { Host: `${foreign}:80`, Origin: `http://${foreign}:80` },
    { Host: 'localhost.evil.example', Origin: 'http://localhost' },
    { Host: '127.0.0.1.nip.io' },
    { Host: '127.1' },
    { Host: '2130706433' },
    { Host: '[::ffff:127.0.0.1]' },
    { Host: 'localhost@evil.example' },
    { Host: 'localhost:7071/openapi.json#' },
    { Origin: `https://${foreign}` },
    { Origin: 'null' },
    { Origin: 'file://' },
    { Origin: 'http://localhost.evil.example' },
    { Origin: 'http://127.0.0.1.evil.example:7071' },
    { Origin: 'http://localhost@evil.example' },
    { Origin: 'http://localhost, https://evil.example' },
    { Origin: '' },
  ]);
  const read = random.oneIn(3) && 'Host' in headers;
  return {
    ...(read ? { method: 'GET', path: random.pick(['/studies', '/changefeed']) } : write),
    headers: { 'Content-Type': 'application/dicom', ...headers },
    judge: letIn,
  };
}

/** Headers that a host or a proxy sets, odd framing, and heads as large as they may be and larger. */
export function forgedHeaders(one: FileCase): RawRequest {
  const { random, uids } = one;
  const lines = [
    'x-ms-invocation-id: 00000000-0000-0000-0000-000000000000',
    'x-ms-invocation-id: a\r\nx-ms-invocation-id: b',
    `X-Forwarded-Host: ${foreign}`,
    `X-Forwarded-Host: ${foreign}\r\nX-Forwarded-Proto: javascript\r\nX-Forwarded-Port: 1`,
    `X-Original-Host: ${foreign}`,
    `Forwarded: host=${foreign};proto=https`,
    `X-Original-URL: /studies/1.2\r\nX-Rewrite-URL: /changefeed`,
    'X-HTTP-Method-Override: DELETE',
    'X-MS-CLIENT-PRINCIPAL: e30=\r\nX-MS-CLIENT-PRINCIPAL-ID: admin',
    'Expect: 100-continue',
    'Expect: 100-continue\r\nExpect: nothing',
    'Expect: \u00e9',
    'TE: trailers, chunked;q=0',
    'Trailer: Content-Length',
    `X-MS-AZUREDICOM-AUDIT-a: ${'x'.repeat(random.pick([2048, 2049]))}`,
    Array.from({ length: 11 }, (_, at) => `X-MS-AZUREDICOM-AUDIT-${at}: x`).join('\r\n'),
    Array.from({ length: random.pick([100, 1900]) }, (_, at) => `X-${at}: 1`).join('\r\n'),
    `Cookie: ${'a=b; '.repeat(random.pick([100, 3000, 30_000]))}`,
    `Accept: ${'image/png;q=0.1,'.repeat(random.pick([100, 900]))}`,
    `Range: bytes=${'0-1,'.repeat(random.pick([100, 3500]))}`,
    `If-None-Match: ${'"a",'.repeat(3500)}`,
    `Authorization: Bearer ${'a.'.repeat(random.pick([10, 7000]))}`,
    'Content-Encoding: gzip, gzip, gzip, gzip',
    'traceparent: 00-00000000000000000000000000000000-0000000000000000-00',
  ] as const;
  const line = random.pick(lines);
  const body = random.oneIn(2) ? sampleInstance(uids) : undefined;
  const framing = random.pick([
    `Content-Length: ${body?.length ?? 0}`,
    `Content-Length: ${body?.length ?? 0}`,
    'Transfer-Encoding: gzip, chunked',
    'Transfer-Encoding: chunked, chunked',
    'Transfer-Encoding: CHUNKED',
    'Transfer-Encoding: identity',
    'Transfer-Encoding: gzip',
  ]);
  const head = [
    body === undefined
      ? `GET ${random.pick(['/studies?limit=1', '/capabilities', `/studies/${uids.study}`])} HTTP/1.1`
      : 'POST /studies HTTP/1.1',
    'Host: localhost',
    ...(body === undefined
      ? []
      : ['Content-Type: application/dicom', 'Accept: application/dicom+json', framing]),
    line,
    'Connection: close',
  ];
  return {
    raw: Buffer.concat([
      Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'),
      body ?? Buffer.alloc(0),
    ]),
    // A server may tell the client to go on, and answers after that.
    mostAnswers: 2,
    judge: namesForeign,
  };
}

const boundary = 'almost';

/** A part whose bytes are near misses of its end: every prefix of it, over and over. */
export function almostBoundaries(one: FileCase): PlainRequest {
  const { random } = one;
  const end = `\r\n--${boundary}`;
  const bytes = random.oneIn(25) ? 64e6 : random.pick([1e4, 1e6, 4e6]);
  const filling = random.pick([
    end.slice(0, -1),
    `${end}x`,
    `${end}-`,
    `${end}\r`,
    `${end} `,
    '\r',
    '\r\n',
    '\r\n-',
    `${end.slice(0, -1)}${end.slice(0, 5)}`,
  ]);
  const head = `--${boundary}\r\nContent-Type: application/dicom\r\n\r\n`;
  return {
    method: 'POST',
    path: '/studies',
    headers: {
      'Content-Type': `multipart/related; type="application/dicom"; boundary=${boundary}`,
    },
    body: Buffer.concat([
      Buffer.from(head),
      ...(random.oneIn(2) ? [sampleInstance({ ...one.uids, pixelData: null })] : []),
      Buffer.alloc(bytes, filling),
      Buffer.from(random.oneIn(2) ? `${end}--\r\n` : ''),
    ]),
  };
}

/** What a member of gzip that holds so many nulls is made of, once for all cases. */
const bombs = new Map<number, Buffer>();

function bombOf(bytes: number): Buffer {
  const known = bombs.get(bytes) ?? gzipSync(Buffer.alloc(bytes));
  bombs.set(bytes, known);
  return known;
}

/** Compressed bodies of a store: good ones, cut ones, wrong ones, and such as inflate by a thousand times. */
export function gzippedStores(one: FileCase): PlainRequest {
  const { random, uids } = one;
  const good = gzipSync(sampleInstance(uids));
  const bomb = bombOf(random.pick([1e5, 3e7]));
  const body = random.pick([
    good,
    good.subarray(0, random.below(good.length)),
    Buffer.concat([good, good]),
    Buffer.concat([good, Buffer.from('trailing')]),
    bomb,
    Buffer.concat(Array.from({ length: 4 }, () => bomb)),
    Buffer.concat(Array.from({ length: 1000 }, () => bombOf(0))),
    gzipSync(bomb),
    Buffer.concat([gzipSync(sampleInstance({ ...uids, pixelData: null })), bomb]),
    random.bytes(500),
    Buffer.alloc(0),
  ]);
  return {
    method: 'POST',
    path: '/studies',
    headers: {
      'Content-Type': random.pick(['application/dicom', 'multipart/related; boundary=a']),
      Accept: 'application/dicom+json',
      'Content-Encoding': random.pick([
        'gzip',
        'gzip',
        'x-gzip',
        'GZIP',
        'gzip, gzip',
        'gzip,',
        '',
      ]),
    },
    body,
  };
}

/** Names of files to import that lead out of their container, in every spelling. */
export function importNames(one: FileCase): ImportRequest {
  const { random } = one;
  const up = random.pick([
    '../',
    '../../',
    '%2e%2e/',
    '%2E%2e%2F',
    '.%2e/',
    '%252e%252e/',
    '%25252e%25252e%25252f',
    '..%2f',
    '..%5c',
    '..\\',
    '..%c0%af',
    '%c0%ae%c0%ae/',
    '..;/',
    '..\t/',
    '\u2025/',
    '\uff0e\uff0e/',
    '//../',
    'a/../../',
    'partitions/a/../../../',
    'a/b/../../../',
  ]);
  const name = `${random.pick(['', '', '/', 'x/../'])}${up}instances/{blob}${random.pick(['', '', '?x=1', '#', '%00', '\u0000', ' ', '/.'])}`;
  const base = random.pick([
    'https://account.blob.core.windows.net/import/',
    'https://account.blob.core.windows.net/import/../',
    'https://account.blob.core.windows.net/account/import/',
    'https://account.blob.core.windows.net//import/',
    'http://e.example/import/import/',
  ]);
  const event = {
    subject: `/blobServices/default/containers/${random.pick(['import', 'import', '../instances'])}/blobs/${name}`,
    eventType: 'Microsoft.Storage.BlobCreated',
    data: { api: 'PutBlob', url: `${base}${name}` },
  };
  return { message: random.oneIn(2) ? name : JSON.stringify(event) };
}
