/** The budgets of the architecture page, counted call by call. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { writePart10 } from '../../scripts/sample/write-part10.js';
import { routes } from '../../src/dicomweb/routes.js';
import { createServices } from '../../src/dicomweb/services.js';
import { openTo } from '../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../src/host/config.js';
import { createDispatcher, type Dispatch } from '../../src/host/pipeline/dispatcher.js';
import { createPipeline } from '../../src/host/pipeline/pipeline.js';
import type { Archive } from '../../src/storage/archive/archive.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { counted } from '../support/storage/counted-calls.js';
import { tableRows } from './markdown.js';
import { asResponse } from '../support/host/web-response.js';

const columns = ['Request', 'Rounds', 'Table calls', 'Blob calls'];

/** The last components of the UIDs of an instance. */
interface Names {
  readonly study: number;
  readonly series: number;
  readonly instance: number;
}

const uid = ({ study, series, instance }: Names) => `1.2.${study}.${series}.${instance}`;

function instanceUrl(names: Names): string {
  const { study, series } = names;
  return `/studies/1.2.${study}/series/1.2.${study}.${series}/instances/${uid(names)}`;
}

/** A file in which every indexed attribute has a value. */
function file(names: Names): Uint8Array {
  const { study, series } = names;
  return writePart10([
    ['00080016', 'UI', '1.2.840.10008.5.1.4.1.1.7'],
    ['00080018', 'UI', uid(names)],
    ['00080020', 'DA', '20200922'],
    ['00080050', 'SH', `A${study}`],
    ['00080060', 'CS', 'OT'],
    ['00080090', 'PN', 'Doctor'],
    ['00081030', 'LO', 'Shapes'],
    ['0008103E', 'LO', 'Drawn by hand'],
    ['00081090', 'LO', 'Pencil'],
    ['00100010', 'PN', `Anony${study}^Mous`],
    ['00100020', 'LO', `P${study}`],
    ['00100030', 'DA', '19700101'],
    ['0020000D', 'UI', `1.2.${study}`],
    ['0020000E', 'UI', `1.2.${study}.${series}`],
    ['00200010', 'SH', 'S1'],
    ['00280002', 'US', 1],
    ['00280010', 'US', 1],
    ['00280011', 'US', 2],
    ['00280100', 'US', 8],
    ['00400244', 'DA', '20200922'],
    ['7FE00010', 'OB', Uint8Array.of(1, 2)],
  ]);
}

function storeRequest(files: readonly Uint8Array[]): RequestInit {
  const body = Buffer.concat([
    ...files.flatMap((bytes) => [
      Buffer.from('--b\r\nContent-Type: application/dicom\r\n\r\n'),
      bytes,
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--b--\r\n'),
  ]);
  return {
    method: 'POST',
    body,
    headers: { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=b' },
  };
}

describe('docs/architecture.md, budgets', () => {
  const calls = { table: 0, blob: 0 };
  const tables = counted(new MemoryTableStore(), () => calls.table++);
  const blobs = counted(new MemoryBlobStore(), () => calls.blob++);
  const archives: Archive[] = [];

  /** A process of its own over the same storage. */
  function startProcess(): Dispatch {
    const config = readConfig({});
    const made = createServices({ tables, blobs }, config);
    archives.push(made.archive);
    const services = async () => await Promise.resolve(made);
    const pipeline = createPipeline({
      config,
      authenticate: openTo(config),
      services,
      log: () => undefined,
    });
    return createDispatcher(pipeline, Object.values(routes));
  }

  async function send(process: Dispatch, url: string, init: RequestInit = {}): Promise<Response> {
    const request = new Request(`http://localhost${url}`, init);
    const response = asResponse(await process(request, new AbortController().signal));
    const body = await response.arrayBuffer();
    return new Response(response.status === 204 || response.status === 304 ? null : body, response);
  }

  /** Lets the work behind earlier answers come to its end, and counts from zero. */
  async function settle(): Promise<void> {
    await Promise.all(archives.map(async (archive) => await archive.close()));
    calls.table = 0;
    calls.blob = 0;
  }

  const known: Names = { study: 1, series: 1, instance: 1 };
  const many = Array.from({ length: 50 }, (_, index) => ({ study: 2, series: 1, instance: index }));
  let here: Dispatch;

  beforeAll(async () => {
    here = startProcess();
    // The log and its tail come into being with the first store of all.
    await send(here, '/studies', storeRequest([file({ study: 9, series: 1, instance: 1 })]));
  });

  afterAll(async () => {
    await settle();
  });

  async function unchanged(): Promise<Response> {
    const before = await send(here, '/studies/1.2.2/metadata');
    await settle();
    const headers = { 'If-None-Match': before.headers.get('etag') ?? '' };
    return await send(here, '/studies/1.2.2/metadata', { headers });
  }

  /** In the order of the table: later requests need what earlier ones stored. */
  const requests: Readonly<Record<string, readonly [status: number, () => Promise<Response>]>> = {
    'store an instance of a new study, every indexed attribute with a value': [
      200,
      () => send(here, '/studies', storeRequest([file(known)])),
    ],
    'store an instance of a series that this process knows': [
      200,
      () => send(here, '/studies', storeRequest([file({ ...known, instance: 2 })])),
    ],
    'store an instance of a series that another process made': [
      200,
      () => send(startProcess(), '/studies', storeRequest([file({ ...known, instance: 3 })])),
    ],
    'store 50 instances of a new study in one request': [
      200,
      () => send(here, '/studies', storeRequest(many.map(file))),
    ],
    'retrieve an instance': [200, () => send(here, instanceUrl(known))],
    'retrieve a frame': [200, () => send(here, `${instanceUrl(known)}/frames/1`)],
    'render an instance': [
      200,
      () => send(here, `${instanceUrl(known)}/rendered?accept=image/png`),
    ],
    'show a thumbnail of a study': [200, () => send(here, '/studies/1.2.2/thumbnail')],
    'retrieve the metadata of an instance': [
      200,
      () => send(here, `${instanceUrl(known)}/metadata`),
    ],
    'retrieve the metadata of a study of 50 instances': [
      200,
      () => send(here, '/studies/1.2.2/metadata'),
    ],
    'retrieve the metadata of a study that has not changed': [304, unchanged],
    'retrieve a study of 50 instances': [200, () => send(here, '/studies/1.2.2')],
    'retrieve a study of 50 instances as an archive': [
      200,
      () => send(here, '/studies/1.2.2?accept=application/zip'),
    ],
    'retrieve a bulk value': [200, () => send(here, `${instanceUrl(known)}/bulkdata/7FE00010`)],
    'retrieve every bulk value of a study of 50 instances': [
      200,
      () => send(here, '/studies/1.2.2/bulkdata'),
    ],
    'show the first page of the study list': [200, () => send(here, '/studies')],
    'find one study by PatientID': [200, () => send(here, '/v2/studies?PatientID=P2')],
    'find one study by a part of its PatientName': [
      200,
      () => send(here, '/v2/studies?PatientName=*ony2*'),
    ],
    'find one series by SeriesInstanceUID': [
      200,
      () => send(here, '/v2/series?SeriesInstanceUID=1.2.2.1'),
    ],
    'find one instance by SOPInstanceUID': [
      200,
      () => send(here, `/v2/instances?SOPInstanceUID=${uid(known)}`),
    ],
    'delete one of several instances': [
      204,
      () => send(here, instanceUrl(known), { method: 'DELETE' }),
    ],
  };

  const budgets = tableRows('docs/architecture.md', columns);

  it('are those of the requests below', () => {
    expect(budgets.map(([name]) => name)).toEqual(Object.keys(requests));
  });

  it.each(Object.entries(requests))('%s', async (name, [status, act]) => {
    const [, , table, blob] = budgets.find(([request]) => request === name) ?? [];
    await settle();
    const response = await act();
    const { table: tableCalls, blob: blobCalls } = calls;
    expect(response.status).toBe(status);
    expect(tableCalls).toBeLessThanOrEqual(Number(table));
    expect(blobCalls).toBeLessThanOrEqual(Number(blob));
  });
});
