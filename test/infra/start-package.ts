/**
 * Starts a package as the Functions worker does, with nothing set but its storage, and prints what
 * came of it as JSON: `node test/support/run-typescript.mjs test/infra/start-package.ts FOLDER`.
 */
import path from 'node:path';
import { startFunctionsHost } from '../support/host/functions-host.js';
import { loadPackage, silenceLog } from './load-package.js';

async function main(app: string): Promise<void> {
  process.env['DicomStorage'] = 'UseDevelopmentStorage=true';
  const print = silenceLog();
  const before = new Set(Object.keys(require.cache));
  const processorBefore = process.cpuUsage();
  const start = performance.now();
  const core = loadPackage(app);
  const loadMilliseconds = Math.round(performance.now() - start);
  const host = await startFunctionsHost(core);
  const { status } = await fetch(`${host.url}/studies`);
  const answeredMilliseconds = Math.round(performance.now() - start);
  const { user, system } = process.cpuUsage(processorBefore);
  await host.stop();
  const loaded = Object.keys(require.cache).filter((file) => !before.has(file));
  const isStray = (file: string) => path.relative(app, file).startsWith('..');
  const all = [...core.functions, ...core.timers, ...core.queues];
  print(
    JSON.stringify({
      loadMilliseconds,
      answeredMilliseconds,
      processorMilliseconds: Math.round((user + system) / 1000),
      functions: all.length,
      modules: loaded.length,
      strays: loaded.filter(isStray),
      statusWithoutToken: status,
    }),
  );
}

void main(path.resolve(process.argv[2] ?? '')).then(() => process.exit(0));
