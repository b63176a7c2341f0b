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
