/** No URL and no header of a request to storage has a value of a data set in it: storage may log them. */
import { BlobServiceClient } from '@azure/storage-blob';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { importFile } from '../../src/dicomweb/import/import-file.js';
import { createServices, type Services } from '../../src/dicomweb/services.js';
import { readConfig } from '../../src/host/config.js';
import { correlationHeaders } from '../../src/host/pipeline/request-scope.js';
import { parseJobId } from '../../src/jobs/job.js';
import { checkStore } from '../../src/storage/archive/store-check.js';
import { mend } from '../../src/storage/archive/store-check/mend.js';
import { sweep } from '../../src/storage/archive/store-check/sweep.js';
import { timeBudgets } from '../../src/time-budgets.js';
import { AzureExportDestinations } from '../../src/storage/azure/azure-export-destinations.js';
import { connectStorage, type Storage } from '../../src/storage/azure/connect.js';
import { testConnectionString, testPrefix } from '../support/storage/azurite.js';
import { Client, pathOf, sample, standard, type Sample } from '../support/conformance.js';
import { element, type ElementValue } from '../support/part10-builder.js';
import {
  isIndexPage,
  tellerOf,
  watchStorage,
  type Sent,
} from '../support/storage/sent-to-storage.js';
import { startService, type Service } from '../support/service.js';

/** What no other text holds, of every attribute that rows and keys are made of, and of some others. */
const elements = [
  element('00080020', 'DA', '19370923'),
  element('00080030', 'TM', '043759.731'),
  element('00080050', 'SH', 'ACQ-9183-ZW'),
  element('00080080', 'LO', 'Klinikum Wobbelheim'),
  element('00080090', 'PN', 'Hagelslager^Ottokar'),
  element('00081030', 'LO', 'Thoraxia quergestreift'),
  element('0008103E', 'LO', 'Spiralschicht Würmchen'),
  element('00081090', 'LO', 'Gantrymax Ypsilon'),
  element('00100010', 'PN', {
    Alphabetic: 'Quixwortham^Zébulonia',
    Ideographic: '山田彁^太郎彁',
  }),
  element('00100020', 'LO', 'PIDQ/77XK19'),
  element('00100021', 'LO', 'Issuerius Blankenburg'),
  element('00100030', 'DA', '19430217'),
  element('00104000', 'LT', 'Kommentarius geheim'),
  element('00200010', 'SH', 'SIDW77Q'),
  element('00400244', 'DA', '19370924'),
];
const later = element('00100010', 'PN', 'Umbenannt^Xantippe');

/** Of a name with several groups, each. */
function textsOf(value: ElementValue): readonly string[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [String(value)];
  return [value.Alphabetic, value.Ideographic, value.Phonetic].filter((text) => text !== undefined);
}

const values = [...elements, later].flatMap(({ values: list = [] }) => list.flatMap(textsOf));

const toldBy = tellerOf(values);

/** Requests that tell of a value, but for pages of index tables. */
const tellTales = (sent: readonly Sent[]) =>
  sent
    .filter((request) => !isIndexPage(request))
    .map((request) => ({ ...request, tells: toldBy(request) }))
    .filter(({ tells }) => tells.length > 0);

// eslint-disable-next-line @typescript-eslint/require-await -- one chunk, there already
async function* once(bytes: Uint8Array) {
  yield bytes;
}

describe('a value in a request', () => {
  it.each([
    [
      'a single PUT of an index row',
      'PUT',
      "searchindex(PartitionKey='p',RowKey='quixwortham%5E')",
    ],
    ['a spelled character', 'DELETE', "searchwords(PartitionKey='p',RowKey='pidq!002f77xk19')"],
    ['accents left out', 'GET', "t(RowKey='Z%C3%A9bulonia')"],
    ['another script', 'GET', "t(RowKey='%215c71%217530%215f41%5E%21592a%2190ce%215f41')"],
    ['a mirrored date', 'GET', "t(RowKey='80629076')"],
    ['base64', 'GET', `t()?NextRowKey=1!48!${Buffer.from('xpidq/77xk19').toString('base64')}`],
    ['hex', 'GET', `t/${Buffer.from('acq-9183-zw').toString('hex')}`],
  ])('would be seen: %s', (_, method, path) => {
    const known = { method, path: `/devstoreaccount1/${path}`, headers: '' };
    expect(tellTales([known])).toHaveLength(1);
  });

  it('is seen by a short word of it, but not in the random characters of a version', () => {
    const tells = tellerOf(['Berg^Anna']);
    const put = (path: string) => ({ method: 'PUT', path, headers: '' });
    expect(tells(put("/devstoreaccount1/t(RowKey='anna%5E')"))).toEqual(['Berg^Anna']);
    expect(tells(put('/devstoreaccount1/t/1.2.3/01KB9ZANNAR3X7QW4T5V8Y2M6H.dcm'))).toEqual([]);
  });
});

describe('what is sent to storage', () => {
  const { limits, partitions } = readConfig({});
  let watch: ReturnType<typeof watchStorage>;
  let storage: Storage;
  let services: Services;
  let service: Service;
  let client: Client;

  beforeEach(async () => {
    watch = watchStorage();
    const connectionString = testConnectionString();
    const options = { prefix: testPrefix(), headers: correlationHeaders };
    storage = connectStorage({ connectionString }, options);
    await storage.ensureCreated();
    const exports = new AzureExportDestinations({
      credential: undefined,
      allowEmulator: true,
      ownContainers: [],
    });
    const timing = { ...timeBudgets, keepLeavings: -60_000, mergeFollowUps: 0 };
    services = createServices({ ...storage, exports, timing }, { limits, partitions });
    service = await startService({
      host: 'local',
      services: async () => await Promise.resolve(services),
    });
    client = new Client(standard, () => service);
  });

  afterEach(async () => {
    watch.stop();
    await service.stop();
    await services.archive.close();
  });

  /** What was sent while something was done. */
  async function sentBy(work: () => Promise<unknown>): Promise<readonly Sent[]> {
    const before = watch.sent.length;
    await work();
    const sent = watch.sent.slice(before);
    expect(sent.length).toBeGreaterThan(0);
    return sent;
  }

  const made = (known: Partial<Sample> = {}) => sample({ ...known, overrides: elements });
  /** The same instance under another name. */
  const renamed = ({ study, series, instance }: Sample) =>
    sample({
      ...{ study, series, instance },
      overrides: [...elements.filter(({ tag }) => tag !== later.tag), later],
    });

  const settled = async () => {
    await services.archive.close();
    await services.archive.recover();
  };

  async function stored(): Promise<Sample> {
    const one = made();
    await client.store(one);
    await settled();
    return one;
  }

  it('tells nothing of a store, whether its index rows go alone or together', async () => {
    const one = made();
    const sent = await sentBy(async () => {
      await client.store(one);
      await client.store(
        made({ study: one.study }),
        made({ study: one.study, series: one.series }),
      );
      await client.store(renamed(made({ study: one.study })));
      await settled();
    });
    expect(tellTales(sent)).toEqual([]);
    // The values have gone to storage: in bodies.
    expect(sent.filter(({ path }) => path.endsWith('/$batch')).length).toBeGreaterThan(5);
  });

  it('tells nothing of replacements and deletions, nor does recovery', async () => {
    const one = made();
    await client.store(one, made({ study: one.study }));
    const sent = await sentBy(async () => {
      const replaced = await client.send('PUT', `/studies/${one.study}`, {
        headers: { 'Content-Type': 'application/dicom', Accept: 'application/dicom+json' },
        body: renamed(one).file,
      });
      expect(replaced.status).toBe(200);
      await settled();
      expect(await client.remove(pathOf(one))).toBe(204);
      expect(await client.remove(`/studies/${one.study}`)).toBe(204);
      await settled();
    });
    expect(tellTales(sent)).toEqual([]);
  });

  it('tells of what is sought in the pages of index tables, and nowhere else', async () => {
    await stored();
    const queries = [
      'PatientName=Quixwortham*',
      'PatientName=*bulonia*',
      'PatientID=PIDQ/77XK19',
      'PatientBirthDate=19430217',
      'StudyDate=19370901-19370930',
      'AccessionNumber=ACQ-9183-ZW',
      'StudyDescription=*quergestreift*',
      'ReferringPhysicianName=Hagelslager*',
    ];
    const sent = await sentBy(async () => {
      for (const query of queries) {
        const found = await client.json(`/studies?${query.replace('/', '%2F')}`);
        expect({ query, found: found.length > 0 }).toEqual({ query, found: true });
      }
      for (const path of [
        'series?SeriesDescription=Spiral*',
        'instances?PatientID=PIDQ%2F77XK19',
      ]) {
        expect((await client.json(`/${path}`)).length).toBeGreaterThan(0);
      }
    });
    expect(tellTales(sent)).toEqual([]);
    // That is the one kind of request that does: SECURITY.md says so, and that nothing may log it.
    const telling = sent.filter((request) => toldBy(request).length > 0);
    expect(telling.length).toBeGreaterThan(0);
    expect(telling.filter((request) => !isIndexPage(request))).toEqual([]);
  });

  it('tells nothing of retrievals, of the change feed and of the health check', async () => {
    const one = made();
    await client.store(one);
    const sent = await sentBy(async () => {
      for (const path of [
        pathOf(one),
        `${pathOf(one)}/metadata`,
        `${pathOf(one)}/frames/1`,
        `/studies/${one.study}`,
        `/studies/${one.study}/metadata`,
        '/changefeed?includemetadata=true',
        '/health/check',
      ]) {
        const answer = await client.get(path);
        expect({ path, status: answer.status }).toEqual({ path, status: 200 });
        await answer.arrayBuffer();
      }
    });
    expect(tellTales(sent)).toEqual([]);
  });

  it('tells nothing of an import, a direct upload and an export', async () => {
    const [imported, uploaded] = [made(), made()];
    const blobContainerName = testPrefix();
    const connectionString = testConnectionString();
    await BlobServiceClient.fromConnectionString(connectionString).createContainer(
      blobContainerName,
    );
    const sent = await sentBy(async () => {
      await storage.blobs.put('import', 'folder/1.dcm', once(imported.file));
      expect(await importFile(services, 'folder/1.dcm')).toMatchObject({ outcome: 'stored' });

      const grant = (await (await client.send('POST', '/uploads')).json()) as {
        readonly uploadUrl: string;
        readonly uploadHeaders: Readonly<Record<string, string>>;
        readonly statusUrl: string;
      };
      const body = uploaded.file;
      const put = await fetch(grant.uploadUrl, {
        method: 'PUT',
        headers: grant.uploadHeaders,
        body,
      });
      expect(put.status).toBe(201);
      const done = await fetch(grant.statusUrl, {
        method: 'POST',
        headers: { Accept: 'application/dicom+json' },
      });
      expect(done.status).toBe(200);

      const started = await client.send('POST', '/export', {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          source: { type: 'identifiers', settings: { values: [imported.study, uploaded.study] } },
          destination: { type: 'azureBlob', settings: { connectionString, blobContainerName } },
        }),
      });
      expect(started.status).toBe(202);
      const job = parseJobId(((await started.json()) as { id: string }).id);
      expect(job && (await services.jobs.run(job, Infinity))).toBe('over');
    });
    expect(tellTales(sent)).toEqual([]);
  });

  /** Takes the catalog of a study away: what points at it is to be cleared away, or it made anew. */
  async function damage(): Promise<void> {
    const { study } = await stored();
    const partitionKey = `Microsoft.Default|${study}`;
    const { entities } = await storage.tables.query('catalog', { partitionKey });
    await storage.tables.transact(
      'catalog',
      partitionKey,
      entities.map(({ rowKey }) => ({ kind: 'delete', rowKey })),
    );
  }

  it('tells nothing of what the check of the store and the sweep find and mend', async () => {
    await damage();
    // Everything counts, however young: storage tells its time to the second, rounded down.
    const strict = { orphanAge: -2000 };
    const found: string[] = [];
    const sent = await sentBy(async () => {
      for await (const finding of checkStore(storage, strict)) {
        found.push(finding.kind);
        await mend(storage, finding, strict);
      }
      await damage();
      const later = Date.now() + 30 * 24 * 60 * 60_000;
      const pace = { roundEvery: 0, atMost: 60 * 60_000, now: () => later };
      expect((await sweep(storage, pace))?.indexRows).toBeGreaterThan(0);
    });
    expect(found.length).toBeGreaterThan(0);
    expect(sent.some(({ path }) => path.includes('searchwords()'))).toBe(true);
    expect(tellTales(sent)).toEqual([]);
  }, 120_000);
});
