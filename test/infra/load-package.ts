/** Loads the functions of a package into this process, as the Functions worker does. */
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import packageJson from '../../package.json';
import { FunctionsCore, injectIntoNode } from '../support/host/functions-core.js';

/** What the app's log would stand between: prints to stdout from now on, which says nothing else. */
export function silenceLog(): (text: string) => void {
  const { stdout } = process;
  const print = stdout.write.bind(stdout);
  stdout.write = () => true;
  return print;
}

/** Loads every file that `main` of the manifest names; answers what they registered. */
export function loadPackage(app: string): FunctionsCore {
  const core = new FunctionsCore();
  injectIntoNode(core);
  const load = createRequire(path.join(app, 'package.json'));
  const functions = path.join(app, path.dirname(packageJson.main));
  for (const file of readdirSync(functions)) {
    if (file.endsWith('.js')) load(path.join(functions, file));
  }
  return core;
}
