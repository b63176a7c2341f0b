/**
 * An HTTP proxy before the storage emulator that misbehaves as networks and busy services do. Shared
 * keys sign the path and not the host, so requests pass through as they are.
 */
import {
  Agent,
  createServer,
  request as send,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** THE table of faults: what each does to a request. */
export const faults = {
  delay: 'passed on late',
  'drop before': 'connection reset, nothing done',
  'drop after': 'done, connection reset instead of the answer',
  'cut request': 'connection reset in the middle of the request',
  'cut answer': 'done, answer cut off in its middle',
  silence: 'done, no answer at all',
  '429': 'answered 429, nothing done',
  '503': 'answered 503, nothing done',
  '503 after': 'done, answered 503',
  '500': 'answered 500, nothing done',
  '500 after': 'done, answered 500',
  'idle reset': 'done and answered, its connection reset right after',
  'busy partition': 'one table partition answers 503 for a while, nothing done',
  'late answer': 'done, answered long after everybody has given up',
  'late request': 'done long after everybody has given up',
} as const;
export type Fault = keyof typeof faults;

const names = Object.keys(faults) as Fault[];
const longestDelayMilliseconds = 400;
/** A connection without a call for so long is idle. */
const idleMilliseconds = 20;
/** A partition is busy for a third of the time at most. */
const busyShare = 1 / 3;

/** How long the faults that take their time last. */
export interface FaultSpans {
  readonly busySeconds: number;
  readonly lateSeconds: number;
}

/** The table partition that a request is for, if it is for one. */
function partitionIn({ url = '' }: IncomingMessage, body: Buffer): string | undefined {
  // Of a batch the first row tells; URLs within it are percent-encoded as those outside.
  const text = (url + body.subarray(0, 4000).toString('latin1'))
    .replaceAll(/%27/g, "'")
    .replaceAll(/%20/g, ' ')
    .replaceAll(/%7C/gi, '|');
  return /PartitionKey(?:='|":"| eq ')([^'"]+)/.exec(text)?.[1];
}

export interface FaultyProxy {
  /** The connection string given, with the endpoints of the proxy. */
  readonly connectionString: string;
  /** How often each fault was met. */
  readonly met: ReadonlyMap<Fault, number>;
  /** The share of requests that meet a fault, from 0 to 1. */
  share: number;
  stop(): Promise<void>;
}

async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function answerError(response: ServerResponse, status: number): void {
  const code = status === 500 ? 'InternalError' : 'ServerBusy';
  const body = JSON.stringify({ 'odata.error': { code, message: { lang: 'en', value: code } } });
  response.writeHead(status, { 'Content-Type': 'application/json', 'x-ms-error-code': code });
  response.end(body);
}

class Proxy {
  readonly #target: URL;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #choose: () => Fault | undefined;
  readonly #spans: FaultSpans;
  #busy: { readonly partition: string; readonly since: number } | undefined;
  readonly server: Server;

  constructor(target: string, choose: () => Fault | undefined, spans: FaultSpans) {
    this.#target = new URL(target);
    this.#choose = choose;
    this.#spans = spans;
    this.server = createServer((message, response) => {
      this.#handle(message, response).catch(() => response.destroy());
    });
  }

  async #handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(message);
    const fault = this.#choose();
    const partition = partitionIn(message, body);
    if (fault === 'busy partition') this.#makeBusy(partition);
    if (partition !== undefined && this.#isBusy(partition)) {
      answerError(response, 503);
      return;
    }
    const late = this.#spans.lateSeconds * 1000;
    switch (fault) {
      case 'late request':
        await sleep(late);
        break;
      case 'delay':
        await sleep(Math.random() * longestDelayMilliseconds);
        break;
      case 'drop before':
        response.destroy();
        return;
      case 'cut request':
        await this.#pass(message, body.subarray(0, body.length / 2), body.length).catch(
          () => undefined,
        );
        response.destroy();
        return;
      case '429':
      case '500':
      case '503':
        answerError(response, Number(fault));
        return;
      default:
    }
    const answer = await this.#pass(message, body, body.length);
    const content = await readBody(answer);
    switch (fault) {
      case 'drop after':
        response.destroy();
        return;
      case 'silence':
        return;
      case 'late answer':
        await sleep(late);
        break;
      case '500 after':
      case '503 after':
        answerError(response, Number(fault.slice(0, 3)));
        return;
      default:
    }
    response.writeHead(answer.statusCode ?? 500, answer.rawHeaders);
    if (fault === 'idle reset') {
      const { socket } = message;
      response.end(content, () => setTimeout(() => socket.resetAndDestroy(), idleMilliseconds));
      return;
    }
    if (fault !== 'cut answer') {
      response.end(content);
      return;
    }
    response.write(content.subarray(0, content.length / 2), () => response.destroy());
  }

  /** From now on a partition is busy, unless one has been of late. */
  #makeBusy(partition: string | undefined): void {
    const pause = (this.#spans.busySeconds * 1000) / busyShare;
    if (partition === undefined || Date.now() - (this.#busy?.since ?? 0) < pause) return;
    this.#busy = { partition, since: Date.now() };
  }

  #isBusy(partition: string): boolean {
    const { busySeconds } = this.#spans;
    return (
      partition === this.#busy?.partition && Date.now() - this.#busy.since < busySeconds * 1000
    );
  }

  /** No partition is busy any more. */
  calm(): void {
    this.#busy = undefined;
  }

  /** Sends a request on, or, when `body` is shorter than its length, breaks it off. */
  async #pass(message: IncomingMessage, body: Buffer, length: number): Promise<IncomingMessage> {
    return await new Promise((resolve, reject) => {
      const { hostname, port } = this.#target;
      const { method, url, headers } = message;
      const outgoing = send({ hostname, port, method, path: url, headers, agent: this.#agent });
      outgoing.once('response', resolve).once('error', reject);
      if (body.length === length) outgoing.end(body);
      else outgoing.write(body, () => outgoing.destroy(new Error('cut')));
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const { port } = this.server.address() as AddressInfo;
    return `http://127.0.0.1:${port}${this.#target.pathname}`;
  }

  async stop(): Promise<void> {
    this.#agent.destroy();
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}

function endpointOf(connectionString: string, service: 'Blob' | 'Table'): string {
  const url = new RegExp(`${service}Endpoint=([^;]+)`).exec(connectionString)?.[1];
  if (url === undefined) throw new Error(`The connection string has no ${service}Endpoint.`);
  return url;
}

/** Starts a proxy before both services of the emulator; at first it does no harm. */
export async function startFaultyProxy(
  connectionString: string,
  random: () => number,
  spans: FaultSpans,
): Promise<FaultyProxy> {
  const met = new Map<Fault, number>();
  let share = 0;
  const choose = (): Fault | undefined => {
    if (random() >= share) return undefined;
    const fault = names[Math.floor(random() * names.length)];
    if (fault !== undefined) met.set(fault, (met.get(fault) ?? 0) + 1);
    return fault;
  };
  const blobUrl = endpointOf(connectionString, 'Blob');
  const tableUrl = endpointOf(connectionString, 'Table');
  const blobs = new Proxy(blobUrl, choose, spans);
  const tables = new Proxy(tableUrl, choose, spans);
  const [blobEndpoint, tableEndpoint] = [await blobs.listen(), await tables.listen()];
  return {
    connectionString: connectionString
      .replace(blobUrl, blobEndpoint)
      .replace(tableUrl, tableEndpoint),
    met,
    get share() {
      return share;
    },
    set share(value) {
      share = value;
      if (value === 0) tables.calm();
    },
    async stop() {
      await Promise.all([blobs.stop(), tables.stop()]);
    },
  };
}
