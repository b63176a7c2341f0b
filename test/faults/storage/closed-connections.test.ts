/** Idle connections to storage that are closed by the other side just when they are used again. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createServices } from '../../../src/dicomweb/services.js';
import { defaultLimits } from '../../../src/dicomweb/limits.js';
import { connectStorage } from '../../../src/storage/azure/connect.js';
import { testConnectionString, testPrefix } from '../../support/storage/azurite.js';
import { Client, sample, standard } from '../../support/conformance.js';
import { startService, type Service } from '../../support/service.js';

/** Passes connections on; those that it has been told to close are reset by the next byte that comes. */
class Gateway {
  readonly #server: Server;
  #closed = new WeakSet<Socket>();
  readonly #open = new Set<Socket>();
  /** Connections that were reset when a call came. */
  resets = 0;

  constructor(target: URL) {
    this.#server = createServer((socket) => {
      const onward = connect(Number(target.port), target.hostname);
      this.#open.add(socket);
      socket.on('data', (bytes) => {
        if (!this.#closed.has(socket)) onward.write(bytes);
        else if (!socket.destroyed) {
          this.resets += 1;
          socket.resetAndDestroy();
        }
      });
      onward.on('data', (bytes) => socket.write(bytes));
      socket.on('error', () => undefined).on('close', () => onward.destroy());
      onward.on('error', () => undefined).on('close', () => socket.destroy());
      socket.on('close', () => this.#open.delete(socket));
    });
  }

  closeIdle(): void {
    for (const socket of this.#open) this.#closed.add(socket);
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

describe('a service whose idle connections to storage have been closed', () => {
  let service: Service | undefined;
  let gateways: Gateway[] = [];
  let connectionString = '';

  beforeEach(async () => {
    connectionString = testConnectionString();
    gateways = [];
    for (const kind of ['Blob', 'Table']) {
      const url = new RegExp(`${kind}Endpoint=([^;]+)`).exec(connectionString)?.[1] ?? '';
      const gateway = new Gateway(new URL(url));
      const there = new URL(url);
      there.port = String(await gateway.listen());
      connectionString = connectionString.replace(url, there.href);
      gateways.push(gateway);
    }
  });
  afterEach(async () => {
    await service?.stop();
    for (const gateway of gateways) await gateway.stop();
  });

  it('stores, finds and gives back as if nothing had been', async () => {
    const storage = connectStorage({ connectionString }, { prefix: testPrefix() });
    await storage.ensureCreated();
    const services = createServices(storage, { limits: defaultLimits, partitions: false });
    service = await startService({
      host: 'local',
      services: async () => await Promise.resolve(services),
    });
    const running = service;
    const client = new Client(standard, () => running);
    for (let round = 0; round < 3; round += 1) {
      for (const gateway of gateways) gateway.closeIdle();
      const files = Array.from({ length: 12 }, () => sample());
      const answers = await Promise.all(files.map(async ({ file }) => await client.stow([file])));
      expect(answers.map(({ status }) => status)).toEqual(files.map(() => 200));
      for (const gateway of gateways) gateway.closeIdle();
      for (const { study } of files) expect(await client.isThere(study)).toBe(true);
    }
    for (const { resets } of gateways) expect(resets).toBeGreaterThan(0);
    await services.archive.close();
  });
});
