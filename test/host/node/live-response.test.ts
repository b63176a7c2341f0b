import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { untilDrained } from '../../../src/host/node/live-response.js';

describe('untilDrained', () => {
  it('lets others have their turn, however ready the response is', async () => {
    let turns = 0;
    let asked = 0;
    const server = createServer((_, response) => {
      setImmediate(() => (turns += 1));
      const write = async () => {
        for (; asked < 1_000_000 && turns === 0; asked += 1) await untilDrained(response);
        response.end();
      };
      void write();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => {
      get({ host: '127.0.0.1', port }, (incoming) => incoming.resume().once('end', resolve));
    });
    server.close();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(1_000_000);
  });
});
