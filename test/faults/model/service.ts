/** The service as a function from request to response, over memory, and the words to speak to it. */
import { expireStudies } from '../../../src/dicomweb/delete/expire-studies.js';
import { createServices, type Services } from '../../../src/dicomweb/services.js';
import { readConfig } from '../../../src/host/config.js';
import { parseJobId } from '../../../src/jobs/job.js';
import { MemoryBlobStore } from '../../../src/storage/memory/memory-blob-store.js';
import { MemoryExportDestinations } from '../../../src/storage/memory/memory-export-destinations.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import type { Json } from '../../support/conformance.js';
import { inProcess, type Send } from '../../support/in-process.js';
import { writeParts } from '../../support/multipart.js';
import { element, sampleInstance } from '../../support/part10-builder.js';
import { uidOf, uidOfSeries, uidOfStudy, type Place, type Scope, type Version } from './store.js';

export type Prefix = '' | '/v1' | '/v2';

export interface Answer {
  readonly status: number;
  readonly etag: string | null;
  readonly body: Buffer;
}

/** A fresh service without anything stored. */
export class ModelledService {
  readonly #services: Services;
  readonly #send: Send;
  readonly #exports = new MemoryExportDestinations();
  #ahead = 0;
  readonly faults: unknown[] = [];

  constructor() {
    const tables = new MemoryTableStore({ now: () => Date.now() + this.#ahead });
    const stores = { tables, blobs: new MemoryBlobStore(), exports: this.#exports };
    this.#services = createServices(stores, readConfig({}));
    this.#send = inProcess(this.#services, (entry) => {
      if (entry.event === 'fault') this.faults.push(entry);
    });
  }

  /**
   * Waits for what goes on behind the answers. Until it is noted in the log that an instance was refused
   * as a duplicate, the change feed ends before it.
   */
  async settle(): Promise<void> {
    await this.#services.archive.close();
  }

  /** Lets time pass, and what is due then expire. */
  async pass(minutes: number): Promise<void> {
    await this.settle();
    this.#ahead += minutes * 60_000;
    await expireStudies(this.#services, Infinity);
  }

  /** An empty container to export to. */
  container(): { readonly uri: string; readonly blobs: ReadonlyMap<string, Buffer> } {
    const uri = `https://account.blob.core.windows.net/c${this.#exports.containers.size}`;
    const blobs = new Map<string, Buffer>();
    this.#exports.containers.set(uri, blobs);
    return { uri, blobs };
  }

  /** Does all of an operation; answers how it ended. */
  async finish(operation: string): Promise<string | undefined> {
    const id = parseJobId(operation);
    if (id === undefined) throw new Error(`${operation} is no operation`);
    const { jobs } = this.#services;
    await jobs.run(id, Infinity);
    return (await jobs.find(id))?.status;
  }

  async send(method: string, path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await this.#send(method, path, init);
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
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const parts = versions.map((version) => ({
      headers: ['Content-Type: application/dicom'],
      body: fileOf(version),
    }));
    const study = inStudy === undefined ? '' : `/${uidOfStudy(inStudy)}`;
    return await this.send(method, `${prefix}/studies${study}`, {
      headers: {
        'Content-Type': 'multipart/related; type="application/dicom"; boundary=b',
        ...headers,
      },
      body: writeParts(parts, 'b'),
    });
  }
}

/** The value of every byte of pixels. */
export function pixelsOf({ number }: Version): Buffer {
  return Buffer.alloc(512, number % 251);
}

/** The values that query tags are added for: one of each instance, and one that a study's instances share. */
export const acquisitionOf = ({ number }: Version): number => number % 3;
export const birthNameOf = ({ study }: Pick<Version, 'study'>): string => `Name${study}^Of`;

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
      element('00200012', 'IS', String(acquisitionOf(version))),
      element('00101005', 'PN', birthNameOf(version)),
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
