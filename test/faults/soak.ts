/**
 * `npm run soak [-- --minutes 30 --kills 200 --freeze 180 --seed 1]`: mixed load on two processes that are
 * killed again and again, on one that stands still for minutes and goes on, and on one that lives, whose
 * memory and open files are watched. Their clocks are ten minutes apart. Exits 1 when anything was lost, or seen that must not be, or when the survivor has grown.
 */
import { parseArgs } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { startAzurite } from '../../src/host/local/azurite.js';
import { Arena, everyKill, type Kill } from './kill/arena.js';
import { seededRandom } from '../../src/storage/memory/seeded-random.js';
import { stepToFreezeAt } from './kill/steps.js';
import type { Sample } from './kill/service-process.js';
import { mean } from './mean.js';
import { killTable, markdownTable, outcomeTable, violationsOf } from './kill/tables.js';

const killsPerRound = 10;
/** A process stands still beside every fifth round. */
const roundsPerFreeze = 5;
const sampleMilliseconds = 2000;
const goalGrowth = 0.05;
/** Connections come and go. */
const goalDescriptors = 16;
/** Until then caches fill and code is compiled: no part of the comparison. */
const warmUpShare = 0.2;

interface Growth {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  readonly passes: boolean;
}

/**
 * What is held when little is under way: a tenth of the values are smaller. The archive grows while the
 * process is watched, and with it the pages that are being read whenever a sample happens to be taken.
 */
function floor(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0;
}

/** Compares the first third of the samples with the last. */
function growthOf(all: readonly Sample[]): readonly Growth[] {
  const samples = all.slice(Math.floor(all.length * warmUpShare));
  const third = Math.max(Math.floor(samples.length / 3), 1);
  const compare = (
    what: string,
    valueOf: (sample: Sample) => number,
    most: (first: number) => number,
    summary = mean,
  ) => {
    const first = summary(samples.slice(0, third).map(valueOf));
    const last = summary(samples.slice(-third).map(valueOf));
    return { what, first, last, passes: last <= most(first) };
  };
  const grown = (first: number) => first * (1 + goalGrowth);
  const mebi = 1024 ** 2;
  return [
    compare('resident memory, MiB', ({ residentBytes }) => residentBytes / mebi, grown),
    compare('heap after collection, MiB', ({ heapBytes }) => heapBytes / mebi, grown, floor),
    compare(
      'open files',
      ({ descriptors }) => descriptors,
      (first) => first + goalDescriptors,
    ),
  ];
}

function growthTable(all: readonly Growth[]): string {
  return markdownTable(
    ['survivor', 'first third', 'last third', ''],
    all.map(({ what, first, last, passes }) => [
      what,
      first.toFixed(1),
      last.toFixed(1),
      passes ? 'ok' : 'FAIL',
    ]),
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      kills: { type: 'string', default: '200' },
      freeze: { type: 'string', default: '180' },
      seed: { type: 'string', default: '1' },
    },
  });
  const kills = Number(values.kills);
  const end = Date.now() + Number(values.minutes) * 60_000;
  const samples: Sample[] = [];
  const azurite = await startAzurite();
  try {
    const arena = await Arena.open({
      connectionString: azurite.connectionString,
      prefix: 'soak',
      // One that is watched, and one that stands still now and then.
      survivors: 2,
      random: seededRandom(Number(values.seed)),
    });
    const [survivor] = arena.survivors;
    if (survivor === undefined) throw new Error('No process is watched.');
    const sampling = setInterval(() => {
      survivor.sample().then(
        (sample) => samples.push(sample),
        () => undefined,
      );
    }, sampleMilliseconds);
    let rounds = 0;
    for (let done = 0; done < kills || Date.now() < end;) {
      const round = Math.min(killsPerRound, Math.max(kills - done, 0));
      const planned = Array.from(
        { length: round },
        (_, turn): Kill => everyKill[(done + turn) % (everyKill.length + 2)] ?? 'any time',
      );
      const load = arena.startLoad();
      await Promise.all([
        arena.kill(planned),
        round > 0 && rounds % roundsPerFreeze === 0
          ? arena.freeze(stepToFreezeAt(rounds / roundsPerFreeze), Number(values.freeze) * 1000)
          : undefined,
      ]);
      rounds += 1;
      if (round === 0) await sleep(Math.min(30_000, Math.max(end - Date.now(), 0)));
      await load.stop();
      await arena.settleAndVerify();
      done += round;
      console.error(`${done} kills, ${arena.ledger.acknowledged} operations acknowledged`);
    }
    clearInterval(sampling);
    const report = await arena.finish();
    const growth = growthOf(samples);
    console.log([killTable(report), outcomeTable(report), growthTable(growth)].join('\n\n'));
    const violations = violationsOf(report);
    console.error(violations.slice(0, 50).join('\n'));
    if (violations.length > 0 || growth.some(({ passes }) => !passes)) process.exitCode = 1;
  } finally {
    await azurite.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
