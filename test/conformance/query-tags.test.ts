/** Extended query tags, as clients of the Microsoft server add, use and remove them. */
import { describe, expect, it } from '@jest/globals';
import { parseJobId } from '../../src/jobs/job.js';
import {
  fresh,
  onEveryFace,
  sample,
  standard,
  v1,
  valueOf,
  type Client,
  type Json,
  type Face,
} from '../support/conformance.js';
import { element } from '../support/part10-builder.js';

interface Entry {
  readonly path: string;
  readonly status: string;
  readonly queryStatus: string;
  readonly errors?: { readonly count: number; readonly href: string };
  readonly operation?: { readonly id: string; readonly href: string };
}

const tagsPath = '/extendedquerytags';

async function post(client: Client, body: unknown, path = tagsPath): Promise<Response> {
  return await client.send('POST', path, {
    headers: { 'Content-Type': 'application/json; charset=utf-8' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

async function patch(client: Client, path: string, body: unknown): Promise<Response> {
  return await client.send('PATCH', `${tagsPath}/${path}`, {
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** Does a job to its end. */
async function run(client: Client, id: string): Promise<void> {
  const job = parseJobId(id);
  if (job === undefined) throw new Error(`no id: ${id}`);
  expect(await client.service.services.jobs.run(job, Infinity)).toBe('over');
}

/** Adds tags and waits for them to be ready; answers the operation. */
async function add(
  client: Client,
  ...tags: readonly object[]
): Promise<{ readonly id: string; readonly href: string }> {
  const response = await post(client, tags);
  const text = await response.text();
  expect({ status: response.status, text }).toEqual({ status: 202, text });
  const operation = JSON.parse(text) as { id: string; href: string };
  expect(response.headers.get('location')).toBe(operation.href);
  await run(client, operation.id);
  return operation;
}

async function entry(client: Client, path: string): Promise<Entry> {
  const response = await client.get(`${tagsPath}/${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Entry;
}

async function remove(client: Client, path: string): Promise<void> {
  expect(await client.remove(`${tagsPath}/${path}`)).toBe(204);
  await client.refusal(await client.get(`${tagsPath}/${path}`), 404);
}

/** A value for each face, whose tests share a service. */
const byFace = <Of>({ name }: Face, of: Readonly<Record<Face['name'], Of>>): Of => of[name];

onEveryFace((client) => {
  describe('an extended query tag', () => {
    it('is added, indexes what is stored and what is stored later, is searched, and goes', async () => {
      const keyword = byFace(client.face, {
        'PS3.18': 'PhysiciansOfRecord',
        v1: 'PatientBirthName',
        v2: 'PatientMotherBirthName',
      });
      const path = byFace(client.face, { 'PS3.18': '00081048', v1: '00101005', v2: '00101060' });
      const name = fresh('Löwe');
      const named = { overrides: [element(path, 'PN', `${name}^Anna`)] };
      const [before, after, other] = [sample(named), sample(named), sample()];
      await client.store(before, other);

      const response = await post(client, [{ path: keyword, level: 'Study' }]);
      expect(response.status).toBe(202);
      const { id, href } = (await response.json()) as { id: string; href: string };
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      expect(href).toBe(client.url(`/operations/${id}`));
      expect(await entry(client, keyword)).toEqual({
        path,
        vr: 'PN',
        level: 'study',
        status: 'adding',
        operation: { id, href },
        queryStatus: 'enabled',
      });
      await client.store(after);
      const pending = await client.get(`/operations/${id}`);
      expect(pending.status).toBe(202);
      expect(await pending.json()).not.toHaveProperty('percentComplete');
      await run(client, id);
      const done = (await (await client.get(`/operations/${id}`)).json()) as object;
      expect(done).toMatchObject({
        operationId: id,
        type: 'reindex',
        status: client.face === v1 ? 'completed' : 'succeeded',
        percentComplete: 100,
        resources: [client.url(`${tagsPath}/${path}`)],
      });
      expect(done).not.toHaveProperty('results');
      expect(await entry(client, path.toLowerCase())).toEqual({
        path,
        vr: 'PN',
        level: 'study',
        status: 'ready',
        queryStatus: 'enabled',
      });

      const found = async (query: string) =>
        (await client.json(`/studies?${query}`)).map((one) => valueOf(one, '0020000D')).sort();
      const both = [before.study, after.study].sort();
      const plain = name.replace('ö', 'o');
      expect(await found(`${keyword}=${plain}%5EAnna`)).toEqual(both);
      expect(await found(`${path}=${name.toLowerCase()}*`)).toEqual(both);
      expect(await found(`${keyword}=${plain}%20Ann&fuzzymatching=true`)).toEqual(both);
      expect(await found(`${keyword}=${plain}`)).toEqual([]);
      const [shown] = await client.json(`/studies?${keyword}=${plain}%5EAnna&limit=1`);
      expect(shown?.[path]).toMatchObject({ vr: 'PN', Value: [{ Alphabetic: `${name}^Anna` }] });
      expect(await client.remove(`/studies/${before.study}`)).toBe(204);
      expect(await found(`${keyword}=${name}*`)).toEqual([after.study]);

      await remove(client, keyword);
      if (client.face !== standard) {
        const text = await client.refusal(await client.get(`/studies?${keyword}=${plain}*`), 400);
        expect(text).toContain(`AttributeId ${keyword} is not queryable.`);
      }
    });

    it('of a series and of an instance, private or not, finds whole values, ranges, patterns and numbers', async () => {
      const creator = `ACME ${client.face.name}`;
      const block = byFace(client.face, { 'PS3.18': '10', v1: '11', v2: '12' });
      const at = (low: string) => `0009${block}${low}`;
      // In the file the creator has another block than where the tag was added.
      const inFile = (low: string) => `000940${low}`;
      const file = (series: object, day: string, count: string, size: number) =>
        sample({
          ...series,
          overrides: [
            element('00090040', 'LO', creator),
            element(inFile('01'), 'DA', day),
            element(inFile('02'), 'IS', count),
            element(inFile('03'), 'FD', size),
            element(inFile('04'), 'TM', '1015'),
            element(inFile('05'), 'LO', `Value ${count}`),
          ],
        });
      const one = file({}, '20250102', '0003', 1.5);
      await client.store(one);
      await add(
        client,
        { path: at('01'), vr: 'da', level: 'instance', privateCreator: creator },
        { path: at('02'), vr: 'IS', level: 'Instance', privateCreator: creator },
        { path: at('03'), vr: 'FD', level: 'Instance', privateCreator: creator },
        { path: at('04'), vr: 'TM', level: 'Series', privateCreator: creator },
        { path: at('05'), vr: 'LO', level: 'Series', privateCreator: creator },
      );
      const two = file({ study: one.study, series: one.series }, '20250203', '4', 2.5);
      await client.store(two);
      const instances = async (query: string) =>
        (await client.json(`/instances?${query}`)).map((each) => valueOf(each, '00080018')).sort();
      const all = [one.instance, two.instance].sort();
      expect(await instances(`${at('01')}=20250102`)).toEqual([one.instance]);
      expect(await instances(`${at('01')}=20250101-20250301`)).toEqual(all);
      expect(await instances(`${at('01')}=20250103-`)).toEqual([two.instance]);
      expect(await instances(`${at('02')}=3`)).toEqual([one.instance]);
      expect(await instances(`${at('02')}=04`)).toEqual([two.instance]);
      expect(await instances(`${at('03')}=2.5`)).toEqual([two.instance]);
      expect(await instances(`${at('05')}=value%204`)).toEqual(client.face.microsoft ? all : []);
      expect(await instances(`${at('05')}=Val*4`)).toEqual(all);
      expect(await client.json(`/series?${at('04')}=10-11`)).toHaveLength(1);
      expect(await client.json(`/series?${at('04')}=1016-`)).toHaveLength(0);
      expect(await client.json(`/studies/${one.study}/series?${at('05')}=Value*`)).toHaveLength(1);
      const text = await client.refusal(await client.get(`/instances?${at('02')}=two`), 400);
      expect(text).toContain(
        `specified value 'two' extended query tag with path '${at('02')}' is not a valid long value.`,
      );
      expect(
        await client.remove(`/studies/${one.study}/series/${one.series}/instances/${two.instance}`),
      ).toBe(204);
      expect(await instances(`${at('01')}=20250101-20250301`)).toEqual([one.instance]);
      for (const low of ['01', '02', '03', '04', '05']) await remove(client, at(low));
    });

    it('notes values that cannot be indexed, is disabled by them, and says so when it is enabled again', async () => {
      const path = byFace(client.face, { 'PS3.18': '00180020', v1: '00185100', v2: '00081040' });
      const vr = client.face.name === 'v2' ? 'LO' : 'CS';
      const [good, bad] = ['KNEE', 'ONE\\TWO'].map((value) =>
        sample({ overrides: [element(path, vr, ...value.split('\\'))] }),
      );
      if (good === undefined || bad === undefined) throw new Error('no samples');
      // Stored at the plain URL, where the standard alone counts.
      for (const { file } of [good, bad]) {
        const stored = await fetch(`${client.service.baseUrl}/studies`, {
          method: 'POST',
          headers: { 'Content-Type': 'application/dicom' },
          body: file,
        });
        expect(stored.status).toBe(200);
      }
      await add(client, { path, level: 'Instance' });
      expect(await entry(client, path)).toMatchObject({
        status: 'ready',
        queryStatus: 'disabled',
        errors: { count: 1, href: client.url(`${tagsPath}/${path}/errors`) },
      });
      const query = `/instances?${path}=KNEE`;
      const refusal = await client.refusal(await client.get(query), 400);
      expect(refusal).toBe(`Query is disabled on specified attribute '${path}'.`);
      const errors = (await (await client.get(`${tagsPath}/${path}/errors`)).json()) as object[];
      expect(errors).toEqual([
        {
          studyInstanceUid: bad.study,
          seriesInstanceUid: bad.series,
          sopInstanceUid: bad.instance,
          createdTime: expect.stringMatching(/^\d{4}-.*\.\d{7}Z$/) as unknown,
          errorMessage:
            'Dicom element has multiple values. Indexing is only supported on single value element.',
        },
      ]);
      expect((await patch(client, path, { queryStatus: 'Enabled' })).status).toBe(200);
      const answer = await client.get(query, 'application/dicom+json');
      expect(answer.status).toBe(200);
      expect(answer.headers.get('erroneous-dicom-attributes')).toBe(path);
      expect(((await answer.json()) as object[]).length).toBe(1);
      expect(await client.remove(`/studies/${bad.study}`)).toBe(204);
      expect(await (await client.get(`${tagsPath}/${path}/errors`)).json()).toEqual([]);
      const disabled = await patch(client, path, { QueryStatus: 'disabled' });
      expect(await disabled.json()).toMatchObject({ path, queryStatus: 'disabled' });
      await remove(client, path);
    });

    it('has an instance whose value cannot be indexed refused, stored with a warning, or stored', async () => {
      const creator = 'ACME';
      const path = byFace(client.face, { 'PS3.18': '00181000', v1: '00181020', v2: '00181030' });
      const block = byFace(client.face, { 'PS3.18': '20', v1: '21', v2: '22' });
      await add(
        client,
        { path, level: 'Study' },
        { path: `0009${block}01`, vr: 'SH', level: 'Series', privateCreator: creator },
      );
      const tooLong = 'x'.repeat(65);
      const bad = sample({ overrides: [element(path, 'LO', tooLong)] });
      const privately = sample({
        overrides: [
          element('00090040', 'LO', creator),
          element('00094001', 'SH', 'seventeen letters'),
        ],
      });
      const otherVR = sample({ overrides: [element(path, 'SH', 'short')] });
      const several = sample({ overrides: [element(path, 'LO', 'one', 'two')] });
      const statuses: number[] = [];
      const comments: unknown[] = [];
      for (const { file } of [bad, privately, otherVR, several]) {
        const response = await client.stow([file]);
        statuses.push(response.status);
        const { '00081198': failed, '00081199': stored } = (await response.json()) as Json;
        const [item] = (failed ?? stored)?.Value as readonly Json[];
        comments.push(valueOf(valueOf(item, '00741048') as Json | undefined, '00000902'));
      }
      const name = { 'PS3.18': 'DeviceSerialNumber', v1: 'SoftwareVersions', v2: 'ProtocolName' };
      const keyword = byFace(client.face, name);
      const shownTag = `(${path.slice(0, 4)},${path.slice(4)})`;
      expect(statuses).toEqual(
        byFace(client.face, {
          'PS3.18': [200, 200, 200, 200],
          v1: [409, 409, 409, 200],
          v2: [202, 202, 200, 200],
        }),
      );
      if (client.face === v1) {
        expect(comments).toEqual([
          `DICOM100: ${shownTag} - Dicom element '${keyword}' failed validation for VR 'LO': Value length exceeds maximum length of 64.`,
          `DICOM100: (0009,4001) - Dicom element '(0009,4001)' failed validation for VR 'SH': Value length exceeds maximum length of 16.`,
          `DICOM100: ${shownTag} - Dicom element '${keyword}' failed validation for VR 'SH': The extended query tag '${keyword}' is expected to have VR 'LO' but has 'SH' in file.`,
          undefined,
        ]);
      }
      // What was stored is there, and not found by what cannot be indexed.
      for (const pattern of ['xx*', 'short', 'one*', 'two']) {
        expect(await client.json(`/studies?${path}=${pattern}`)).toEqual([]);
      }
      await remove(client, path);
      await remove(client, `0009${block}01`);
    });

    it('is refused in the words of the Microsoft server', async () => {
      const study = { level: 'Study' };
      const refusals: readonly (readonly [unknown, string])[] = [
        ['[{', 'The syntax of the request body is invalid.'],
        [[], 'The extended query tag(s) is missing.'],
        [
          [{ path: '00104000' }],
          "The field '[0].Level' in request body is invalid: The Dicom Tag Property Level must be specified and must not be null, empty or whitespace",
        ],
        [
          [{ path: ' ', ...study }],
          "The field '[0].Path' in request body is invalid: The Dicom Tag Property Path must be specified and must not be null, empty or whitespace",
        ],
        [
          [{ path: '00104000', level: 'Studys' }],
          "The field '$[0].Level' in request body is invalid: Expected value 'Studys' to be one of the following values: ['Instance', 'Series', 'Study']",
        ],
        [
          [{ path: 'NoSuchKeyword', ...study }],
          "The extended query tag 'NoSuchKeyword' is invalid as it cannot be parsed into a valid Dicom Tag.",
        ],
        [
          [{ path: '00400275.00400007', ...study }],
          "Dicom element '00400275.00400007' failed validation for VR 'SQ': Sequential dicom tags are currently not supported.",
        ],
        [[{ path: 'PatientID', ...study }], "The query tag 'PatientID' is already supported."],
        [
          [{ path: 'MilitaryRank', vr: 'ZZ', ...study }],
          "The VR code 'ZZ' for tag 'MilitaryRank' is invalid.",
        ],
        [
          [{ path: '12051003', privateCreator: 'X', ...study }],
          "The vr for tag '12051003' is missing.",
        ],
        [
          [{ path: 'MilitaryRank', vr: 'SH', ...study }],
          "The VR code 'SH' is incorrectly specified for 'MilitaryRank'. The expected VR code for it is 'LO'. Retry this request either with the correct VR code or without specifying it.",
        ],
        [
          [{ path: 'PatientComments', ...study }],
          "The VR code 'LT' specified for tag 'PatientComments' is not supported.",
        ],
        [
          [{ path: 'MilitaryRank', privateCreator: 'X', ...study }],
          "The private creator is not empty for standard tag 'MilitaryRank'.",
        ],
        [
          [{ path: '12050010', privateCreator: 'X', ...study }],
          "The private creator is not empty for private identification code '12050010'.",
        ],
        [
          [{ path: '12051003', vr: 'SS', ...study }],
          "The private creator for private tag '12051003' is missing.",
        ],
        [
          [{ path: '12051003', vr: 'SS', privateCreator: 'X\u0007', ...study }],
          "The private creator for tag '12051003' is not a valid LO attribute.",
        ],
        [
          [
            { path: 'MilitaryRank', ...study },
            { path: 'MilitaryRank', ...study },
          ],
          "The extended query tag 'MilitaryRank' has been specified before.",
        ],
      ];
      for (const [body, text] of refusals) {
        expect(await client.refusal(await post(client, body), 400)).toBe(text);
      }
      const plain = await client.send('POST', tagsPath, {
        body: '[]',
        headers: { 'Content-Type': 'text/plain' },
      });
      await client.refusal(plain, 415);
      const unknown = await client.refusal(await client.get(`${tagsPath}/MilitaryRank`), 404);
      expect(unknown).toBe(
        'The specified extended query tag with tag path 00101080 cannot be found.',
      );
      await client.refusal(await client.send('DELETE', `${tagsPath}/MilitaryRank`), 404);
      await client.refusal(await patch(client, 'MilitaryRank', { queryStatus: 'Enabled' }), 404);
      await client.refusal(await client.get(`${tagsPath}/a.b`), 400);
      const limit = await client.refusal(await client.get(`${tagsPath}?limit=201`), 400);
      expect(limit).toBe(
        "The query parameter 'Limit' is invalid. The field Limit must be between 1 and 200.",
      );
      const other = await client.refusal(await patch(client, 'MilitaryRank', { foo: 1 }), 400);
      expect(other).toBe(
        'The field \'foo\' in request body is invalid: The field is not supported: "foo".',
      );
    });

    it('is one of 128 at most, is there once, and is added by one operation at a time', async () => {
      const creator = `MANY ${client.face.name}`;
      const many = (count: number, from = 0) =>
        Array.from({ length: count }, (_, at) => ({
          path: `0011${(0x1000 + at + from).toString(16).toUpperCase()}`,
          vr: 'SH',
          level: 'Series',
          privateCreator: creator,
        }));
      const there = ((await (await client.get(tagsPath)).json()) as Entry[]).length;
      expect(there).toBe(0);
      const full = await client.refusal(await post(client, many(129)), 503);
      expect(full).toBe("Extended query tags exceeds max allowed count '128'.");
      await add(client, ...many(127));
      const page = (await (await client.get(`${tagsPath}?limit=2&offset=1`)).json()) as Entry[];
      expect(page.map(({ path }) => path)).toEqual(['00111001', '00111002']);
      await client.refusal(await post(client, many(2, 127)), 503);
      const exists = await client.refusal(await post(client, many(1)), 409);
      expect(exists).toBe('One or more extended query tags already exist.');

      const started = await post(client, many(1, 127));
      const { id, href } = (await started.json()) as { id: string; href: string };
      const busy = await post(client, [{ path: 'nonsense', level: 'Study' }]);
      expect(busy.headers.get('location')).toBe(href);
      expect(await client.refusal(busy, 409)).toBe(
        `There is already an active re-index operation with ID '${id}'.`,
      );
      // What is being added may go; and what nobody adds any more may be added again.
      expect(await client.remove(`/operations/${id}`)).toBe(204);
      expect(await entry(client, '0011107F')).toMatchObject({ status: 'adding' });
      await add(client, ...many(1, 127));
      expect(await entry(client, '0011107F')).toMatchObject({ status: 'ready' });
      for (const { path } of many(128)) await remove(client, path);
    });
  });
});
