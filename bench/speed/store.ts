/** Rows 1 and 2: what a store costs beside the bare upload of the same bytes. */
import { newUid } from '../large-files.js';
import { rawContainer, type Context, type Part } from './context.js';
import { madeInstance, storeRequest, type MadeInstance } from './instances.js';
import { Client, rateOf } from './load.js';
import { inTurns, summarise, type Row } from './row.js';

const perRound = 96;

/** One study a client, as modalities send. */
function instancesFor(clients: number, count: number): readonly MadeInstance[] {
  const studies = Array.from({ length: clients }, newUid);
  return Array.from({ length: count }, (_, n) => madeInstance(studies[n % clients] ?? '', n));
}

async function storeRow(
  context: Context,
  row: Pick<Row, 'number' | 'work' | 'goal'>,
  clients: number,
  perRequest: number,
): Promise<Row> {
  context.progress(row.work);
  const container = await rawContainer(context);
  const client = new Client(context.service.baseUrl, clients);
  const requests = Math.ceil(perRound / perRequest);
  const count = requests * perRequest;
  context.service.storageCalls('');
  const rounds = await inTurns(
    context.rounds,
    async () => {
      const all = instancesFor(clients, requests).map(({ study }) =>
        Array.from({ length: perRequest }, (_, n) => madeInstance(study, n)),
      );
      const rate = await rateOf(clients, requests, async (n) => {
        await client.send(storeRequest(all[n] ?? []));
      });
      return rate * perRequest;
    },
    async () => {
      const all = instancesFor(clients, count);
      return await rateOf(8, count, async (n) => {
        const { bytes, instance } = all[n] ?? madeInstance(newUid(), n);
        await container.getBlockBlobClient(instance).upload(bytes, bytes.length);
      });
    },
  );
  client.close();
  const storageCalls = context.service.storageCalls('storeInstances');
  return {
    ...row,
    ...summarise(rounds),
    against: 'Put Blob with the SDK, 8 at a time',
    unit: 'instances/s',
    ...(storageCalls === undefined ? {} : { storageCalls }),
  };
}

export const store: Part = {
  name: 'store',
  measure: async (context) => [
    await storeRow(
      context,
      { number: '1', work: 'store 525 KB, one a request, 8 clients', goal: { atLeast: 0.6 } },
      8,
      1,
    ),
    await storeRow(
      context,
      { number: '2', work: 'store 525 KB, 25 a request, 4 clients', goal: { atLeast: 0.75 } },
      4,
      25,
    ),
  ],
};
