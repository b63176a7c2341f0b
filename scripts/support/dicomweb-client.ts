/**
 * The few DICOMweb transactions that the scripts need, over `fetch`: store, retrieve, metadata,
 * delete. An answer is a value, whatever its status; only a service that does not answer throws.
 */

/** The UIDs in an instance's URL. */
export interface InstanceAddress {
  readonly study: string;
  readonly series: string;
  readonly instance: string;
}

/** How a file is sent: as one part of a multipart body, or as the body itself (PS3.18 §10.5.1). */
export type StoreMode = 'multipart' | 'single';

/** What became of one instance. `message` is for people. */
export type StoreOutcome =
  | {
      readonly kind: 'stored';
      readonly status: number;
      /** From the Retrieve URL (0008,1190) of the answer. */
      readonly address?: InstanceAddress;
      /** Warning Reason (0008,1196). */
      readonly warning?: number;
    }
  | {
      readonly kind: 'failed';
      readonly status: number;
      /** Failure Reason (0008,1197), see PS3.18 §I.2. */
      readonly reason: number;
      readonly message: string;
    }
  | { readonly kind: 'rejected'; readonly status: number; readonly message: string };

/** The body of an answer, or the status when it is not 200. */
export type Answer =
  | { readonly ok: true; readonly body: Buffer; readonly contentType: string }
  | { readonly ok: false; readonly status: number; readonly message: string };

/** Failure Reason of an instance that is there already. */
export const alreadyStored = 45070;

const dicom = 'application/dicom';
const dicomJson = 'application/dicom+json';
const boundary = 'one-instance-7d5e0c31a94b';

/** The service cannot be reached, or hung up. */
export class ServiceUnreachable extends Error {
  override readonly name = 'ServiceUnreachable';
}

/** A client of one service; `url` may end in a version or partition (`…/v2`). */
export class DicomwebClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor(url: string, token?: string) {
    this.url = url.replace(/\/+$/, '');
    this.#token = token;
  }

  /** URL of an instance. */
  instanceUrl({ study, series, instance }: InstanceAddress): string {
    return `${this.url}/studies/${study}/series/${series}/instances/${instance}`;
  }

  /**
   * URL of an instance where it can be had in any transfer syntax: at unversioned URLs implicit VR and big endian
   * are not sent (PS3.18 §8.7.3), under a version they are.
   */
  storedUrl(address: InstanceAddress): string {
    const url = this.instanceUrl(address);
    const [, service = '', rest = ''] =
      /^(.*?)((?:\/partitions\/[^/]+)?\/studies\/.*)$/.exec(url) ?? [];
    return /\/v\d[^/]*$/.test(service) ? url : `${service}/v2${rest}`;
  }

  /** Stores one Part 10 file. */
  async store(file: Uint8Array, mode: StoreMode = 'multipart'): Promise<StoreOutcome> {
    const multipart = mode === 'multipart';
    const response = await this.#fetch(`${this.url}/studies`, {
      method: 'POST',
      headers: {
        Accept: dicomJson,
        'Content-Type': multipart
          ? `multipart/related; type="${dicom}"; boundary=${boundary}`
          : dicom,
      },
      body: multipart ? wrap(file) : file,
    });
    return readStoreAnswer(response.status, await text(response));
  }

  /** Retrieves one instance as it is stored, in whatever transfer syntax. */
  async retrieve(address: InstanceAddress): Promise<Answer> {
    const answer = await this.get(
      this.storedUrl(address),
      `multipart/related; type="${dicom}"; transfer-syntax=*`,
    );
    return unwrap(answer);
  }

  /** Retrieves the metadata of one instance as text. */
  async metadata(address: InstanceAddress): Promise<Answer> {
    return await this.get(`${this.instanceUrl(address)}/metadata`, dicomJson);
  }

  /** Retrieves a bulk value of an instance, whichever way the service names and wraps it. */
  async bulkData(uri: string, address: InstanceAddress): Promise<Answer> {
    const octets = 'application/octet-stream';
    const url = new URL(uri, `${this.instanceUrl(address)}/metadata`).href;
    return unwrap(await this.get(url, `${octets}, multipart/related; type="${octets}"`));
  }

  /** Deletes one instance and says with which status the service answered. */
  async delete(address: InstanceAddress): Promise<number> {
    const response = await this.#fetch(this.instanceUrl(address), { method: 'DELETE' });
    await response.body?.cancel();
    return response.status;
  }

  /** Gets any URL of the service. */
  async get(url: string, accept: string): Promise<Answer> {
    const response = await this.#fetch(url, { headers: { Accept: accept } });
    if (response.status !== 200) {
      return { ok: false, status: response.status, message: await problemText(response) };
    }
    return {
      ok: true,
      body: await bytes(response),
      contentType: response.headers.get('content-type') ?? '',
    };
  }

  async #fetch(url: string, request: RequestInit): Promise<Response> {
    const headers = new Headers(request.headers);
    if (this.#token !== undefined) headers.set('Authorization', `Bearer ${this.#token}`);
    return await reach(url, async () => await fetch(url, { ...request, headers }));
  }
}

/**
 * Unpacks the first part of a `multipart/related` answer; any other answer is handed back as it is.
 */
export function unwrap(answer: Answer): Answer {
  if (!answer.ok || !/^multipart\//i.test(answer.contentType)) return answer;
  const named = /;\s*boundary=(?:"([^"]+)"|([^\s;]+))/i.exec(answer.contentType);
  const delimiter = `--${named?.[1] ?? named?.[2] ?? ''}`;
  const start = answer.body.indexOf(delimiter);
  const head = answer.body.indexOf('\r\n\r\n', start);
  const end = answer.body.indexOf(`\r\n${delimiter}`, Math.max(0, head));
  if (named === null || start === -1 || head === -1 || end === -1) {
    return { ok: false, status: 200, message: 'the multipart body has no complete part' };
  }
  const type = /^content-type:\s*(.*)$/im.exec(answer.body.toString('latin1', start, head));
  return {
    ok: true,
    body: answer.body.subarray(Math.min(head + 4, end), end),
    contentType: type?.[1]?.trim() ?? '',
  };
}

/** Reads the answer to a store of one instance (PS3.18 §10.5.3). */
export function readStoreAnswer(status: number, body: string): StoreOutcome {
  const answer = parseRecord(body);
  const failure = firstItem(answer?.['00081198']);
  if (failure !== undefined) {
    return {
      kind: 'failed',
      status,
      reason: Number(firstValue(failure['00081197']) ?? 0),
      message: comments(failure),
    };
  }
  const success = firstItem(answer?.['00081199']);
  if (success !== undefined && status < 300) {
    const warning = firstValue(success['00081196']);
    const address = addressIn(firstValue(success['00081190']));
    return {
      kind: 'stored',
      status,
      ...(address !== undefined && { address }),
      ...(warning !== undefined && { warning: Number(warning) }),
    };
  }
  const detail = answer?.['detail'] ?? answer?.['title'];
  return { kind: 'rejected', status, message: typeof detail === 'string' ? detail : clip(body) };
}

function comments(failure: Record<string, unknown>): string {
  return values(failure['00741048'])
    .map((item) => firstValue(asRecord(item)?.['00000902']))
    .filter((comment) => typeof comment === 'string')
    .join('; ');
}

function addressIn(url: unknown): InstanceAddress | undefined {
  const path = /\/studies\/([^/]+)\/series\/([^/]+)\/instances\/([^/]+)$/.exec(String(url));
  const [study, series, instance] = path?.slice(1) ?? [];
  return study === undefined || series === undefined || instance === undefined
    ? undefined
    : { study, series, instance };
}

function wrap(file: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`--${boundary}\r\nContent-Type: ${dicom}\r\n\r\n`),
    file,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}

async function reach<T>(url: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    const why = cause instanceof Error ? cause.message || cause.name : String(cause);
    throw new ServiceUnreachable(`${new URL(url).origin} does not answer: ${why}`);
  }
}

async function bytes(response: Response): Promise<Buffer> {
  return await reach(response.url, async () => Buffer.from(await response.arrayBuffer()));
}

async function text(response: Response): Promise<string> {
  return (await bytes(response)).toString('utf8');
}

async function problemText(response: Response): Promise<string> {
  const body = await text(response);
  const detail = parseRecord(body)?.['detail'];
  return typeof detail === 'string' ? detail : clip(body);
}

function clip(body: string): string {
  return body.replace(/\s+/g, ' ').trim().slice(0, 200);
}

function parseRecord(body: string): Record<string, unknown> | undefined {
  try {
    return asRecord(JSON.parse(body));
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

function values(element: unknown): readonly unknown[] {
  const list = asRecord(element)?.['Value'];
  return Array.isArray(list) ? list : [];
}

function firstValue(element: unknown): unknown {
  return values(element)[0];
}

function firstItem(element: unknown): Record<string, unknown> | undefined {
  return asRecord(firstValue(element));
}
