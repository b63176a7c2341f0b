/**
 * Rows on waiting: with a storage that takes 5 ms a call and as many calls as come, two processes do
 * twice the work of one, and one process loses nothing by the wait when enough clients are there.
 */
import path from 'node:path';
import { newUid } from '../large-files.js';
import { sampleInstance } from '../../test/support/part10-builder.js';
import type { Context, Part } from './context.js';
import { pathOf, storeRequest, type MadeInstance } from './instances.js';
import { Client, rateWithin } from './load.js';
import { inTurns, summarise, type Row } from './row.js';
import { startScript, type RunningService } from './service.js';

const delayMilliseconds = 5;
const milliseconds = 1000;
/** Of one process: they ask for less than a processor can do in that time. */
const fewClients = 8;
const manyClients = 64;

interface Target {
  readonly client: Client;
  readonly instance: MadeInstance;
}

async function start(delay: number): Promise<RunningService> {
  return await startScript(path.join(__dirname, 'stand-in-service.js'), [], {
    STAND_IN_DELAY: String(delay),
  });
}

async function targetOf(service: RunningService, clients: number): Promise<Target> {
  const client = new Client(service.baseUrl, clients);
  const uids = { study: newUid(), series: newUid(), instance: newUid() };
  const instance = { ...uids, bytes: sampleInstance(uids) };
  await client.send(storeRequest([instance]));
  return { client, instance };
}

async function rateOfRetrieves(targets: readonly Target[], clients: number): Promise<number> {
  const rates = await Promise.all(
    targets.map(async ({ client, instance }) => {
      const headers = { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' };
      return await rateWithin(clients, milliseconds, async () => {
        await client.send({ path: pathOf(instance), headers });
      });
    }),
  );
  return rates.reduce((sum, rate) => sum + rate, 0);
}

async function measure({ rounds, progress }: Context): Promise<readonly Row[]> {
  progress('storage that takes 5 ms');
  const services = [
    await start(delayMilliseconds),
    await start(delayMilliseconds),
    await start(0),
  ] as const;
  try {
    const [first, second, quick] = services;
    const few = [await targetOf(first, fewClients), await targetOf(second, fewClients)];
    const processes = await inTurns(
      rounds,
      async () => await rateOfRetrieves(few, fewClients),
      async () => await rateOfRetrieves(few.slice(0, 1), fewClients),
    );
    const slowTarget = await targetOf(first, manyClients);
    const quickTarget = await targetOf(quick, manyClients);
    const waiting = await inTurns(
      rounds,
      async () => await rateOfRetrieves([slowTarget], manyClients),
      async () => await rateOfRetrieves([quickTarget], manyClients),
    );
    return [
      {
        number: '13',
        work: `retrieve by two processes, ${fewClients} clients each, ${delayMilliseconds} ms a storage call`,
        against: 'one process',
        unit: 'instances/s',
        ...summarise(processes),
        goal: { atLeast: 1.8 },
      },
      {
        number: '14',
        work: `retrieve by one process, ${manyClients} clients, ${delayMilliseconds} ms a storage call`,
        against: 'the same with 0 ms',
        unit: 'instances/s',
        ...summarise(waiting),
        goal: { atLeast: 0.9 },
      },
    ];
  } finally {
    await Promise.all(services.map(async (service) => await service.stop()));
  }
}

export const latency: Part = { name: 'latency', rounds: 3, measure };
