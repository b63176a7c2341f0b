/**
 * `npm run simulate [-- --from 1 --schedules 10000]`: plays schedules, one for each seed, and prints those
 * that fail. `--from 123 --schedules 1` replays the one of seed 123.
 */
import { parseArgs } from 'node:util';
import { simulate } from './simulate.js';

const mostShown = 3;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      schedules: { type: 'string', default: '10000' },
    },
  });
  const from = Number(values.from);
  const schedules = Number(values.schedules);
  const started = performance.now();
  let steps = 0;
  const failed: number[] = [];
  for (let seed = from; seed < from + schedules; seed++) {
    try {
      steps += await simulate(seed);
    } catch (error) {
      failed.push(seed);
      if (failed.length <= mostShown) console.error(error instanceof Error ? error.message : error);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${schedules} schedules of ${steps} steps in ${seconds} s, ${failed.length} failed.`);
  if (failed.length === 0) return;
  console.log(`Failed: ${failed.join(' ')}`);
  process.exitCode = 1;
}

void main();
