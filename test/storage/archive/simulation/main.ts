/**
 * `npm run simulate [-- --from 1 --schedules 10000]`: plays schedules, one for each seed, and prints those
 * that fail. `--from 123 --schedules 1` replays the one of seed 123; `--until-failure` stops at the first.
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { simulate } from './simulate.js';

const mostShown = 3;
// What a schedule leaves is garbage all at once: a large nursery spares the collector copying it.
setFlagsFromString('--max-semi-space-size=16');
setFlagsFromString('--min-semi-space-size=16');

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      from: { type: 'string', default: '1' },
      schedules: { type: 'string', default: '10000' },
      'until-failure': { type: 'boolean', default: false },
    },
  });
  const from = Number(values.from);
  const schedules = Number(values.schedules);
  const started = performance.now();
  let steps = 0;
  let longest = 0;
  const failed: number[] = [];
  let played = 0;
  for (let seed = from; seed < from + schedules; seed++) {
    if (values['until-failure'] && failed.length > 0) break;
    played += 1;
    try {
      const taken = await simulate(seed);
      steps += taken;
      longest = Math.max(longest, taken);
    } catch (error) {
      failed.push(seed);
      if (failed.length <= mostShown) console.error(error instanceof Error ? error.message : error);
    }
  }
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(
    `${played} schedules of ${steps} steps (the longest ${longest}) in ${seconds} s, ${failed.length} failed.`,
  );
  if (failed.length === 0) return;
  console.log(`Failed: ${failed.join(' ')}`);
  process.exitCode = 1;
}

void main();
