/** `npm run model [-- --runs 1000 --seed N --path P]`: the service against its sequential model. */
import { parseArgs } from 'node:util';
import { runModel } from './run.js';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { runs: { type: 'string' }, seed: { type: 'string' }, path: { type: 'string' } },
  });
  const runs = Number(values.runs ?? 1000);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const started = performance.now();
  await runModel({ runs, seed, ...(values.path !== undefined && { path: values.path }) });
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(
    `${runs} runs of up to 30 commands agree with the model (seed ${seed}, ${seconds} s)`,
  );
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
