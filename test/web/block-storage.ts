/** Blob Storage as far as a page needs it to upload: blocks, block lists and CORS. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface BlockStorage {
  readonly origin: string;
  /** Ids of the blocks that were taken, in their order. */
  readonly received: readonly string[];
  /** The line of the next upload breaks behind its first block, for as often as a page tries. */
  breakAfterBlock(): void;
  /** Whether every line to it breaks. */
  isAway: boolean;
  /** A blob that was committed. */
  blob(path: string): Buffer;
  stop(): Promise<void>;
}

const cors = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': 'PUT,OPTIONS',
  'Access-Control-Allow-Headers': 'content-type,x-ms-*',
};

const firstBlock = btoa('000000');
/** A page sends a block three times before it gives up, and Chromium once more on a line that was idle. */
const attempts = 4;

function end(response: ServerResponse, status: number): void {
  response.writeHead(status, cors).end();
}

/** Starts it on a free port of this machine. */
export async function startBlockStorage(): Promise<BlockStorage> {
  const blocks = new Map<string, Buffer>();
  const blobs = new Map<string, Buffer>();
  const received: string[] = [];
  let failures = 0;
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      if (storage.isAway) request.socket.destroy();
      else if (request.method === 'OPTIONS') end(response, 200);
      else if (searchParams.get('sig') !== 'secret') end(response, 403);
      else if (searchParams.get('comp') === 'blocklist') {
        const ids = [...body.toString().matchAll(/<Latest>([^<]+)</g)].map(([, id = '']) => id);
        blobs.set(
          pathname,
          Buffer.concat(ids.map((id) => blocks.get(pathname + id) ?? Buffer.alloc(0))),
        );
        end(response, 201);
      } else if (failures > 0 && searchParams.get('blockid') !== firstBlock) {
        failures -= 1;
        request.socket.destroy();
      } else {
        const id = searchParams.get('blockid') ?? '';
        received.push(id);
        blocks.set(pathname + id, body);
        end(response, 201);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const storage: BlockStorage = {
    origin: `http://127.0.0.1:${port}`,
    received,
    breakAfterBlock: () => (failures = attempts),
    isAway: false,
    blob: (path) => blobs.get(path) ?? Buffer.alloc(0),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return storage;
}
