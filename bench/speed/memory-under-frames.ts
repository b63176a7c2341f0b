/** Row 12: resident memory while many ask for frames at a time. */
import { largeFile, newUid } from '../large-files.js';
import { residentBytes, watchPeak } from '../process-memory.js';
import { store as storeLarge } from '../transfer.js';
import type { Context, Part } from './context.js';
import { Client, rateOf } from './load.js';
import type { Row } from './row.js';

const goalBytes = 150 * 1024 ** 2;
const frames = 120;

async function measure({ service, progress }: Context): Promise<readonly Row[]> {
  progress('memory under parallel frame requests');
  const file = largeFile(newUid(), frames / 2);
  await storeLarge(service.baseUrl, [file], () => undefined);
  const path = `/studies/${file.study}/series/${file.study}.1/instances/${file.instance}/frames`;
  const idle = residentBytes(service.pid);
  const all: Row[] = [];
  for (const clients of [1, 5, 20]) {
    const client = new Client(service.baseUrl, clients);
    const peakOf = watchPeak(service.pid);
    await rateOf(clients, 400, async (n) => {
      await client.send({ path: `${path}/${(n % frames) + 1}` });
    });
    client.close();
    const mebi = (bytes: number) => bytes / 1024 ** 2;
    const growth = Math.max(peakOf() - idle, 0);
    all.push({
      number: '12',
      work: `memory, ${clients} frame request${clients === 1 ? '' : 's'} at a time`,
      against: 'idle + 150 MiB allowed',
      unit: 'MiB',
      ours: mebi(growth),
      theirs: mebi(goalBytes),
      ratio: growth / goalBytes,
      goal: { atMost: 1 },
      note: `idle ${mebi(idle).toFixed(0)} MiB`,
    });
  }
  return all;
}

export const memoryUnderFrames: Part = { name: 'memory', rounds: 1, measure };
