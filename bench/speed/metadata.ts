/** Rows 6o and 7o: metadata of a study, and that it has not changed, beside Orthanc. */
import type { Context, Part } from './context.js';
import { madeSeries, storeRequest } from './instances.js';
import { Client, rateOf } from './load.js';
import { inTurns, summarise, type Row } from './row.js';

const instances = 100;
const headers = { Accept: 'application/dicom+json' };
/** Orthanc takes about half a second for one. */
const requestsOf = { ours: 40, theirs: 4 };

async function measure(context: Context): Promise<readonly Row[]> {
  const { orthanc, service, rounds, progress } = context;
  if (orthanc === undefined) return [];
  progress(`metadata of ${instances} instances`);
  const series = madeSeries(instances);
  const path = `/studies/${series[0]?.study ?? ''}/metadata`;
  const ours = new Client(service.baseUrl, 1);
  const theirs = new Client(orthanc.baseUrl, 1);
  for (let from = 0; from < instances; from += 25) {
    const request = storeRequest(series.slice(from, from + 25));
    await ours.send(request);
    await theirs.send(request);
  }
  service.storageCalls('');
  const plainOfTheirs = async () =>
    await rateOf(1, requestsOf.theirs, async () => await theirs.send({ path, headers }));
  const plain = await inTurns(
    rounds,
    async () => await rateOf(1, requestsOf.ours, async () => await ours.send({ path, headers })),
    plainOfTheirs,
  );
  const storageCalls = service.storageCalls('retrieveStudyMetadata');
  const { etag } = (await ours.send({ path, headers })).headers;
  const unchanged = { path, headers: { ...headers, 'If-None-Match': String(etag) }, status: 304 };
  service.storageCalls('');
  const notModified = await inTurns(
    rounds,
    async () => await rateOf(1, requestsOf.ours * 4, async () => await ours.send(unchanged)),
    plainOfTheirs,
  );
  const callsUnchanged = service.storageCalls('retrieveStudyMetadata');
  ours.close();
  theirs.close();
  const against = `${orthanc.version}, plain answer`;
  return [
    {
      number: '6o',
      work: `metadata of a study of ${instances} instances`,
      against,
      unit: 'requests/s',
      ...summarise(plain),
      goal: { atLeast: 8 },
      ...(storageCalls === undefined ? {} : { storageCalls }),
    },
    {
      number: '7o',
      work: 'the same, not modified (304)',
      against,
      unit: 'requests/s',
      ...summarise(notModified),
      goal: { atLeast: 30 },
      ...(callsUnchanged === undefined ? {} : { storageCalls: callsUnchanged }),
    },
  ];
}

export const metadata: Part = {
  name: 'metadata',
  rounds: 3,
  besideOrthanc: true,
  measure,
};
