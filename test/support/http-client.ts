/** An HTTP client over sockets for what `fetch` hides: raw bytes, pauses, resets, waiting for leave. */
import { once } from 'node:events';
import { request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';

/** Begins a request; the response has not been read. */
export function begin(url: string, options: RequestOptions = {}): ClientRequest {
  return request(url, { agent: false, ...options });
}

/** The response of a request, once its headers have come. */
export async function responseOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  return incoming;
}

/** The whole body. */
export async function readAll(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The first chunk of the body; nothing more is read after it. */
export async function firstChunk(incoming: IncomingMessage): Promise<Buffer> {
  const [chunk] = (await once(incoming, 'data')) as [Buffer];
  incoming.pause();
  return chunk;
}

/** A socket to the service, for requests that no client library would send. */
export async function openSocket(baseUrl: string): Promise<Socket> {
  const socket = connect(Number(new URL(baseUrl).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Sends text over a socket of its own and reads until the service closes it. */
export async function sendRaw(baseUrl: string, text: string): Promise<string> {
  const socket = await openSocket(baseUrl);
  socket.write(text);
  const chunks: Buffer[] = [];
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const mebibyte = 1024 ** 2;

/** A request with a body of zeros. */
export interface Sending {
  /** The request line and headers, less those of host and length. */
  readonly head: string;
  readonly mebibytes: number;
  readonly isChunked: boolean;
}

/** Sends a whole request, and only then looks for the answer. `onBytes` hears of bytes that are on their way. */
export async function sendBlindly(
  baseUrl: string,
  { head, mebibytes, isChunked }: Sending,
  onBytes: (bytes: number) => void = () => undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const socket = await openSocket(baseUrl);
  const send = async (data: string | Uint8Array) => {
    if (!socket.write(data)) await once(socket, 'drain');
  };
  const framing = isChunked
    ? 'Transfer-Encoding: chunked'
    : `Content-Length: ${mebibytes * mebibyte}`;
  await send(`${head}Host: service.example\r\n${framing}\r\n\r\n`);
  const chunk = new Uint8Array(mebibyte);
  for (let count = 0; count < mebibytes; count += 1) {
    if (isChunked) await send(`${mebibyte.toString(16)}\r\n`);
    await send(chunk);
    onBytes(mebibyte);
    if (isChunked) await send('\r\n');
  }
  if (isChunked) await send('0\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  const text = answer.toString();
  return { status: Number(text.split(' ')[1]), text };
}
