/**
 * The local host in a process of its own that tells how its event loop and its memory fare, and that
 * imports what messages name: it is started with an IPC channel, `--expose-gc` and the settings of
 * `npm start`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { Services } from '../../../src/dicomweb/services.js';
import { loadConfig, type Config } from '../../../src/host/config.js';
import { letHeapGrow } from '../../../src/host/heap-growth.js';
import { lazy } from '../../../src/host/lazy.js';
import { startLocalHost } from '../../../src/host/local/local-host.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { openServices } from '../../../src/host/composition.js';
import type { DeliverImport } from './case.js';
import { importingWith } from './import.js';
import { watchLoop } from './loop-watchdog.js';

/** No request may hold the event loop longer, in processor time. */
const mostHeldMilliseconds = 100;

export type ToService = 'measure' | 'stop' | { readonly id: number; readonly message: string };

export type FromService =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'fault'; readonly entry: LogEntry }
  | { readonly kind: 'held'; readonly milliseconds: number }
  | { readonly kind: 'imported'; readonly id: number; readonly outcome: ImportOutcome }
  | {
      readonly kind: 'measured';
      /** Delay of the event loop, ms. */
      readonly p99: number;
      readonly longest: number;
      /** The longest that it was held, ms of processor time. */
      readonly held: number;
      /** Of the main thread after collection, bytes; buffers are outside of the heap. */
      readonly heap: number;
      readonly buffers: number;
    }
  | { readonly kind: 'stopped' };

export type ImportOutcome = Awaited<ReturnType<DeliverImport>>;

const nanosecondsPerMillisecond = 1e6;

function tell(message: FromService): void {
  process.send?.(message);
}

/** Collects all that can be: what has finalizers needs a turn of the loop. */
async function collectGarbage(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) {
    globalThis.gc?.();
    await setImmediate();
  }
}

/** Services beside those of the host, as the import function has them in a process of its own. */
function importServices(config: Config): () => Promise<Services> {
  return lazy(async () => {
    if (config.storage === undefined) throw new TypeError('DicomStorage is not set.');
    return await openServices(config.storage, config);
  });
}

async function main(): Promise<void> {
  letHeapGrow();
  const config = loadConfig();
  const host = await startLocalHost(config, (entry) => {
    if (entry.event === 'fault') tell({ kind: 'fault', entry });
  });
  const services = importServices(config);
  const deliver = importingWith(services);
  await services();
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const watchdog = watchLoop(mostHeldMilliseconds, (milliseconds) => {
    tell({ kind: 'held', milliseconds });
  });

  async function measure(): Promise<void> {
    const p99 = delay.percentile(99) / nanosecondsPerMillisecond;
    const longest = delay.max / nanosecondsPerMillisecond;
    const held = watchdog.longest();
    // Collecting holds the loop, for which no request is to blame.
    watchdog.pause();
    await collectGarbage();
    watchdog.resume();
    const { heapUsed: heap, arrayBuffers: buffers } = process.memoryUsage();
    tell({ kind: 'measured', p99, longest, held, heap, buffers });
  }

  async function stop(): Promise<void> {
    watchdog.pause();
    const { archive, pixels, headers } = await services();
    await archive.close();
    await pixels.close();
    await headers.close();
    await host.stop();
    tell({ kind: 'stopped' });
    process.disconnect();
  }

  process.on('message', (message: ToService) => {
    if (message === 'measure') return void measure();
    if (message === 'stop') return void stop();
    void deliver(message.message).then((outcome) => {
      tell({ kind: 'imported', id: message.id, outcome });
    });
  });
  tell({ kind: 'ready', url: host.url });
}

void main();
