/** Sends hostile requests and says what came back: statuses, how long it took, what was acknowledged. */
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import type { Answer, PlainRequest, RawRequest } from './case.js';

/** As long as an answer may take before the driver gives up on it. */
const answerMilliseconds = 60_000;

const keepAlive = new Agent({ keepAlive: true });

async function sendPlain(baseUrl: string, hostile: PlainRequest): Promise<Answer> {
  const started = performance.now();
  const { method, path, headers, body } = hostile;
  const base = new URL(baseUrl);
  return await new Promise((resolve) => {
    let answered = false;
    const settle = (statuses: readonly number[], text: string, injected = false) => {
      resolve({ statuses, text, injected, milliseconds: performance.now() - started });
    };
    const outgoing = request({
      host: '127.0.0.1',
      port: base.port,
      method,
      path,
      agent: keepAlive,
      timeout: answerMilliseconds,
      headers: { ...headers, 'Content-Length': String(body?.length ?? 0) },
    });
    outgoing.once('timeout', () => outgoing.destroy());
    outgoing.once('response', (incoming) => {
      answered = true;
      const chunks: Buffer[] = [];
      const status = incoming.statusCode ?? 0;
      const finish = () => {
        settle([status], Buffer.concat(chunks).toString(), 'x-injected' in incoming.headers);
      };
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.once('end', finish).once('error', finish);
    });
    outgoing.once('error', () => {
      if (!answered) settle([], '');
    });
    outgoing.end(body);
  });
}

async function sendRaw(baseUrl: string, { raw }: RawRequest): Promise<Answer> {
  const started = performance.now();
  return await new Promise((resolve) => {
    const socket = connect(Number(new URL(baseUrl).port), '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.setTimeout(answerMilliseconds, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => {
      const text = Buffer.concat(chunks).toString('latin1');
      const statuses = [...text.matchAll(/^HTTP\/1\.[01] (\d{3})/gm)].map(([, code]) =>
        Number(code),
      );
      const injected = /^X-Injected/im.test(text);
      resolve({ statuses, text, injected, milliseconds: performance.now() - started });
    });
    socket.end(raw);
  });
}

/** Sends a request; never rejects. */
export async function send(baseUrl: string, hostile: PlainRequest | RawRequest): Promise<Answer> {
  return 'raw' in hostile ? await sendRaw(baseUrl, hostile) : await sendPlain(baseUrl, hostile);
}
