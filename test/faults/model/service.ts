/** The service as a function from request to response, over memory, and the words to speak to it. */
import { createServices } from '../../../src/dicomweb/services.js';
import { routes } from '../../../src/dicomweb/routes.js';
import { openTo } from '../../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../../src/host/config.js';
import { createDispatcher, type Dispatch } from '../../../src/host/pipeline/dispatcher.js';
import { createPipeline } from '../../../src/host/pipeline/pipeline.js';
import { parseJobId } from '../../../src/jobs/job.js';
import type { Jobs } from '../../../src/jobs/jobs.js';
import type { Archive } from '../../../src/storage/archive/archive.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { Json } from '../../support/conformance.js';
import { writeParts } from '../../support/multipart.js';
import { element, sampleInstance } from '../../support/part10-builder.js';
import { uidOf, uidOfSeries, uidOfStudy, type Place, type Scope, type Version } from './store.js';
import { asResponse } from '../../support/host/web-response.js';

export type Prefix = '' | '/v1' | '/v2';

export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Buffer;
}

/** A fresh service without anything stored. */
export class ModelledService {
  readonly #dispatch: Dispatch;
  readonly #archive: Archive;
  readonly #jobs: Jobs;
  readonly faults: unknown[] = [];

  constructor() {
    const config = readConfig({});
    const stores = { tables: new MemoryTableStore(), blobs: new MemoryBlobStore() };
    const services = createServices(stores, config);
    this.#archive = services.archive;
    this.#jobs = services.jobs;
    const pipeline = createPipeline({
      config,
      authenticate: openTo(config),
      services: async () => await Promise.resolve(services),
      log: (entry) => {
        if (entry.event === 'fault') this.faults.push(entry);
      },
    });
    this.#dispatch = createDispatcher(pipeline, Object.values(routes));
  }

  /**
   * Waits for what goes on behind the answers. Until it is noted in the log that an instance was refused
   * as a duplicate, the change feed ends before it.
   */
  async settle(): Promise<void> {
    await this.#archive.close();
  }

  /** Does all of an operation; answers how it ended. */
  async finish(operation: string): Promise<string | undefined> {
    const id = parseJobId(operation);
    if (id === undefined) throw new Error(`${operation} is no operation`);
    await this.#jobs.run(id, Infinity);
    return (await this.#jobs.find(id))?.status;
  }

  async send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const request = new Request(`http://localhost${path}`, { ...init, method });
    const response = asResponse(await this.#dispatch(request, new AbortController().signal));
    return {
      status: response.status,
      etag: response.headers.get('etag'),
      body: Buffer.from(await response.arrayBuffer()),
    };
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.send('GET', path, { headers });
  }

  /** Data sets or changes; 204 is none. */
  async list<T = Json>(path: string): Promise<readonly T[]> {
    const { status, body } = await this.get(path);
    if (status === 204) return [];
    if (status !== 200) throw new Error(`${status} for ${path}: ${body.toString()}`);
    return JSON.parse(body.toString()) as readonly T[];
  }

  async store(
    method: 'POST' | 'PUT',
    prefix: Prefix,
    inStudy: number | undefined,
    versions: readonly Version[],
  ): Promise<Answer> {
    const parts = versions.map((version) => ({
      headers: ['Content-Type: application/dicom'],
      body: fileOf(version),
    }));
    const study = inStudy === undefined ? '' : `/${uidOfStudy(inStudy)}`;
    return await this.send(method, `${prefix}/studies${study}`, {
      headers: { 'Content-Type': 'multipart/related; type="application/dicom"; boundary=b' },
      body: writeParts(parts, 'b'),
    });
  }
}

/** The value of every byte of pixels. */
export function pixelsOf({ number }: Version): Buffer {
  return Buffer.alloc(512, number % 251);
}

export function fileOf(version: Version): Buffer {
  const { patientName, patientID, studyDate, modality, number } = version;
  const optional = [
    ['00100010', 'PN', patientName],
    ['00080020', 'DA', studyDate],
    ['00080060', 'CS', modality],
  ] as const;
  return sampleInstance({
    study: uidOfStudy(version.study),
    series: uidOfSeries(version),
    instance: uidOf(version),
    pixelData: { native: pixelsOf(version) },
    omit: optional.flatMap(([tag, , value]) => (value === undefined ? [tag] : [])),
    overrides: [
      ...optional.flatMap(([tag, vr, value]) =>
        value === undefined ? [] : [element(tag, vr, ...(value === '' ? [] : [value]))],
      ),
      element('00100020', 'LO', patientID),
      element('00200013', 'IS', String(number)),
    ],
  });
}

/** The path of a study, series or instance. */
export function pathOf(prefix: Prefix, { study, series, instance }: Scope): string {
  const ofSeries = series === undefined ? '' : `/series/${uidOfSeries({ study, series })}`;
  const place: Place = { study, series: series ?? 0, instance: instance ?? 0 };
  const ofInstance = instance === undefined ? '' : `/instances/${uidOf(place)}`;
  return `${prefix}/studies/${uidOfStudy(study)}${ofSeries}${ofInstance}`;
}
