/** Bulk update, as clients of the Microsoft server start and follow it, and what is retrieved, found and told afterwards. */
import { describe, expect, it } from '@jest/globals';
import { parseJobId } from '../../src/jobs/job.js';
import {
  onEveryDeployment,
  onEveryFace,
  pathOf,
  sample,
  valueOf,
  v2,
  Client,
  type Json,
} from '../support/conformance.js';
import { element, ramp } from '../support/part10-builder.js';

interface Operation {
  readonly status: string;
  readonly percentComplete: number;
  readonly results: Readonly<Record<string, unknown>>;
}

const path = '/studies/$bulkUpdate';

/** There is none under `/v1`: its clients see what those of `/v2` have done. */
function starterOf(client: Client): Client {
  return client.face.name === 'v1' ? new Client(v2, () => client.service) : client;
}

async function post(
  client: Client,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  to = path,
): Promise<Response> {
  return await client.send('POST', to, {
    headers: { 'Content-Type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const patientId = (id: string) => ({ '00100020': { vr: 'LO', Value: [id] } });

/** Starts an update and does all of it. */
async function update(
  client: Client,
  studies: readonly string[],
  changeDataset: object,
  to = path,
): Promise<Operation> {
  const starter = starterOf(client);
  const started = await post(starter, { studyInstanceUids: studies, changeDataset }, {}, to);
  const text = await started.text();
  expect({ status: started.status, text }).toEqual({ status: 202, text });
  const { id, href } = JSON.parse(text) as { id: string; href: string };
  expect(href).toBe(starter.url(`/operations/${id}`));
  expect(started.headers.get('location')).toBe(href);
  const before = await fetch(href);
  expect(before.status).toBe(202);
  expect(await before.json()).toMatchObject({
    type: 'update',
    status: 'notStarted',
    percentComplete: 0,
    results: { studyProcessed: 0 },
  });
  const job = parseJobId(id);
  if (job === undefined) throw new Error(`no id: ${id}`);
  expect(await client.service.services.jobs.run(job, Infinity)).toBe('over');
  const after = await fetch(href);
  expect(after.status).toBe(200);
  return (await after.json()) as Operation;
}

async function original(client: Client, at: string, accept: string): Promise<Response> {
  const headers = { accept, 'msdicom-request-original': 'true' };
  return await client.send('GET', at, { headers });
}

async function originalMetadata(client: Client, at: string): Promise<readonly Json[]> {
  const response = await original(client, `${at}/metadata`, 'application/dicom+json');
  expect(response.status).toBe(200);
  return (await response.json()) as readonly Json[];
}

const dicom = 'application/dicom; transfer-syntax=*';
const multipart = 'multipart/related; type="application/dicom"; transfer-syntax=*';

onEveryDeployment((client) => {
  describe('bulk update', () => {
    it('gives whole studies other values, and keeps what there was', async () => {
      const overrides = [element('00100020', 'LO', 'OLD7'), element('00100010', 'PN', 'Old^Name')];
      const one = sample({ overrides });
      const two = sample({ study: one.study, overrides });
      const other = sample({ overrides: [element('00100020', 'LO', 'OTHER7')] });
      await client.store(one, two, other);
      const at = pathOf({ study: one.study });
      const etags = async (headers: Record<string, string> = {}) =>
        (await client.send('GET', `${at}/metadata`, { headers })).headers.get('etag');
      const before = await etags();

      const operation = await update(client, [one.study, '1.2.3.4.5'], {
        ...patientId('NEW7'),
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Änne' }] },
        '00104000': { vr: 'LT', Value: ['A remark'] },
      });
      expect(operation).toMatchObject({
        status: 'succeeded',
        percentComplete: 100,
        results: { studyProcessed: 2, studyUpdated: 1, studyFailed: 0, instanceUpdated: 2 },
      });
      expect(Object.keys(operation.results)).not.toContain('errors');

      const metadata = await client.json(`${at}/metadata`);
      expect(metadata.map((dataSet) => valueOf(dataSet, '00100020'))).toEqual(['NEW7', 'NEW7']);
      expect(metadata.map((dataSet) => valueOf(dataSet, '00104000'))).toEqual([
        'A remark',
        'A remark',
      ]);
      const first = await originalMetadata(client, at);
      expect(first.map((dataSet) => valueOf(dataSet, '00100020'))).toEqual(['OLD7', 'OLD7']);
      const ofOther = await originalMetadata(client, pathOf({ study: other.study }));
      expect(valueOf(ofOther[0], '00100020')).toBe('OTHER7');

      const file = Buffer.from(await (await original(client, pathOf(one), dicom)).arrayBuffer());
      expect(file.includes(one.file.subarray(128))).toBe(true);
      const inParts = await original(client, at, multipart);
      const whole = Buffer.from(await inParts.arrayBuffer());
      expect(whole.includes(one.file.subarray(128))).toBe(true);
      expect(whole.includes(two.file.subarray(128))).toBe(true);
      const [part] = await client.parts(pathOf(one), multipart);
      expect(part?.body.includes(Buffer.from('Müller^Änne'))).toBe(true);
      expect(part?.body.subarray(-512)).toEqual(ramp(512));
      const frame = await client.bytes(
        `${pathOf(one)}/frames/1`,
        'application/octet-stream; transfer-syntax=*',
      );
      expect(frame).toEqual(ramp(512));

      expect(await client.json(`/studies?PatientID=OLD7&StudyInstanceUID=${one.study}`)).toEqual(
        [],
      );
      expect(
        await client.json(`/studies?PatientID=NEW7&StudyInstanceUID=${one.study}`),
      ).toHaveLength(1);
      const names = await client.json(
        `/studies?PatientName=mull&fuzzymatching=true&StudyInstanceUID=${one.study}`,
      );
      expect(valueOf(names[0], '00100020')).toBe('NEW7');
      const after = await etags();
      const ofOriginals = await etags({ 'msdicom-request-original': 'true' });
      expect(new Set([before, after, ofOriginals]).size).toBe(3);

      const feed = await client.get('/changefeed?limit=100&includemetadata=true');
      const entries = (await feed.json()) as readonly Readonly<Record<string, unknown>>[];
      const own = entries.filter(({ studyInstanceUid }) => studyInstanceUid === one.study);
      const word = (text: unknown) => String(text).toLowerCase();
      expect(own.map(({ action, state }) => [word(action), word(state)])).toEqual([
        ['create', 'replaced'],
        ['create', 'replaced'],
        ['update', 'current'],
        ['update', 'current'],
      ]);

      await update(client, [one.study], { '00100020': { vr: 'LO' } }, '/studies/$bulkupdate');
      const emptied = await client.json(`${at}/metadata`);
      expect(emptied.map((dataSet) => valueOf(dataSet, '00100020'))).toEqual([
        undefined,
        undefined,
      ]);
      const still = await originalMetadata(client, pathOf(one));
      expect(valueOf(still[0], '00100020')).toBe('OLD7');
      expect(await client.json(`/studies?PatientID=NEW7&StudyInstanceUID=${one.study}`)).toEqual(
        [],
      );

      expect(await client.remove(at)).toBe(204);
      expect((await original(client, pathOf(one), dicom)).status).toBe(404);
      expect((await original(client, `${at}/metadata`, 'application/dicom+json')).status).toBe(404);
    });
  });
});

onEveryFace((client) => {
  const is = (...names: readonly string[]) => names.includes(client.face.name);

  describe('the request for a bulk update', () => {
    it('is judged in the order of the Microsoft server, and is not there under /v1', async () => {
      const study = sample().study;
      const wrongType = await post(client, '{}', { 'Content-Type': 'text/plain' });
      const brokenJson = await post(client, '{');
      if (is('v1')) {
        for (const { status } of [wrongType, brokenJson]) expect(status).toBe(404);
        return;
      }
      await client.refusal(wrongType, 415);
      await client.refusal(brokenJson, 400);
      const refused = async (body: object) => await client.refusal(await post(client, body), 400);
      const changeDataset = patientId('P1');
      const missing = "The required field 'StudyInstanceUids' is missing or empty.";
      expect(await refused({ changeDataset })).toBe(missing);
      expect(await refused({ studyInstanceUids: [], changeDataset })).toBe(missing);
      expect(
        await refused({
          studyInstanceUids: Array.from({ length: 51 }, () => study),
          changeDataset,
        }),
      ).toBe("StudyInstanceUids count exceeded maximum length '50'");
      expect(await refused({ studyInstanceUids: ['1.2.a'], changeDataset })).toMatch(
        /^DICOM Identifier is invalid\./,
      );
      expect(await refused({ studyInstanceUids: [study] })).toContain('ChangeDataset');
    });

    it('names the attributes that it does not take', async () => {
      const body = {
        studyInstanceUids: [sample().study],
        changeDataset: {
          '00080060': { vr: 'CS', Value: ['MR'] },
          '0020000D': { vr: 'UI', Value: ['1.2'] },
          '00100020': { vr: 'LO', Value: ['P'.repeat(65)] },
          '00100040': { vr: 'LO', Value: ['F'] },
          '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Fine' }] },
          '00100030': { vr: 'DA', Value: ['20240131', '20240201'] },
        },
      };
      const response = await post(client, body);
      if (is('v1')) {
        expect([response.status, await response.text()]).toEqual([404, '']);
        return;
      }
      const comments = [
        'DICOM100: (0008,0060) - Updating the tag is not supported',
        'DICOM100: (0020,000d) - Updating the tag is not supported',
        `DICOM100: (0010,0020) - Content "${'P'.repeat(65)}" does not validate VR LO: value exceeds maximum length of 64 characters`,
        'DICOM100: (0010,0040) - The VR of the attribute is CS.',
        'DICOM100: (0010,0030) - The attribute has one value.',
      ];
      if (is('PS3.18')) {
        const text = await client.refusal(response, 400);
        expect(text.split('\n').sort()).toEqual([...comments].sort());
        return;
      }
      expect(response.status).toBe(400);
      expect(response.headers.get('content-type')).toBe('application/dicom+json');
      const dataSet = (await response.json()) as Json;
      const items = (dataSet['00741048']?.Value ?? []) as readonly Json[];
      expect(items.map((item) => valueOf(item, '00000902')).sort()).toEqual([...comments].sort());
    });

    it('waits until no other update goes on', async () => {
      if (is('v1')) return;
      const { study } = sample();
      const body = { studyInstanceUids: [study], changeDataset: {} };
      const started = await post(client, body);
      expect(started.status).toBe(202);
      const { id } = (await started.json()) as { id: string };
      const second = await post(client, body);
      expect(second.headers.get('location')).toBe(
        is('v2') ? null : client.url(`/operations/${id}`),
      );
      expect(await client.refusal(second, 409)).toBe(
        `There is already an active update operation with ID '${id}'.`,
      );
      expect((await client.send('DELETE', `/operations/${id}`)).status).toBe(204);
      const third = await post(client, body);
      expect(third.status).toBe(202);
      const { id: last } = (await third.json()) as { id: string };
      await client.send('DELETE', `/operations/${last}`);
    });

    it('takes a new version of every instance where it changes nothing, and an expiry', async () => {
      if (is('v1')) return;
      const one = sample();
      await client.store(one);
      const before = await client.bytes(pathOf(one), dicom);
      const started = await post(
        client,
        { StudyInstanceUids: [one.study], ChangeDataset: {} },
        { 'msdicom-expiry-time-milliseconds': '3600000' },
      );
      expect(started.status).toBe(202);
      const { id } = (await started.json()) as { id: string };
      const job = parseJobId(id);
      if (job === undefined) throw new Error('no id');
      await client.service.services.jobs.run(job, Infinity);
      expect(await client.bytes(pathOf(one), dicom)).toEqual(before);
      const { archive, expiry } = client.service.services;
      const due = await expiry.due(archive.tables.now() + 3_600_000, 100);
      expect(due.map(({ study }) => study)).toContain(one.study);
      const wrong = await post(
        client,
        { studyInstanceUids: [one.study], changeDataset: {} },
        { 'msdicom-expiry-time-milliseconds': 'soon' },
      );
      expect(wrong.status).toBe(400);
    });

    it('shows originals only to who asks by true', async () => {
      const one = sample();
      await client.store(one);
      const headers = { 'msdicom-request-original': 'perhaps' };
      await client.refusal(await client.send('GET', pathOf(one), { headers }), 400);
    });
  });
});
