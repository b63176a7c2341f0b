/**
 * The service over the ordered in-memory stand-in for storage, as a process: `STAND_IN_DELAY` is how
 * many milliseconds each call to storage takes, `STAND_IN_STUDIES` how many studies are there from the
 * start. What the service itself costs shows without an emulator beneath it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { routes } from '../../src/dicomweb/routes.js';
import { createServices } from '../../src/dicomweb/services.js';
import { openTo } from '../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../src/host/config.js';
import { startDevServer } from '../../src/host/local/dev-server.js';
import { createDispatcher } from '../../src/host/pipeline/dispatcher.js';
import { createPipeline } from '../../src/host/pipeline/pipeline.js';
import { MemoryBlobStore } from '../../src/storage/memory/memory-blob-store.js';
import { FilledTables } from '../../test/support/storage/filled-archive.js';

/** A store whose every call takes so long, however many are under way; what time it is, it tells at once. */
function slowed<Store extends object>(store: Store, milliseconds: number): Store {
  if (milliseconds === 0) return store;
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      if (name === 'now') return () => Reflect.apply(member, target, []) as unknown;
      return async (...parameters: unknown[]): Promise<unknown> => {
        await sleep(milliseconds);
        return (await Reflect.apply(member, target, parameters)) as unknown;
      };
    },
  });
}

async function main(): Promise<void> {
  const delay = Number(process.env['STAND_IN_DELAY'] ?? 0);
  const config = readConfig({});
  const tables = new FilledTables();
  tables.grow(Number(process.env['STAND_IN_STUDIES'] ?? 0));
  const services = createServices(
    { tables: slowed(tables, delay), blobs: slowed(new MemoryBlobStore(), delay) },
    config,
  );
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: async () => await Promise.resolve(services),
    log: () => undefined,
  });
  const server = await startDevServer(createDispatcher(pipeline, Object.values(routes)), 0);
  process.once('SIGTERM', () => process.exit(0));
  console.log(`Listening on ${server.url}`);
}

void main();
