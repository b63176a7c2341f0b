/** Requests that are meant to do harm, by kind; the kinds of `files.ts` are wrapped here. */
import { gzipSync } from 'node:zlib';
import { element, sampleInstance } from '../../support/part10-builder.js';
import { writeParts } from '../../support/multipart.js';
import { fileAttacks, hostileUids, type CaseUids, type FileCase } from './files.js';
import * as callers from './callers.js';
import type { HostileRequest, PlainRequest } from './case.js';
import type { Random } from './random.js';
import * as readers from './readers.js';

/** One request, or several, each sent when the one before has been answered. */
type Attack = (one: FileCase) => HostileRequest | readonly HostileRequest[];

const boundary = 'hostile-boundary';
const multipart = `multipart/related; type="application/dicom"; boundary=${boundary}`;
const prefixes = ['', '/v1', '/v2'] as const;

function part(body: Uint8Array) {
  return { headers: ['Content-Type: application/dicom'], body };
}

/** A store of files in one of the forms that clients use. */
function stowOf(random: Random, files: readonly Buffer[], prefix: string): PlainRequest {
  const single = files.length === 1 && random.oneIn(4);
  const [file] = files;
  return {
    method: random.oneIn(10) ? 'PUT' : 'POST',
    path: `${prefix}/studies`,
    headers: {
      'Content-Type': single ? 'application/dicom' : multipart,
      Accept: 'application/dicom+json',
    },
    body: single && file !== undefined ? file : writeParts(files.map(part), boundary),
  };
}

function harmless(one: FileCase): HostileRequest {
  const { random, uids } = one;
  return stowOf(random, [sampleInstance(uids)], random.pick(prefixes));
}

/** A thousand cuts through a body, or other bytes where its boundaries are. */
function framing(one: FileCase): HostileRequest {
  const { random, uids, turn } = one;
  const body = writeParts([part(sampleInstance(uids)), part(sampleInstance(uids))], boundary);
  const changes: readonly [() => Buffer, ...(() => Buffer)[]] = [
    () => body.subarray(0, (turn * 37) % body.length),
    () => Buffer.concat([body, body]),
    () => Buffer.from(body.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'),
    () => Buffer.from(body.toString('latin1').replaceAll('--hostile', '-- hostile'), 'latin1'),
    () => Buffer.from(`--${boundary}\r\n`.repeat(1 + random.below(3000))),
    () => Buffer.from(`--${boundary}\r\n${'X: y\r\n'.repeat(random.below(5000))}`),
    () => Buffer.from(`--${boundary}\r\nX: ${'y'.repeat(random.below(100_000))}\r\n\r\n`),
    () => Buffer.from(`--${boundary}${' '.repeat(random.below(100_000))}\r\n`),
    () => Buffer.from('\r\n--hostile-boundar'.repeat(1 + random.below(50_000))),
    () => Buffer.from(`--${boundary}\r\n\r\n\r\n--${boundary}--`),
    () => Buffer.from(`--${boundary}--`),
    () => Buffer.alloc(random.below(100_000), '-'),
    () => Buffer.alloc(random.below(1_000_000), '\r\n'),
    () => Buffer.alloc(0),
  ];
  const types = [
    multipart,
    multipart,
    multipart,
    'multipart/related',
    'multipart/related; boundary=',
    `multipart/related; boundary="${'b'.repeat(300)}"`,
    'multipart/related; boundary="\t"',
    'multipart/related; boundary=a; boundary=hostile-boundary',
    'multipart/related; type="text/html"; boundary=hostile-boundary',
    `${multipart}${'; a=b'.repeat(500)}`,
    'multipart/related; boundary="hostile-boundary',
  ] as const;
  return {
    method: 'POST',
    path: `${random.pick(prefixes)}/studies`,
    headers: { 'Content-Type': random.pick(types) },
    body: random.pick(changes)(),
  };
}

/** Very many parts, up to beyond the limit. */
function manyParts(one: FileCase): HostileRequest {
  const { random, uids } = one;
  const count = random.oneIn(15) ? random.pick([9_999, 10_000, 10_001]) : 1 + random.below(300);
  const file = random.pick([
    Buffer.alloc(0),
    Buffer.from('not DICOM'),
    sampleInstance({ ...uids, pixelData: null }),
  ]);
  const parts = Array.from({ length: count }, () => part(file));
  return {
    method: 'POST',
    path: `${random.pick(prefixes)}/studies`,
    headers: { 'Content-Type': multipart },
    body: writeParts(parts, boundary),
  };
}

/** One study, whose series differ in everything that a row of the study counts. */
function manyTallies(one: FileCase): HostileRequest {
  const { random, uids, turn } = one;
  const study = uids.study.replace(/\d+$/, '0');
  const files = Array.from({ length: random.oneIn(20) ? 100 : 20 }, (_, index) =>
    sampleInstance({
      study,
      series: `${uids.series}.${index}`,
      instance: `${uids.instance}.${index}`,
      pixelData: null,
      overrides: [
        element('00080060', 'CS', `M${turn}X${index}`.padEnd(16, 'M')),
        element('00080016', 'UI', `${uids.series}.${index}.${'9'.repeat(20)}`),
      ],
    }),
  );
  return { ...stowOf(random, files, random.pick(prefixes)), method: 'POST' };
}

/** Headers that would end lines, name other hosts, or are too much. */
function headerInjection(one: FileCase): HostileRequest {
  const { random } = one;
  const lines = [
    'X-Request-Id: a\u0000b',
    'X-Request-Id: a\rX-Injected: 1',
    'X-Request-Id: %0d%0aX-Injected: 1',
    `X-Request-Id: ${'x'.repeat(5000)}`,
    `X-Large: ${'x'.repeat(40_000)}`,
    'Origin: null\u0001',
    'Origin: https://e.example%0d%0aX-Injected: 1',
    'Host: e.example\r\nHost: f.example',
    'Host: e.example/%0d%0aX-Injected:1',
    'X-Forwarded-Host: e.example\r\nX-Forwarded-Proto: javascript',
    'X-Forwarded-Host: e.example%0d%0aX-Injected:%201',
    'Accept: application/dicom+json;q=\u00e9',
    'If-None-Match: "\u00ff',
    ': no name',
    'No-Colon',
    ' Folded: 1',
    'Content-Type : application/dicom',
    'Expect: 200-maybe',
    'Upgrade: websocket\r\nConnection: Upgrade',
    'traceparent: 00-zz-zz-zz\r\nX-Injected : 1',
  ] as const;
  const targets = [
    '/studies',
    '/studies/1.2%0d%0aX-Injected:%201/metadata',
    '/v2/studies?PatientName=%0d%0aX-Injected:%201',
    '//e.example/studies',
    'http://e.example/studies?limit=1',
    '*',
    'studies',
    '/%',
    '/%00',
    `/${'a'.repeat(10_000)}`,
    '/studies/\u00e9',
  ] as const;
  const method = random.pick([
    'GET',
    'GET',
    'OPTIONS',
    'DELETE',
    'TRACE',
    'CONNECT',
    'BREW',
    'get',
  ]);
  const version = random.pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', 'HTTP']);
  const head = `${method} ${random.pick(targets)} ${version}\r\nHost: localhost\r\n`;
  return {
    raw: Buffer.from(`${head}${random.pick(lines)}\r\nConnection: close\r\n\r\n`, 'latin1'),
    mostAnswers: 1,
  };
}

/** Requests whose end two readers would see in two places. */
function smuggling(one: FileCase): HostileRequest {
  const { random, uids } = one;
  const file = sampleInstance(uids);
  const inner = `POST /studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/dicom\r\nContent-Length: ${file.length}\r\n\r\n`;
  const smuggled = Buffer.concat([Buffer.from(inner), file]);
  const chunk = `${smuggled.length.toString(16)}\r\n`;
  const framings = [
    `Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
    `Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
    `Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
    `Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
    `Transfer-Encoding:\u000bchunked\r\n\r\n0\r\n\r\n`,
    `Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
    `Content-Length: +5\r\n\r\n`,
    `Content-Length: 0x5\r\n\r\n`,
    `Content-Length: -1\r\n\r\n`,
    `Content-Length: 99999999999999999999\r\n\r\n`,
    `Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
    `Transfer-Encoding: chunked\r\n\r\n5;${'a'.repeat(20_000)}\r\nabcde\r\n0\r\n\r\n`,
    `Transfer-Encoding: chunked\r\n\r\n5\nabcde\n0\n\n`,
    `Transfer-Encoding: chunked\r\n\r\n${chunk}`,
    `Content-Length: ${smuggled.length + 10}\r\n\r\n`,
  ] as const;
  const head = `POST /studies HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nConnection: close\r\n`;
  return {
    raw: Buffer.concat([Buffer.from(head + random.pick(framings), 'latin1'), smuggled]),
    mostAnswers: 1,
  };
}

function traversingPaths(one: FileCase): HostileRequest {
  const { random, uids } = one;
  const segment = (key: keyof CaseUids) => {
    const hostile = random.pick(hostileUids);
    // What passes for a UID may be that of another case, and be deleted by this one.
    const uid = random.oneIn(2) && hostile !== '1..2' ? hostile : uids[key];
    return random.oneIn(3) ? uid.replace(/[\r\n\0 ]/g, '') : encodeURIComponent(uid);
  };
  const study = `/studies/${segment('study')}`;
  const series = `${study}/series/${segment('series')}`;
  const path = random.pick([
    study,
    `${study}/metadata`,
    series,
    `${series}/metadata`,
    `${series}/instances/${segment('instance')}`,
    `${series}/instances/${segment('instance')}/frames/1`,
    `/partitions/${segment('study')}/studies`,
    `/${segment('study')}/studies`,
    `/..%2f..%2fetc/passwd`,
    `/%2e%2e/%2e%2e/etc/passwd`,
  ]);
  return {
    method: random.pick(['GET', 'GET', 'DELETE', 'POST', 'PUT']),
    path: random.pick(prefixes) + path.replaceAll(/[^\x21-\x7e]/g, ''),
    headers: { 'Content-Type': multipart },
  };
}

/** Queries that cost much to read or to match. */
function queries(one: FileCase): HostileRequest {
  const { random } = one;
  const keys = [
    'PatientName',
    'StudyDate',
    'StudyTime',
    'PatientID',
    'StudyInstanceUID',
    'ModalitiesInStudy',
    'PatientSize',
    'limit',
    'offset',
    'includefield',
    'fuzzymatching',
    '00100010.00100020',
    '__proto__',
    'constructor',
    '%ff',
    'a'.repeat(1000),
  ] as const;
  const values = [
    '*a'.repeat(random.below(2000)) + 'b',
    '?'.repeat(random.below(5000)),
    `${'a*'.repeat(30)}!`,
    '(a+)+$',
    '1.2,'.repeat(random.below(3000)) + '1',
    '-1',
    '1e9',
    '99999999999999999999',
    '20240101-20231231',
    '-',
    '0'.repeat(5000),
    '%00',
    '%f0%9f%98%80',
    '%ff',
    '%3Cscript%3E',
    'all,'.repeat(500),
    'constructor,__proto__,toString',
    'true&fuzzymatching=true',
    '\\',
    '',
  ] as const;
  const path = random.pick(['/studies', '/series', '/instances', '/changefeed']);
  const parameters = Array.from(
    { length: random.oneIn(20) ? 500 : 1 + random.below(4) },
    () => `${random.pick(keys)}=${random.pick(values)}`,
  );
  return {
    method: 'GET',
    // Node refuses longer heads with 431 before anything of ours has seen them.
    path: `${random.pick(prefixes)}${path}?${parameters.join('&').slice(0, 15_000)}`,
    headers: {},
  };
}

/** What clients ask for, in forms that take long to weigh up. */
function negotiation(one: FileCase): HostileRequest {
  const { random, uids } = one;
  const accepts = [
    'a/b,'.repeat(3000),
    'multipart/related; type="multipart/related; type=\\"x\\"',
    '"'.repeat(5000),
    `*/*;q=${'9'.repeat(5000)}`,
    'multipart/related;'.repeat(500),
    '\\'.repeat(3000),
    ';=,;=,',
    'application/dicom; transfer-syntax=__proto__',
  ] as const;
  const frames = [
    '1,'.repeat(3000) + '1',
    '99999999999999999999',
    '0',
    '-1',
    '1,,2',
    '1%2c2',
    '%00',
    'NaN',
  ] as const;
  const instance = `/studies/${uids.study}/series/${uids.series}/instances/${uids.instance}`;
  return {
    method: 'GET',
    path:
      random.pick(prefixes) +
      instance +
      random.pick(['', '/metadata', `/frames/${random.pick(frames)}`]),
    headers: {
      Accept: random.pick(accepts),
      'If-None-Match': random.pick(['*', ',,"', 'W/""', 'a'.repeat(3000)]),
    },
  };
}

/** Archives and compressed bodies where a file should be. */
function zipBombs(one: FileCase): HostileRequest {
  const { random, uids } = one;
  const bomb = gzipSync(Buffer.alloc(random.pick([1_000, 10_000_000])));
  const zip = Buffer.concat([Buffer.from('504b0304140000000800', 'hex'), bomb]);
  return {
    method: 'POST',
    path: `${random.pick(prefixes)}/studies`,
    headers: {
      'Content-Type': random.pick(['application/dicom', 'application/zip', multipart]),
      ...(random.oneIn(2) && { 'Content-Encoding': random.pick(['gzip', 'deflate', 'br', 'x']) }),
    },
    body: random.pick([zip, bomb, gzipSync(sampleInstance(uids))]),
  };
}

const requestAttacks: Readonly<Record<string, Attack>> = {
  harmless,
  'multipart boundaries': framing,
  'thousands of parts': manyParts,
  'distinct values in one study': manyTallies,
  'header injection': headerInjection,
  'request smuggling': smuggling,
  'path traversal in a URL': traversingPaths,
  queries,
  'negotiation and frame lists': negotiation,
  'zip and gzip bombs': zipBombs,
  'names of files to import': callers.importNames,
  'foreign Host and Origin': callers.foreignPages,
  'forged and oversized headers': callers.forgedHeaders,
  'almost boundaries': callers.almostBoundaries,
  'gzip of a store': callers.gzippedStores,
  'thousands of fragments': readers.manyFragments,
  'repeats of a frame': readers.repeatedFrames,
  'frames that are bombs': readers.pixelBombs,
  'long patterns': readers.longPatterns,
  'formulas in tables': readers.formulas,
};

/** Every kind of attack. */
export const attacks: Readonly<Record<string, Attack>> = {
  ...Object.fromEntries(
    Object.entries(fileAttacks).map(([kind, attack]): [string, Attack] => [
      kind,
      (one) => stowOf(one.random, [attack(one)], one.random.pick(prefixes)),
    ]),
  ),
  ...requestAttacks,
};
