/** Rows 3 to 5: what retrieves cost beside the bare download of the same bytes. */
import { bytesOf, largeFile, newUid } from '../large-files.js';
import { store as storeLarge } from '../transfer.js';
import { rawContainer, rawGet, type Context, type Part } from './context.js';
import { columns, madeSeries, pathOf, rows, storeRequest } from './instances.js';
import { Client, rateOf } from './load.js';
import { inTurns, median, summarise, type Row } from './row.js';

const perRound = 200;
const frames = 500;
const frameBytes = rows * columns * 2;
const asStored = 'multipart/related; type="application/dicom"; transfer-syntax=*';

function calls(context: Context, route: string): Pick<Row, 'storageCalls'> {
  const storageCalls = context.service.storageCalls(route);
  return storageCalls === undefined ? {} : { storageCalls };
}

async function instancesRow(context: Context): Promise<readonly Row[]> {
  context.progress('retrieve instances, 8 clients');
  const container = await rawContainer(context);
  const series = madeSeries(100);
  const client = new Client(context.service.baseUrl, 8);
  for (let from = 0; from < series.length; from += 25) {
    await client.send(storeRequest(series.slice(from, from + 25)));
  }
  for (const { instance, bytes } of series) {
    await container.getBlockBlobClient(instance).upload(bytes, bytes.length);
  }
  const at = (n: number) => {
    const one = series[n % series.length];
    if (one === undefined) throw new RangeError('no instance');
    return one;
  };
  calls(context, '');
  const single = await inTurns(
    context.rounds,
    async () =>
      await rateOf(8, perRound, async (n) => {
        await client.send({ path: pathOf(at(n)), headers: { Accept: asStored } });
      }),
    async () => await rateOf(8, perRound, async (n) => await rawGet(container, at(n).instance)),
  );
  const ofInstances = calls(context, 'retrieveInstance');

  context.progress('retrieve a study of 100 instances');
  const firstBytes: number[] = [];
  const twoCalls: number[] = [];
  const study = await inTurns(
    context.rounds,
    async () => {
      const rate = await rateOf(1, 1, async () => {
        const path = `/studies/${at(0).study}`;
        const answer = await client.send({ path, headers: { Accept: asStored } });
        firstBytes.push(answer.firstByteMilliseconds);
      });
      return rate * series.length;
    },
    async () => {
      const started = performance.now();
      await container.getBlobClient(at(0).instance).getProperties();
      await container.getBlobClient(at(1).instance).getProperties();
      twoCalls.push(performance.now() - started);
      return await rateOf(8, series.length, async (n) => {
        await rawGet(container, at(n).instance);
      });
    },
  );
  client.close();
  return [
    {
      number: '3',
      work: 'retrieve instances of 525 KB, 8 clients',
      against: 'Get Blob with the SDK, 8 at a time',
      unit: 'instances/s',
      ...summarise(single),
      goal: { atLeast: 0.85 },
      ...ofInstances,
    },
    {
      number: '5',
      work: 'retrieve a study of 100 instances',
      against: 'the same 100 blobs with the SDK, 8 at a time',
      unit: 'instances/s',
      ...summarise(study),
      goal: { atLeast: 0.85 },
      ...calls(context, 'retrieveStudy'),
      note: `first byte after ${median(firstBytes).toFixed(1)} ms; two calls to storage in line take ${median(twoCalls).toFixed(1)} ms`,
    },
  ];
}

async function framesRow(context: Context): Promise<Row> {
  const work = `frames of ${frameBytes >> 10} KiB of an object of ${frames}, 20 clients`;
  context.progress(work);
  const container = await rawContainer(context);
  const file = largeFile(newUid(), (frames * frameBytes) / 1024 ** 2);
  await storeLarge(context.service.baseUrl, [file], () => undefined);
  const bytes = Buffer.concat([...bytesOf(file)]);
  await container.getBlockBlobClient(file.instance).uploadData(bytes);
  const header = bytes.length - frames * frameBytes;
  const path = `/studies/${file.study}/series/${file.study}.1/instances/${file.instance}/frames`;
  const client = new Client(context.service.baseUrl, 20);
  const frameOf = (n: number) => (n * 37) % frames;
  const accept = 'multipart/related; type="application/octet-stream"; transfer-syntax=*';
  calls(context, '');
  const rounds = await inTurns(
    context.rounds,
    async () =>
      await rateOf(20, perRound, async (n) => {
        await client.send({ path: `${path}/${frameOf(n) + 1}`, headers: { Accept: accept } });
      }),
    async () =>
      await rateOf(20, perRound, async (n) => {
        await rawGet(container, file.instance, header + frameOf(n) * frameBytes, frameBytes);
      }),
  );
  client.close();
  return {
    number: '4',
    work,
    against: 'ranged Get Blob with the SDK, 20 at a time',
    unit: 'frames/s',
    ...summarise(rounds),
    goal: { atLeast: 0.8 },
    ...calls(context, 'retrieveFrames'),
  };
}

export const retrieve: Part = {
  name: 'retrieve',
  measure: async (context) => {
    const [instances, ...others] = await instancesRow(context);
    const all = instances === undefined ? [] : [instances];
    return [...all, await framesRow(context), ...others];
  },
};
