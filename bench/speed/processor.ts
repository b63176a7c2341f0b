/** Row 9: processor time of our process for a store and a retrieve, beside that of Orthanc. */
import { readFileSync } from 'node:fs';
import type { Context, Part } from './context.js';
import { madeSeries, pathOf, storeRequest } from './instances.js';
import { Client, rateOf } from './load.js';
import { inTurns, summarise, type Row } from './row.js';

const perRound = 60;
const clients = 4;
/** What Linux counts in, on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** Processor seconds of a process so far, its children not counted. */
function processorSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function measure({ service, orthanc, rounds, progress }: Context): Promise<readonly Row[]> {
  if (orthanc === undefined || process.platform !== 'linux') return [];
  progress('processor time');
  const perInstance = { stored: [[], []], retrieved: [[], []] } as {
    stored: [number[], number[]];
    retrieved: [number[], number[]];
  };
  const run = async (server: { baseUrl: string; pid: number }, which: 0 | 1) => {
    const client = new Client(server.baseUrl, clients);
    const series = madeSeries(perRound);
    const start = processorSeconds(server.pid);
    await rateOf(clients, perRound, async (n) => {
      await client.send(storeRequest(series.slice(n, n + 1)));
    });
    const stored = processorSeconds(server.pid);
    await rateOf(clients, perRound * 2, async (n) => {
      const one = series[n % perRound];
      if (one === undefined) return;
      await client.send({
        path: pathOf(one),
        headers: { Accept: 'multipart/related; type="application/dicom"; transfer-syntax=*' },
      });
    });
    const retrieved = processorSeconds(server.pid);
    client.close();
    perInstance.stored[which].push(((stored - start) * 1000) / perRound);
    perInstance.retrieved[which].push(((retrieved - stored) * 1000) / (perRound * 2));
    return 0;
  };
  await inTurns(
    rounds,
    async () => await run(service, 0),
    async () => await run(orthanc, 1),
  );
  return (['stored', 'retrieved'] as const).map((what) => {
    const [ours, theirs] = perInstance[what];
    // The first round warms up.
    const all = ours.slice(1).map((value, n) => ({ ours: value, theirs: theirs[n + 1] ?? 0 }));
    return {
      number: '9',
      work: `processor time per instance ${what}`,
      against: orthanc.version,
      unit: 'ms',
      ...summarise(all),
      goal: { atMost: 1 },
    };
  });
}

export const processor: Part = {
  name: 'processor',
  rounds: 3,
  besideOrthanc: true,
  measure,
};
