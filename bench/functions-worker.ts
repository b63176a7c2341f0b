/**
 * The worker side of the Functions host as a process: the functions as deployed and the real library,
 * which serves requests at a port of its own. Invocations arrive as messages from the parent.
 */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { FunctionsCore, injectIntoNode } from '../test/support/host/functions-core.js';
import type { InvocationMessage, WorkerReady } from './measured-service.js';

async function main(): Promise<void> {
  const core = new FunctionsCore();
  injectIntoNode(core);
  const folder = path.join(__dirname, '../functions');
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.js')) await import(path.join(folder, file));
  }
  process.on('message', ({ name, invocation }: InvocationMessage) => {
    const invoked = core.functions.find(({ metadata }) => metadata.name === name);
    // A failed invocation shows as a broken answer.
    if (invoked !== undefined) core.invoke(invoked, invocation).catch(console.error);
  });
  process.once('disconnect', () => process.exit(0));
  const ready: WorkerReady = {
    proxyUrl: await core.start(),
    functions: core.functions.map(({ metadata }) => metadata),
  };
  process.send?.(ready);
}

void main();
