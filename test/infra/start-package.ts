/**
 * Starts a package as the Functions worker does, with nothing set but its storage, and prints what
 * came of it as JSON: `node test/support/run-typescript.mjs test/infra/start-package.ts FOLDER`.
 */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import packageJson from '../../package.json';
import { FunctionsCore, injectIntoNode } from '../support/host/functions-core.js';
import { startFunctionsHost } from '../support/host/functions-host.js';

async function main(app: string): Promise<void> {
  process.env['DicomStorage'] = 'UseDevelopmentStorage=true';
  const { stdout } = process;
  const print = stdout.write.bind(stdout);
  // The app's own log would stand between.
  stdout.write = () => true;
  const core = new FunctionsCore();
  injectIntoNode(core);
  const load = createRequire(path.join(app, 'package.json'));
  const before = new Set(Object.keys(require.cache));
  const functions = path.join(app, path.dirname(packageJson.main));
  const start = performance.now();
  for (const file of readdirSync(functions)) {
    if (file.endsWith('.js')) load(path.join(functions, file));
  }
  const loadMilliseconds = Math.round(performance.now() - start);
  const host = await startFunctionsHost(core);
  const { status } = await fetch(`${host.url}/studies`);
  const answeredMilliseconds = Math.round(performance.now() - start);
  await host.stop();
  const loaded = Object.keys(require.cache).filter((file) => !before.has(file));
  const isStray = (file: string) => path.relative(app, file).startsWith('..');
  const all = [...core.functions, ...core.timers, ...core.queues];
  print(
    JSON.stringify({
      loadMilliseconds,
      answeredMilliseconds,
      functions: all.length,
      modules: loaded.length,
      strays: loaded.filter(isStray),
      statusWithoutToken: status,
    }),
  );
}

void main(path.resolve(process.argv[2] ?? '')).then(() => process.exit(0));
