/** The server that is migrated from: what it is found to be, and the few things that are asked of it. */
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { parseMediaType } from '../../src/http/media-type.js';
import { readMultipart } from '../../src/multipart/reader.js';
import { ServiceUnreachable } from '../support/dicomweb-client.js';
import { sendWithRetries, retryAfterOf } from '../support/with-retries.js';
import { baseOf, instanceUrl, parseServiceUrl, type PlacedInstance } from './addresses.js';
import type { Tokens } from './tokens.js';

/** How the source tells what it has. `sequence` is the change feed of /v1, `window` that of /v2. */
export type Way = 'sequence' | 'window' | 'search';

export interface SourceOptions {
  readonly url: string;
  readonly tokens: Tokens;
  /** Milliseconds before each further attempt while the source is busy or away. */
  readonly pauses: readonly number[];
  /** Whether the change feed may be used. */
  readonly by: 'feed' | 'search' | undefined;
}

/** The source is no DICOMweb service, or does not let us in; shown as it is. */
export class SourceRefused extends Error {
  override readonly name = 'SourceRefused';
}

export interface JsonAnswer {
  readonly status: number;
  readonly retryAfter: number;
  /** `undefined` for an answer without a body, and for one that is no JSON. */
  readonly body: unknown;
}

/** What became of a download. */
export type Download =
  { readonly outcome: 'file' | 'gone' } | { readonly outcome: 'failed'; readonly why: string };

const dicom = 'application/dicom';
/** As it is stored, whatever that is; the second for servers that send multipart alone. */
const accepts = [
  `${dicom}; transfer-syntax=*`,
  `multipart/related; type="${dicom}"; transfer-syntax=*`,
] as const;

/** The body of an answer that holds one file. */
async function* fileIn(response: Response): AsyncGenerator<Uint8Array, void, undefined> {
  const body = response.body as AsyncIterable<Uint8Array> | null;
  if (body === null) return;
  const type = parseMediaType(response.headers.get('content-type') ?? '');
  const boundary = type?.parameters.get('boundary');
  if (type?.essence !== 'multipart/related' || boundary === undefined) {
    yield* body;
    return;
  }
  for await (const part of readMultipart(body, boundary)) {
    yield* part.body;
    return;
  }
}

export class Source {
  /** Of the version that is read. */
  readonly root: string;
  readonly way: Way;
  /** The partition that alone is read; all when left out. */
  readonly partition: string | undefined;
  readonly #options: SourceOptions;
  #accept: string = accepts[0];

  constructor(root: string, way: Way, partition: string | undefined, options: SourceOptions) {
    this.root = root;
    this.way = way;
    this.partition = partition;
    this.#options = options;
  }

  /** @throws ServiceUnreachable, NoToken. */
  async json(url: string, accept = 'application/json'): Promise<JsonAnswer> {
    return await readJson(url, accept, this.#options);
  }

  /**
   * Writes the file of an instance, in the transfer syntax in which it is stored.
   *
   * @throws ServiceUnreachable, NoToken; SourceRefused when the source does not let us read.
   */
  async download(instance: PlacedInstance, path: string): Promise<Download> {
    const url = instanceUrl(baseOf(this.root, instance.partition), instance);
    for (;;) {
      const accept = this.#accept;
      const headers = await headersOf(this.#options, accept);
      const { status } = await sendWithRetries(url, this.#options.pauses, async () => {
        const response = await fetch(url, { headers });
        if (response.status === 200) await pipeline(fileIn(response), createWriteStream(path));
        else await response.body?.cancel();
        return { status: response.status, retryAfter: retryAfterOf(response) };
      });
      if (status === 200) return { outcome: 'file' };
      if (status === 404 || status === 410) return { outcome: 'gone' };
      if (status === 401 || status === 403) throw denied(url, status);
      if (accept === accepts[1] || (status !== 406 && status !== 400)) {
        return { outcome: 'failed', why: `the source answered ${status}` };
      }
      this.#accept = accepts[1];
    }
  }
}

async function headersOf({ tokens }: SourceOptions, accept: string) {
  const token = await tokens();
  return {
    Accept: accept,
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
  };
}

async function readJson(url: string, accept: string, options: SourceOptions): Promise<JsonAnswer> {
  const headers = await headersOf(options, accept);
  return await sendWithRetries(url, options.pauses, async () => {
    const response = await fetch(url, { headers });
    const text = await response.text();
    let body: unknown;
    try {
      body = text === '' ? undefined : JSON.parse(text);
    } catch {
      body = undefined;
    }
    return { status: response.status, retryAfter: retryAfterOf(response), body };
  });
}

function denied(url: string, status: number): SourceRefused {
  const hint =
    status === 401
      ? 'set --token or --token-command.'
      : 'the token may not read it. The change feed takes the permission to read everything; --by search does without it.';
  return new SourceRefused(`${new URL(url).origin} answered ${status}: ${hint}`);
}

/**
 * Finds out what a URL is: under which version, and whether there is a change feed.
 *
 * @throws SourceRefused, ServiceUnreachable, NoToken.
 */
export async function openSource(options: SourceOptions): Promise<Source> {
  const { url, by } = options;
  const address = parseServiceUrl(url);
  if (address === undefined) throw new SourceRefused(`${url} is no URL of a service.`);
  const { origin, version, partition } = address;
  const roots = version === undefined ? [`${origin}/v2`, origin] : [`${origin}/${version}`];
  const asks = async (path: string, accept?: string): Promise<boolean> => {
    const { status } = await readJson(path, accept ?? 'application/json', options);
    if (status === 401 || status === 403) throw denied(path, status);
    return status === 200 || status === 204;
  };
  if (by !== 'search') {
    for (const root of roots) {
      if (!(await asks(`${root}/changefeed/latest?includemetadata=false`))) continue;
      return new Source(root, /\/v1[^/]*$/.test(root) ? 'sequence' : 'window', partition, options);
    }
    if (by === 'feed') throw new SourceRefused(`${url} has no change feed.`);
  }
  for (const root of roots) {
    const studies = `${baseOf(root, partition)}/studies?limit=1`;
    const isThere =
      (await asks(studies, 'application/dicom+json')) ||
      (partition === undefined && (await asks(`${root}/partitions`)));
    if (isThere) return new Source(root, 'search', partition, options);
  }
  throw new SourceRefused(`${url} answers as no DICOMweb service does.`);
}

/** A page that is no array. @throws ServiceUnreachable. */
export function arrayIn({ status, body }: JsonAnswer, url: string): readonly unknown[] {
  if (status === 204) return [];
  if (status === 401 || status === 403) throw denied(url, status);
  if (status === 200 && Array.isArray(body)) return body;
  throw new ServiceUnreachable(
    `${new URL(url).origin} answered ${status} to ${new URL(url).pathname}`,
  );
}
