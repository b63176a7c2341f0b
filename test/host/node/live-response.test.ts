import { createServer, get, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventEmitter, once } from 'node:events';
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

  it('waits for the client only when a quarter of a mebibyte waits for it', async () => {
    const isWaitedFor = async (writableLength: number) => {
      const state = { writableNeedDrain: true, writableLength, destroyed: false };
      const response = Object.assign(new EventEmitter(), state);
      let waits = true;
      const waiting = untilDrained(response as unknown as ServerResponse).then(() => {
        waits = false;
      });
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
      const answer = waits;
      response.emit('drain');
      await waiting;
      expect(response.listenerCount('close')).toBe(0);
      return answer;
    };
    expect(await isWaitedFor(256 * 1024 - 1)).toBe(false);
    expect(await isWaitedFor(256 * 1024)).toBe(true);
  });
});
