/** What clients do at random to the service and to its model, and what must then be the same. */
import { deepStrictEqual, strictEqual } from 'node:assert';
import fc from 'fast-check';
import type { Json } from '../../support/conformance.js';
import { readParts } from '../../support/multipart.js';
import {
  command,
  content,
  names,
  numbered,
  place,
  prefix,
  scope,
  type Command,
} from './command.js';
import { longWork } from './long-work.js';
import { fileOf, pathOf, pixelsOf, type ModelledService, type Prefix } from './service.js';
import { uidOf, uidOfSeries, uidOfStudy, type ChangeSeen, type StoreModel } from './store.js';

const tags = {
  modality: '00080060',
  modalitiesInStudy: '00080061',
  studyDate: '00080020',
  patientName: '00100010',
  study: '0020000D',
  series: '0020000E',
  instance: '00080018',
  number: '00200013',
  studySeries: '00201206',
  studyInstances: '00201208',
} as const;

/** The first value of an element. */
function valueOf(dataSet: Json | undefined, tag: string): unknown {
  return dataSet?.[tag]?.Value?.[0];
}

const store = fc
  .record({
    at: prefix,
    mode: fc.constantFrom<('POST' | 'PUT')[]>('POST', 'POST', 'PUT'),
    inStudy: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined, freq: 3 }),
    files: fc.array(
      fc.tuple(place, content).map(([uids, values]) => ({ ...uids, ...values })),
      { minLength: 1, maxLength: 3 },
    ),
  })
  .map(({ at, mode, inStudy, files }) =>
    command(`${mode} ${at} ${String(inStudy)} ${JSON.stringify(files)}`, async (model, service) => {
      const versions = numbered(files);
      const { status, body } = await service.store(mode, at, inStudy, versions);
      const results = versions.map((version) => model.store(version, mode, inStudy));
      const stored = results.filter((result) => result === 'stored').length;
      strictEqual(status, stored === 0 ? 409 : stored < versions.length ? 202 : 200);
      const answer = JSON.parse(body.toString()) as Json;
      const failed = (answer['00081198']?.Value ?? []) as readonly Json[];
      const codes = { exists: 45070, 'other-study': at === '' ? 43265 : 43264, stored: 0 };
      deepStrictEqual(
        failed.map((item) => valueOf(item, '00081197')),
        results.filter((result) => result !== 'stored').map((result) => codes[result]),
      );
      strictEqual((answer['00081199']?.Value ?? []).length, stored);
    }),
  );

const remove = fc.tuple(prefix, scope).map(([at, of]) =>
  command(`DELETE ${at} ${JSON.stringify(of)}`, async (model, service) => {
    const { status } = await service.send('DELETE', pathOf(at, of));
    strictEqual(status, model.delete(of) > 0 ? 204 : 404);
  }),
);

const update = fc
  .record({
    at: fc.constantFrom<Prefix[]>('', '/v2'),
    study: fc.integer({ min: 1, max: 3 }),
    patientName: fc.constantFrom('', ...names),
    patientID: fc.constantFrom('P1', 'P2', 'P3'),
  })
  .map(({ at, study, patientName, patientID }) =>
    command(`UPDATE ${at} ${study} ${patientName} ${patientID}`, async (model, service) => {
      const name = patientName === '' ? {} : { Value: [{ Alphabetic: patientName }] };
      const { status, body } = await service.send('POST', `${at}/studies/$bulkUpdate`, {
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({
          studyInstanceUids: [uidOfStudy(study)],
          changeDataset: {
            [tags.patientName]: { vr: 'PN', ...name },
            '00100020': { vr: 'LO', Value: [patientID] },
          },
        }),
      });
      strictEqual(status, 202);
      const { id } = JSON.parse(body.toString()) as { id: string };
      strictEqual(await service.finish(id), 'succeeded');
      for (const original of model.update(study, { patientName, patientID })) {
        const { body: file } = await service.get(pathOf(at, original), {
          Accept: 'application/dicom; transfer-syntax=*',
          'msdicom-request-original': 'true',
        });
        deepStrictEqual(file, fileOf(original));
      }
    }),
  );

/** Queries for studies, and the studies that they find. */
const studyQueries: readonly {
  readonly query: string;
  readonly finds: (model: StoreModel, study: number) => boolean;
}[] = [
  { query: '', finds: () => true },
  { query: `StudyInstanceUID=${uidOfStudy(2)}`, finds: (_, study) => study === 2 },
  {
    query: 'PatientID=P2',
    finds: (model, study) => model.studies().get(study)?.patientID === 'P2',
  },
  {
    query: 'PatientName=MULLER*',
    finds: (model, study) => /^M[uü]ller/.test(model.studies().get(study)?.patientName ?? ''),
  },
  {
    query: 'PatientName=*%5EJ%3F*e*',
    finds: (model, study) => model.studies().get(study)?.patientName === 'Doe^Jane',
  },
  {
    query: 'PatientName=Zak%5EEwa',
    finds: (model, study) => model.studies().get(study)?.patientName === 'Żak^Ewa',
  },
  {
    query: 'StudyDate=20240101-20240331',
    finds: (model, study) => model.studies().get(study)?.studyDate === '20240101',
  },
  {
    query: 'StudyDate=20240101-',
    finds: (model, study) => (model.studies().get(study)?.studyDate ?? '') >= '2024',
  },
  {
    query: 'ModalitiesInStudy=CT',
    finds: (model, study) => model.modalitiesIn(study).includes('CT'),
  },
  {
    query: 'ModalitiesInStudy=MR&PatientID=P1',
    finds: (model, study) =>
      model.modalitiesIn(study).includes('MR') && model.studies().get(study)?.patientID === 'P1',
  },
];

const everything =
  'includefield=ModalitiesInStudy,NumberOfStudyRelatedSeries,NumberOfStudyRelatedInstances,PatientName,StudyDate';

const searchStudies = fc
  .record({
    at: prefix,
    choice: fc.constantFrom(...studyQueries),
    limit: fc.integer({ min: 1, max: 3 }),
    offset: fc.integer({ min: 0, max: 3 }),
  })
  .map(({ at, choice: { query, finds }, limit, offset }) =>
    command(`GET ${at}/studies?${query} ${limit} ${offset}`, async (model, service) => {
      const path = `${at}/studies?${everything}&${query}`;
      const found = await service.list(path);
      const studies = [...model.studies().keys()].filter((study) => finds(model, study));
      deepStrictEqual(
        found.map((one) => valueOf(one, tags.study)).sort(),
        studies.map(uidOfStudy).sort(),
      );
      for (const study of studies) {
        const one = found.find((other) => valueOf(other, tags.study) === uidOfStudy(study));
        const instances = model.within({ study });
        strictEqual(valueOf(one, tags.studyInstances), instances.length);
        strictEqual(
          valueOf(one, tags.studySeries),
          new Set(instances.map(({ series }) => series)).size,
        );
        deepStrictEqual(one?.[tags.modalitiesInStudy]?.Value ?? [], model.modalitiesIn(study));
        const name = valueOf(one, tags.patientName) as { Alphabetic?: string } | undefined;
        strictEqual(name?.Alphabetic ?? '', model.studies().get(study)?.patientName);
        strictEqual(valueOf(one, tags.studyDate) ?? '', model.studies().get(study)?.studyDate);
      }
      const page = await service.list(`${path}&limit=${limit}&offset=${offset}`);
      deepStrictEqual(page, found.slice(offset, offset + limit));
    }),
  );

const searchSeries = fc
  .record({
    at: prefix,
    study: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    modality: fc.constantFrom('CT', 'MR', 'PT'),
  })
  .map(({ at, study, modality }) =>
    command(`GET ${at} series ${String(study)} ${modality}`, async (model, service) => {
      const below = study === undefined ? at : pathOf(at, { study });
      const found = await service.list(`${below}/series?Modality=${modality}`);
      const wanted = model
        .all()
        .filter((version) => study === undefined || version.study === study)
        .filter((version) => model.modalityOf(version) === modality)
        .map(uidOfSeries);
      deepStrictEqual(
        found.map((one) => valueOf(one, tags.series)).sort(),
        [...new Set(wanted)].sort(),
      );
    }),
  );

const searchInstances = fc.tuple(prefix, place, fc.boolean()).map(([at, of, anywhere]) =>
  command(`GET ${at} instances ${JSON.stringify(of)} ${anywhere}`, async (model, service) => {
    const { study, series } = of;
    const path = anywhere
      ? `${at}/instances?SOPInstanceUID=${uidOf(of)}`
      : `${pathOf(at, { study, series })}/instances`;
    const found = await service.list(path);
    // Within their series they come in the order of InstanceNumber.
    const wanted = model
      .within(anywhere ? of : { study, series })
      .toSorted((one, other) => one.number - other.number);
    deepStrictEqual(
      found.map((one) => valueOf(one, tags.instance)),
      wanted.map(uidOf),
    );
  }),
);

const retrieve = fc.tuple(prefix, scope).map(([at, of]) =>
  command(`GET ${at} ${JSON.stringify(of)}`, async (model, service) => {
    const accept = 'multipart/related; type="application/dicom"; transfer-syntax=*';
    const wanted = model.within(of);
    const path = pathOf(at, of);
    const request = new Headers({ Accept: accept });
    const { status, body } = await service.get(path, Object.fromEntries(request));
    strictEqual(status, wanted.length > 0 ? 200 : 404);
    if (wanted.length === 0) return;
    const boundary = /^--(\S+)\r\n/.exec(body.toString('latin1'))?.[1] ?? '';
    const parts = readParts(`multipart/related; boundary=${boundary}`, body);
    strictEqual(parts.length, wanted.length);
    for (const [index, version] of wanted.entries()) {
      deepStrictEqual(parts[index]?.body, fileOf(version));
    }
  }),
);

const metadata = fc.tuple(prefix, scope).map(([at, of]) =>
  command(`GET ${at} metadata ${JSON.stringify(of)}`, async (model, service) => {
    const path = `${pathOf(at, of)}/metadata`;
    const wanted = model.within(of);
    const versions = wanted.map(({ number, edition = 0 }) => `${number}.${edition}`).join();
    const seen = model.etags.get(path);
    const { status, body, etag } = await service.get(
      path,
      seen === undefined ? {} : { 'If-None-Match': seen.etag },
    );
    if (wanted.length > 0 && seen?.versions === versions) {
      strictEqual(status, 304);
      return;
    }
    strictEqual(status, wanted.length > 0 ? 200 : 404);
    if (wanted.length === 0) return;
    const found = JSON.parse(body.toString()) as readonly Json[];
    deepStrictEqual(
      found.map((one) => [valueOf(one, tags.instance), valueOf(one, tags.number)]),
      wanted.map((version) => [uidOf(version), version.number]),
    );
    if (etag === null) throw new Error('metadata without an ETag');
    model.etags.set(path, { etag, versions });
  }),
);

const frames = fc.tuple(prefix, place).map(([at, of]) =>
  command(`GET ${at} frames ${JSON.stringify(of)}`, async (model, service) => {
    const { status, body } = await service.get(`${pathOf(at, of)}/frames/1`, {
      Accept: 'application/octet-stream',
    });
    const [version] = model.within(of);
    strictEqual(status, version === undefined ? 404 : 200);
    if (version !== undefined) deepStrictEqual(body, pixelsOf(version));
  }),
);

interface FeedItem {
  readonly sequence: number;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly action: ChangeSeen['action'];
  readonly state: ChangeSeen['state'];
}

/** The whole feed, page by page. */
async function readFeed(service: ModelledService, at: Prefix, limit: number) {
  const items: FeedItem[] = [];
  for (;;) {
    const offset = at === '/v1' ? (items.at(-1)?.sequence ?? 0) : items.length;
    const path = `${at}/changefeed?limit=${limit}&offset=${offset}&includemetadata=false`;
    const page = await service.list<FeedItem>(path);
    items.push(...page);
    if (page.length < limit) return items;
  }
}

const feed = fc.tuple(prefix, fc.integer({ min: 1, max: 20 })).map(([at, limit]) =>
  command(`GET ${at}/changefeed by ${limit}`, async (model, service) => {
    await service.settle();
    const items = await readFeed(service, at, limit);
    strictEqual(items.length, model.changes);
    deepStrictEqual(
      items.map(({ sequence }) => sequence),
      [...new Set(items.map(({ sequence }) => sequence))].sort((a, b) => a - b),
    );
    for (const study of [1, 2, 3]) {
      const seen = items.filter((item) => item.studyInstanceUid === uidOfStudy(study));
      deepStrictEqual(
        seen.map(({ sopInstanceUid, action, state }) => ({
          instance: sopInstanceUid,
          action,
          state,
        })),
        model.changesOf(study),
      );
    }
    const latest = await service.get(`${at}/changefeed/latest?includemetadata=false`);
    strictEqual(latest.status, items.length === 0 ? 204 : 200);
    if (items.length === 0) return;
    deepStrictEqual(JSON.parse(latest.body.toString()), items.at(-1));
  }),
);

/** One thing that a client does; stores come up more often than the rest. */
export const anyCommand: readonly fc.Arbitrary<Command>[] = [
  store,
  store,
  store,
  remove,
  update,
  searchStudies,
  searchStudies,
  searchSeries,
  searchInstances,
  retrieve,
  metadata,
  frames,
  feed,
  ...longWork,
];
