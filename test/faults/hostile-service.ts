/**
 * The local host in a process of its own that tells how its event loop fares: it is started with an
 * IPC channel and the settings of `npm start`, and answers `measure` and `stop`.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadConfig } from '../../src/host/config.js';
import { startLocalHost } from '../../src/host/local-host.js';
import type { LogEntry } from '../../src/host/log.js';

export type ToService = 'measure' | 'stop';

export type FromService =
  | { readonly kind: 'ready'; readonly url: string }
  | { readonly kind: 'fault'; readonly entry: LogEntry }
  | { readonly kind: 'measured'; readonly p99: number; readonly longest: number }
  | { readonly kind: 'stopped' };

const nanosecondsPerMillisecond = 1e6;

function tell(message: FromService): void {
  process.send?.(message);
}

async function main(): Promise<void> {
  const host = await startLocalHost(loadConfig(), (entry) => {
    if (entry.event === 'fault') tell({ kind: 'fault', entry });
  });
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  process.on('message', (message: ToService) => {
    if (message === 'measure') {
      const p99 = delay.percentile(99) / nanosecondsPerMillisecond;
      tell({ kind: 'measured', p99, longest: delay.max / nanosecondsPerMillisecond });
      return;
    }
    void host.stop().then(() => {
      tell({ kind: 'stopped' });
      process.disconnect();
    });
  });
  tell({ kind: 'ready', url: host.url });
}

void main();
