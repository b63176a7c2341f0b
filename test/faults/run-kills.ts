/** Kills processes of the service at every step of the protocol while clients use it. */
import { Arena, everyKill, type Kill, type Report } from './kill/arena.js';
import { stepToFreezeAt } from './kill/steps.js';
import { seededRandom } from '../../src/storage/memory/seeded-random.js';

/** Kills at any moment that follow those at the steps. */
const killsAtAnyTime = 2;
/** Enough for each step before and after, and some more. */
export const everyKillAndMore = everyKill.length + killsAtAnyTime;
/** Kills between two comparisons with the ledger. */
const killsPerRound = 13;

export interface KillRun {
  readonly connectionString: string;
  /** Of the names of tables and containers. */
  readonly prefix: string;
  readonly kills: number;
  readonly seed: number;
  /** How long a process stands still beside each round of kills; none does when left out. */
  readonly freezeMilliseconds?: number;
  /** Clients at once; as many as an arena has when left out. */
  readonly clients?: number;
  /** The kills to take in turn; every step, and some at any moment, when left out. */
  readonly plan?: readonly Kill[];
}

const defaultPlan: readonly Kill[] = [
  ...everyKill,
  ...Array.from({ length: killsAtAnyTime }, (): Kill => 'any time'),
];

export async function runKills({
  connectionString,
  prefix,
  kills,
  seed,
  freezeMilliseconds,
  plan = defaultPlan,
  ...arenaOptions
}: KillRun): Promise<Report> {
  const planned = Array.from(
    { length: kills },
    (_, turn): Kill => plan[turn % plan.length] ?? 'any time',
  );
  const arena = await Arena.open({
    connectionString,
    prefix,
    ...arenaOptions,
    random: seededRandom(seed),
    survivors: freezeMilliseconds === undefined ? 0 : 1,
  });
  let freezes = 0;
  for (let done = 0; done < planned.length; done += killsPerRound) {
    const load = arena.startLoad();
    await Promise.all([
      arena.kill(planned.slice(done, done + killsPerRound)),
      freezeMilliseconds !== undefined &&
        arena.freeze(stepToFreezeAt(freezes++), freezeMilliseconds),
    ]);
    await load.stop();
    if (done + killsPerRound < planned.length) await arena.settleAndVerify();
  }
  return await arena.finish();
}
