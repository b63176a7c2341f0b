/**
 * Query tags that are added while clients store and delete: the archive is filled, clients work on it, tags are added,
 * and when they are ready what searches by them find is compared with a scan of all that is stored. Each client and
 * the job have a process of their own over stores in memory, whose calls take their turns at random.
 */
import type { Element } from '../../../src/dicom/data-set.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { readConfig } from '../../../src/host/config.js';
import { parseJobId } from '../../../src/jobs/job.js';
import { defaultPartition } from '../../../src/storage/archive/keys.js';
import { checkStore } from '../../../src/storage/archive/store-check.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import { seededRandom } from '../../../src/storage/memory/seeded-random.js';
import { dawdling, WatchedTables } from '../../storage/archive/support/watched-tables.js';
import { inProcess, withJson, type Send } from '../../support/in-process.js';
import { writeParts } from '../../support/multipart.js';
import { element, sampleInstance } from '../../support/part10-builder.js';

export interface ReindexRun {
  /** That are stored before the tags are added. */
  readonly instances: number;
  readonly clients: number;
  readonly seed: number;
}

export interface ReindexReport {
  readonly before: number;
  /** While the tags were being added, by the clients. */
  readonly stored: number;
  readonly deleted: number;
  /** Requests that did not end in their time: on a busy machine. What became of them, the scan tells. */
  readonly outOfTime: number;
  readonly atTheEnd: number;
  /** Values that cannot be indexed, as listed. */
  readonly errors: number;
  readonly tableCallsOfTheJob: number;
  /** What a scan finds for the tags. */
  readonly scanned: number;
  /** What is in the scan and was not found, and what was found and is not in the scan, or twice. */
  readonly missing: readonly string[];
  readonly wrong: readonly string[];
  /** Of the check of the store, but for files of what was deleted, which stay for ten minutes. */
  readonly findings: readonly string[];
  /** Rows of the index that are left when the tags have been removed. */
  readonly rowsLeft: number;
  readonly unexpected: readonly string[];
}

interface Place {
  readonly study: number;
  readonly series: number;
  readonly instance: number;
}

type Json = Readonly<Record<string, Element | undefined>>;

const root = '1.2.826.0.1.3680043.8.498.77';
const studyUid = ({ study }: Pick<Place, 'study'>) => `${root}.${study}`;
const seriesUid = (place: Omit<Place, 'instance'>) => `${studyUid(place)}.${place.series}`;
const instanceUid = (place: Place) => `${seriesUid(place)}.${place.instance}`;

const instancesPerStudy = 20;
const seriesPerStudy = 3;
const perRequest = 20;

/** One tag of each level. Instances of a study, and of a series, agree on what is theirs. */
const tags = [
  { path: '00101005', level: 'Study', resource: 'studies', uid: '0020000D' },
  { path: '00185100', level: 'Series', resource: 'series', uid: '0020000E' },
  { path: '00200012', level: 'Instance', resource: 'instances', uid: '00080018' },
] as const;
const values = [
  Array.from({ length: 7 }, (_, at) => `Name${at}^Of`),
  Array.from({ length: 5 }, (_, at) => `POSITION${at}`),
  Array.from({ length: 9 }, (_, at) => String(at)),
] as const;

/** One in 23 has two values for the tag of instances, which cannot be indexed, and one in 17 has none. */
function fileOf(place: Place): Buffer {
  const { study, series, instance } = place;
  const numbers = instance % 23 === 0 ? ['1', '2'] : instance % 17 === 0 ? [] : [instance % 9];
  return sampleInstance({
    study: studyUid(place),
    series: seriesUid(place),
    instance: instanceUid(place),
    pixelData: { native: Buffer.alloc(16) },
    overrides: [
      element('00101005', 'PN', `Name${study % 7}^Of`),
      element('00185100', 'CS', `POSITION${(study + series) % 5}`),
      element('00200012', 'IS', ...numbers.map(String)),
    ],
  });
}

/** A process of the service. */
class Process {
  readonly services: Services;
  readonly send: Send;
  readonly #tables: WatchedTables;
  calls = 0;

  constructor(tables: MemoryTableStore, blobs: MemoryBlobStore, faults: string[]) {
    this.#tables = new WatchedTables(tables);
    this.services = createServices({ tables: this.#tables, blobs }, readConfig({}));
    this.send = inProcess(this.services, (entry) => {
      const text = JSON.stringify(entry);
      if (entry.event === 'fault' && !text.includes('did not answer in time')) faults.push(text);
    });
  }

  /** From now on calls take their turns, and are counted. */
  dawdle(seed: number): void {
    const dawdle = dawdling(seed);
    this.#tables.around = async (call, act) => {
      this.calls += 1;
      return await dawdle(call, act);
    };
  }

  async store(prefix: string, places: readonly Place[]): Promise<number> {
    const parts = places.map((place) => ({
      headers: ['Content-Type: application/dicom'],
      body: fileOf(place),
    }));
    const headers = { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=b' };
    const body = writeParts(parts, 'b');
    const response = await this.send('POST', `${prefix}/studies`, { headers, body });
    await response.arrayBuffer();
    return response.status;
  }
}

/** Every result of a search, page by page. */
async function search(send: Send, path: string): Promise<readonly Json[]> {
  const found: Json[] = [];
  for (let next: string | undefined = path; next !== undefined;) {
    const response = await send('GET', next);
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    found.push(...((await response.json()) as readonly Json[]));
    const link = /<([^>]*)>;\s*rel="?next"?/.exec(response.headers.get('link') ?? '')?.[1];
    next = link?.replace(/^http:\/\/[^/]*/, '');
  }
  return found;
}

function valueOf(dataSet: Json, tag: string): unknown {
  return dataSet[tag]?.Value?.[0];
}

/** What searches by each value of each tag find. */
async function searched(send: Send): Promise<readonly string[]> {
  const found: string[] = [];
  for (const [at, { path, resource, uid }] of tags.entries()) {
    for (const value of values[at] ?? []) {
      const results = await search(send, `/${resource}?${path}=${value}&limit=200`);
      for (const one of results) found.push([path, value, valueOf(one, uid)].join(' '));
    }
  }
  return found;
}

/** What the data sets of all that is stored say. */
async function scan(
  send: Send,
): Promise<{ readonly said: ReadonlySet<string>; readonly instances: number }> {
  const said = new Set<string>();
  let instances = 0;
  for (const study of await search(send, '/studies?limit=200')) {
    const uid = valueOf(study, '0020000D') as string;
    const response = await send('GET', `/studies/${uid}/metadata`);
    for (const dataSet of (await response.json()) as readonly Json[]) {
      instances += 1;
      for (const { path, uid: uidTag } of tags) {
        const all = dataSet[path]?.Value ?? [];
        const [value] = all;
        if (value === undefined || value === null || all.length > 1) continue;
        const text =
          typeof value === 'object' ? (value as { Alphabetic?: string }).Alphabetic : value;
        said.add([path, String(text), valueOf(dataSet, uidTag)].join(' '));
      }
    }
  }
  return { said, instances };
}

/** Stores and deletes at random until it is told to stop. */
async function work(
  process: Process,
  random: () => number,
  there: Map<string, Place>,
  studies: number,
  isOver: () => boolean,
  report: { stored: number; deleted: number; outOfTime: number; readonly unexpected: string[] },
): Promise<void> {
  const below = (limit: number) => Math.floor(random() * limit);
  const note = (what: string, status: number, expected: readonly number[]) => {
    if (status === 503) report.outOfTime += 1;
    else if (!expected.includes(status)) report.unexpected.push(`${what}: ${status}`);
  };
  while (!isOver()) {
    if (random() < 0.5) {
      const study = below(studies + 20) + 1;
      const places = Array.from({ length: 1 + below(6) }, () => ({
        study,
        series: below(seriesPerStudy) + 1,
        instance: 1000 + below(1_000_000),
      }));
      const status = await process.store(random() < 0.5 ? '' : '/v2', places);
      note('store', status, [200, 202]);
      if (status !== 503) report.stored += places.length;
      for (const place of places) there.set(instanceUid(place), place);
      continue;
    }
    const names = [...there.keys()];
    const place = there.get(names[below(names.length)] ?? '');
    if (place === undefined) continue;
    const depth = random();
    const ofSeries = depth < 0.9 ? `/series/${seriesUid(place)}` : '';
    const ofInstance = depth < 0.7 ? `/instances/${instanceUid(place)}` : '';
    const response = await process.send(
      'DELETE',
      `/studies/${studyUid(place)}${ofSeries}${ofInstance}`,
    );
    // Another may have been faster.
    note('delete', response.status, [204, 404]);
    if (response.status === 204) report.deleted += 1;
    there.delete(instanceUid(place));
  }
}

/** @returns what was seen; nothing is judged here. */
export async function reindexBesideStores(run: ReindexRun): Promise<ReindexReport> {
  const tables = new MemoryTableStore({ shortPagesSeed: run.seed });
  const blobs = new MemoryBlobStore();
  const unexpected: string[] = [];
  const make = () => new Process(tables, blobs, unexpected);
  const clients = Array.from({ length: run.clients }, make);
  const job = make();
  const there = new Map<string, Place>();
  const studies = Math.ceil(run.instances / instancesPerStudy);
  const places = Array.from({ length: run.instances }, (_, at) => ({
    study: Math.floor(at / instancesPerStudy) + 1,
    series: (at % seriesPerStudy) + 1,
    instance: (at % instancesPerStudy) + 1 + Math.floor(at / instancesPerStudy),
  }));
  await Promise.all(
    clients.map(async (client, which) => {
      for (let from = which * perRequest; from < places.length; from += run.clients * perRequest) {
        const some = places.slice(from, from + perRequest);
        const status = await client.store('', some);
        if (status !== 200) unexpected.push(`fill: ${status}`);
        for (const place of some) there.set(instanceUid(place), place);
      }
    }),
  );
  const report = { stored: 0, deleted: 0, outOfTime: 0, unexpected };
  for (const [at, process] of [...clients, job].entries()) process.dawdle(run.seed + at);
  const random = seededRandom(run.seed);
  let isOver = false;
  const working = Promise.all(
    clients.map(async (client) => {
      await work(client, random, there, studies, () => isOver, report);
    }),
  );
  const added = await job.send(
    'POST',
    '/extendedquerytags',
    withJson(tags.map(({ path, level }) => ({ path, level }))),
  );
  const { id = '' } = (await added.json()) as { readonly id?: string };
  const jobId = parseJobId(id);
  if (jobId === undefined) throw new Error(`no operation: ${added.status}`);
  job.calls = 0;
  const outcome = await job.services.jobs.run(jobId, Infinity);
  if (outcome !== 'over') unexpected.push(`job: ${outcome}`);
  const tableCallsOfTheJob = job.calls;
  isOver = true;
  await working;
  for (const { services } of [...clients, job]) await services.archive.close();

  const { send, services } = make();
  const errors = await search(send, `/extendedquerytags/${tags[2].path}/errors?limit=200`);
  await send('PATCH', `/extendedquerytags/${tags[2].path}`, withJson({ queryStatus: 'Enabled' }));
  const { said, instances } = await scan(send);
  const found = await searched(send);
  const once = new Set(found);
  const twice = found.filter((one, at) => found.indexOf(one) !== at);
  const findings: string[] = [];
  for await (const { kind } of checkStore({ tables, blobs }, { orphanAge: 0 })) {
    if (kind !== 'blob-orphaned') findings.push(kind);
  }
  return {
    before: run.instances,
    ...report,
    atTheEnd: instances,
    errors: errors.length,
    tableCallsOfTheJob,
    scanned: said.size,
    missing: [...said].filter((one) => !once.has(one)),
    wrong: [...[...once].filter((one) => !said.has(one)), ...twice],
    findings,
    rowsLeft: await removeTags(send, services),
  };
}

/** Removes the tags; answers how many rows of them are left. */
async function removeTags(send: Send, services: Services): Promise<number> {
  const { tags: listed } = await services.archive.queryTags.read();
  for (const { path } of tags) await send('DELETE', `/extendedquerytags/${path}`);
  for (const { id } of await services.jobs.newest(tags.length, ({ type }) => type === 'untag')) {
    await services.jobs.run(id, Infinity);
  }
  let rows = 0;
  for (const tag of listed) {
    const pages = services.archive.index.rowsOfAttribute(defaultPartition, tag);
    for await (const page of pages) rows += page.length;
  }
  await services.archive.close();
  return rows;
}
