/**
 * The vocabulary of the conformance suite: one scene for each host, storage and URL form, over real
 * HTTP, and a DICOMweb client of a few words (`stow`, `get`, `search`, `remove`).
 */
import { afterAll, beforeAll, describe, expect } from '@jest/globals';
import type { Element } from '../../src/dicom/data-set.js';
import { keepQuerySecret, secretsIn } from './leaks.js';
import { writeParts, readParts, type ReceivedPart, type SentPart } from './multipart.js';
import { sampleInstance, type SampleSpec } from './part10-builder.js';
import { hosts, startService, type Service, type ServiceOptions } from './service.js';

/** A URL form, and the contract that clients of it know. */
export interface Face {
  readonly name: 'PS3.18' | 'v1' | 'v2';
  readonly prefix: '' | '/v1' | '/v2';
  /** Whether it follows the Microsoft server where that differs from PS3.18. */
  readonly microsoft: boolean;
}

export const standard: Face = { name: 'PS3.18', prefix: '', microsoft: false };
export const v1: Face = { name: 'v1', prefix: '/v1', microsoft: true };
export const v2: Face = { name: 'v2', prefix: '/v2', microsoft: true };
export const faces: readonly Face[] = [standard, v1, v2];

/** A data set as it stands in JSON. */
export type Json = Readonly<Record<string, Element | undefined>>;

/** The UIDs of one instance. */
export interface Uids {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}

const root = '1.2.826.0.1.3680043.8.498';
export const sopClass = '1.2.840.10008.5.1.4.1.1.2';

let used = 0;

/** A UID, or another value, that no other test of the file has. */
export function fresh(prefix = `${root}.`): string {
  used += 1;
  return `${prefix}${used}`;
}

/** UIDs of their own for a test; `known` ones are kept, for a further instance of a study. */
export function freshUids(known: Partial<Uids> = {}): Uids {
  return {
    study: known.study ?? fresh(`${root}.1.`),
    series: known.series ?? fresh(`${root}.2.`),
    instance: known.instance ?? fresh(`${root}.3.`),
  };
}

/** Path of a study, series or instance. */
export function pathOf({ study, series, instance }: Pick<Uids, 'study'> & Partial<Uids>): string {
  const ofSeries = series === undefined ? '' : `/series/${series}`;
  const ofInstance = instance === undefined ? '' : `/instances/${instance}`;
  return `/studies/${study}${ofSeries}${ofInstance}`;
}

/** An instance to store: its UIDs and its file. */
export interface Sample extends Uids {
  readonly file: Buffer;
}

/** A small instance; UIDs that are not given are fresh. */
export function sample(spec: SampleSpec = {}): Sample {
  const uids = freshUids(spec);
  return { ...uids, file: sampleInstance({ ...spec, ...uids }) };
}

/** A part as most clients write it. */
export function dicomPart(file: Uint8Array): SentPart {
  return { headers: ['Content-Type: application/dicom'], body: file };
}

export interface StowOptions {
  /** In the path. */
  readonly study?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The first value of an element. */
export function valueOf(dataSet: Json | undefined, tag: string): unknown {
  return dataSet?.[tag]?.Value?.[0];
}

/** Waits for something that no event tells of; the time limit of the test bounds it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise(setImmediate);
}

/** A DICOMweb client for one URL form of a running service. */
export class Client {
  readonly #service: () => Service;
  readonly face: Face;

  constructor(face: Face, service: () => Service) {
    this.face = face;
    this.#service = service;
  }

  get service(): Service {
    return this.#service();
  }

  /** Up to and including the version. */
  get baseUrl(): string {
    return this.service.baseUrl + this.face.prefix;
  }

  /** Absolute URL of a resource. */
  url(path: string): string {
    return this.baseUrl + path;
  }

  async send(method: string, path: string, init: RequestInit = {}): Promise<Response> {
    keepQuerySecret(this.url(path));
    return await fetch(this.url(path), { ...init, method });
  }

  async get(path: string, accept?: string): Promise<Response> {
    return await this.send('GET', path, accept === undefined ? {} : { headers: { accept } });
  }

  /** Stores files as parts of one request. */
  async stow(
    parts: readonly (Uint8Array | SentPart)[],
    { study, contentType, headers = {} }: StowOptions = {},
  ): Promise<Response> {
    const boundary = 'the-boundary';
    const body = writeParts(
      parts.map((part) => (part instanceof Uint8Array ? dicomPart(part) : part)),
      boundary,
    );
    return await this.post(study, body, {
      'Content-Type':
        contentType ?? `multipart/related; type="application/dicom"; boundary=${boundary}`,
      Accept: 'application/dicom+json',
      ...headers,
    });
  }

  /** Posts a body to the archive, or to a study. */
  async post(
    study: string | undefined,
    body: Uint8Array | ReadableStream<Uint8Array>,
    headers: Readonly<Record<string, string>>,
  ): Promise<Response> {
    return await this.send('POST', study === undefined ? '/studies' : `/studies/${study}`, {
      body,
      headers,
      duplex: 'half',
    });
  }

  /** Stores instances that a test needs to be there; fails the test when one is not accepted. */
  async store(...samples: readonly Sample[]): Promise<void> {
    const response = await this.stow(samples.map(({ file }) => file));
    const body = await response.text();
    expect({ status: response.status, body }).toEqual({ status: 200, body });
  }

  /** Stores instances that some faces accept with a warning, and with 202. */
  async storeAny(...samples: readonly Sample[]): Promise<void> {
    const response = await this.stow(samples.map(({ file }) => file));
    await response.arrayBuffer();
    expect([200, 202]).toContain(response.status);
  }

  /** The parts of a multipart answer that must be 200. */
  async parts(path: string, accept: string): Promise<readonly ReceivedPart[]> {
    const response = await this.get(path, accept);
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${response.status} ${body.toString()}`);
    return readParts(response.headers.get('content-type') ?? '', body);
  }

  /** The bytes of a single-part answer that must be 200. */
  async bytes(path: string, accept: string): Promise<Buffer> {
    const response = await this.get(path, accept);
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${response.status} ${body.toString()}`);
    return body;
  }

  /** The data sets of a search or of metadata; 204 is none. */
  async json(path: string): Promise<readonly Json[]> {
    const response = await this.get(path, 'application/dicom+json');
    if (response.status === 204) return [];
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as readonly Json[];
  }

  /** Whether anything of a study can be retrieved or found. */
  async isThere(study: string): Promise<boolean> {
    const response = await this.get(`/studies/${study}/metadata`);
    await response.arrayBuffer();
    const found = await this.json(`/studies?StudyInstanceUID=${study}`);
    return response.status !== 404 || found.length > 0;
  }

  /** Deletes; resolves to the status. */
  async remove(path: string): Promise<number> {
    const response = await this.send('DELETE', path);
    await response.arrayBuffer();
    return response.status;
  }

  /** Holds an error answer against what every error answer must be; resolves to its text. */
  async refusal(response: Response, status: number): Promise<string> {
    const text = await response.text();
    expect({ status: response.status, text }).toEqual({ status, text });
    const requestId = response.headers.get('x-request-id') ?? '';
    expect(requestId).not.toBe('');
    expect(secretsIn(text)).toEqual([]);
    expect(text).not.toMatch(/\bat \S+ \(|node:|\.[jt]s:\d/);
    const type = response.headers.get('content-type') ?? '';
    if (this.face.microsoft) {
      expect(type).toMatch(/^text\/plain/);
      expect(text).not.toBe('');
      return text;
    }
    expect(type).toBe('application/problem+json');
    const problem = JSON.parse(text) as { detail: string };
    expect(problem).toMatchObject({
      status,
      requestId,
      type: expect.stringMatching(/^urn:/) as unknown,
      title: expect.stringMatching(/./) as unknown,
      detail: expect.stringMatching(/./) as unknown,
      code: expect.stringMatching(/./) as unknown,
    });
    return problem.detail;
  }
}

interface Deployment {
  readonly host: (typeof hosts)[number];
  readonly storage: 'memory' | 'azurite';
  readonly faces: readonly Face[];
}

/** Use cases differ by URL form, and know neither host nor storage. */
const useCases: readonly Deployment[] = [{ host: 'local', storage: 'memory', faces }];
const inMemory: readonly Deployment[] = hosts.map((host) => ({ host, storage: 'memory', faces }));
/** The use cases, and once more as they are deployed: storage does not know URL forms. */
const deployments: readonly Deployment[] = [
  ...useCases,
  { host: 'functions', storage: 'azurite', faces: [standard] },
];

/**
 * Runs a suite for each URL form over memory, or over what `options` makes: for what neither host nor
 * storage is a part of. Each gets a client. The service is shared by the tests of a file, which therefore
 * use UIDs of their own.
 */
export function onEveryFace(
  suite: (client: Client) => void,
  options: () => Partial<ServiceOptions> = () => ({}),
): void {
  run(useCases, options, suite);
}

/** The same, and on the Functions host over Azurite: for what storage may answer otherwise. */
export function onEveryDeployment(suite: (client: Client) => void): void {
  run(deployments, () => ({}), suite);
}

/** The same on each host over memory: for what hosts may carry otherwise. */
export function onEveryHost(
  suite: (client: Client) => void,
  options: () => Partial<ServiceOptions> = () => ({}),
): void {
  run(inMemory, options, suite);
}

function run(
  table: readonly Deployment[],
  options: () => Partial<ServiceOptions>,
  suite: (client: Client) => void,
): void {
  describe.each(table)('on the $host host over $storage', ({ host, storage, faces: spoken }) => {
    let service: Service | undefined;

    beforeAll(async () => {
      service = await startService({ host, storage, ...options() });
    });

    afterAll(async () => {
      await service?.stop();
    });

    describe.each(spoken)('at the URLs of $name', (face) => {
      suite(
        new Client(face, () => {
          if (service === undefined) throw new Error('The service has not started.');
          return service;
        }),
      );
    });
  });
}
