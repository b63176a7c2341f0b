/**
 * A DICOMweb service in memory over a real socket, just enough for the scripts' tests, with hooks to
 * make it misbehave.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { readTinyDicom, textOf, tinyMetadata } from './tiny-dicom.js';

export interface StubService {
  readonly url: string;
  /** Paths of the instances that it holds. */
  readonly held: ReadonlyMap<string, Buffer>;
  /** `METHOD path content-type authorization` of every request. */
  readonly requests: readonly string[];
  readonly close: () => Promise<void>;
}

/** Faults: each is given what a good service would send, and changes it. */
export interface Faults {
  readonly retrieve?: (file: Buffer) => Buffer;
  readonly metadata?: (metadata: Record<string, unknown>) => Record<string, unknown>;
  readonly bulkData?: (value: Buffer) => Buffer;
  readonly remove?: () => number;
  readonly store?: () => { status: number; body: unknown } | undefined;
}

interface Reply {
  readonly status: number;
  readonly type?: string;
  readonly body?: Buffer | string;
}

const json = 'application/dicom+json';

/** Starts it on a free port. */
export async function startStubService(faults: Faults = {}): Promise<StubService> {
  const held = new Map<string, Buffer>();
  const requests: string[] = [];
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const { method = '', url = '', headers } = request;
      requests.push(
        `${method} ${url} ${headers['content-type'] ?? ''} ${headers.authorization ?? ''}`,
      );
      const reply = answer(method, url, headers, body);
      response.writeHead(reply.status, { 'content-type': reply.type ?? 'text/plain' });
      response.end(reply.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const answer = (
    method: string,
    url: string,
    headers: IncomingMessage['headers'],
    body: Buffer,
  ): Reply => {
    if (method === 'POST') return store(headers, body);
    const [, path = '', tag] = /^(?:\/v2)?(.*?)(?:\/metadata|\/bulk\/(\w+))?$/.exec(url) ?? [];
    const file = held.get(path);
    if (url.includes('?') || file === undefined) return { status: url.includes('?') ? 200 : 404 };
    if (method === 'DELETE') {
      const status = faults.remove?.() ?? 204;
      if (status === 204) held.delete(path);
      return { status };
    }
    if (tag !== undefined) {
      const value = readTinyDicom(file).get(tag)?.bytes ?? Buffer.alloc(0);
      return {
        status: 200,
        type: 'application/octet-stream',
        body: faults.bulkData?.(value) ?? value,
      };
    }
    if (url.endsWith('/metadata')) {
      const metadata = tinyMetadata(file);
      const changed = faults.metadata?.(metadata) ?? metadata;
      return { status: 200, type: json, body: JSON.stringify([changed]) };
    }
    return {
      status: 200,
      type: 'multipart/related; type="application/dicom"; boundary=stub',
      body: Buffer.concat([
        Buffer.from('--stub\r\nContent-Type: application/dicom\r\n\r\n'),
        faults.retrieve?.(file) ?? file,
        Buffer.from('\r\n--stub--'),
      ]),
    };
  };

  const store = (headers: IncomingMessage['headers'], body: Buffer): Reply => {
    const fault = faults.store?.();
    if (fault !== undefined) {
      return { status: fault.status, type: json, body: JSON.stringify(fault.body) };
    }
    const file = Buffer.from(firstPart(headers['content-type'] ?? '', body));
    const reply = (sequence: string, item: object, status: number): Reply => ({
      status,
      type: json,
      body: JSON.stringify({ [sequence]: { vr: 'SQ', Value: [item] } }),
    });
    const fail = (reason: number, comment: string): Reply =>
      reply(
        '00081198',
        {
          '00081197': { vr: 'US', Value: [reason] },
          '00741048': {
            vr: 'SQ',
            Value: [{ '00000902': { vr: 'LO', Value: [comment] } }],
          },
        },
        409,
      );
    if (file.toString('latin1', 128, 132) !== 'DICM') return fail(43264, 'not DICOM');
    const elements = readTinyDicom(file);
    const uid = (tag: string): string => textOf(elements, tag);
    const path = `/studies/${uid('0020000D')}/series/${uid('0020000E')}/instances/${uid('00080018')}`;
    if (held.has(path)) return fail(45070, 'already there');
    held.set(path, file.fill(0, 0, 128));
    return reply(
      '00081199',
      { '00081190': { vr: 'UR', Value: [`${address(server)}${path}`] } },
      200,
    );
  };

  return {
    url: address(server),
    held,
    requests,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function address(server: Server): string {
  const bound = server.address();
  return `http://127.0.0.1:${typeof bound === 'object' && bound !== null ? bound.port : 0}`;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function firstPart(contentType: string, body: Buffer): Buffer {
  const boundary = /boundary=(\S+)/.exec(contentType)?.[1];
  if (boundary === undefined) return body;
  return body.subarray(body.indexOf('\r\n\r\n') + 4, body.lastIndexOf(`\r\n--${boundary}--`));
}
