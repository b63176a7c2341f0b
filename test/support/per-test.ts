/** A folder, and services, that last as long as a test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from '@jest/globals';
import { startService, type Service, type ServiceOptions } from './service.js';

export interface PerTest {
  /** A path in the folder of the test. */
  readonly pathOf: (...names: readonly string[]) => string;
  /** Starts a service on the local host over memory, which ends with the test. */
  readonly start: (options?: Partial<ServiceOptions>) => Promise<Service>;
}

/** To be called where suites are described: makes the folder before each test, and clears up after it. */
export function perTest(): PerTest {
  const running: Service[] = [];
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'dicomweb-test-'));
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map(async (service) => await service.stop()));
    await rm(folder, { recursive: true });
  });
  return {
    pathOf: (...names) => path.join(folder, ...names),
    async start(options = {}) {
      const service = await startService({ host: 'local', ...options });
      running.push(service);
      return service;
    },
  };
}

/** The table that a script prints at its end, by its words. */
export function readTable(out: string): Readonly<Record<string, number>> {
  return Object.fromEntries(
    [...out.matchAll(/^ {2}(\D+?) +(\d+)$/gm)].map(([, words = '', count]) => [
      words,
      Number(count),
    ]),
  );
}
