/** A closed loop of clients over kept-alive connections: each sends its next request after an answer. */
import { Agent, request, type OutgoingHttpHeaders } from 'node:http';

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: readonly Uint8Array[];
  /** 200 when left out. */
  readonly status?: number;
  /** Whether the answer is wanted, not only counted. */
  readonly keep?: boolean;
}

export interface Answer {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly bytes: number;
  /** Its body, of a call that keeps it. */
  readonly body?: Buffer;
  /** Until the first byte of the body, from the start of the request. */
  readonly firstByteMilliseconds: number;
}

/** Connections to a server, kept open. */
export class Client {
  readonly #agent: Agent;
  readonly #base: URL;

  constructor(baseUrl: string, connections: number) {
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
    this.#base = new URL(baseUrl);
  }

  /** Sends a request and reads the answer to its end. @throws Error for any other status. */
  async send({
    method = 'GET',
    path,
    headers = {},
    body = [],
    status = 200,
    keep = false,
  }: Call): Promise<Answer> {
    const started = performance.now();
    const length = body.reduce((sum, part) => sum + part.length, 0);
    return await new Promise<Answer>((resolve, reject) => {
      const outgoing = request(
        {
          agent: this.#agent,
          host: this.#base.hostname,
          port: this.#base.port,
          path: this.#base.pathname.replace(/\/$/, '') + path,
          method,
          headers: length === 0 ? headers : { ...headers, 'Content-Length': length },
        },
        (incoming) => {
          let bytes = 0;
          let first = 0;
          const head: Uint8Array[] = [];
          incoming.on('data', (chunk: Uint8Array) => {
            if (bytes === 0) {
              first = performance.now() - started;
              head.push(chunk);
            } else if (keep) head.push(chunk);
            bytes += chunk.length;
          });
          incoming.once('error', reject);
          incoming.once('end', () => {
            if (incoming.statusCode === status) {
              const answer = { headers: incoming.headers, bytes, firstByteMilliseconds: first };
              resolve(keep ? { ...answer, body: Buffer.concat(head) } : answer);
              return;
            }
            const said = Buffer.concat(head).toString('utf8', 0, 500);
            reject(new Error(`${method} ${path}: ${String(incoming.statusCode)} ${said}`));
          });
        },
      );
      outgoing.once('error', reject);
      for (const part of body) outgoing.write(part);
      outgoing.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Does `work` for 0 to `count` − 1 by so many clients at a time; resolves to how many a second. */
export async function rateOf(
  clients: number,
  count: number,
  work: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const started = performance.now();
  const client = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (count * 1000) / (performance.now() - started);
}

/** As `rateOf`, for so long instead of so often; what is under way at the end still counts. */
export async function rateWithin(
  clients: number,
  milliseconds: number,
  work: (n: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const started = performance.now();
  const client = async () => {
    while (performance.now() - started < milliseconds) await work(next++);
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (next * 1000) / (performance.now() - started);
}
