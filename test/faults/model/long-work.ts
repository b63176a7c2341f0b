/** Long work and what belongs to it, at random: query tags, exports, operations that are canceled, and expiry. */
import { deepStrictEqual, strictEqual } from 'node:assert';
import fc from 'fast-check';
import type { Json } from '../../support/conformance.js';
import { withJson } from '../../support/in-process.js';
import { command, content, numbered, place, prefix, type Command } from './command.js';
import { acquisitionOf, birthNameOf, fileOf, type ModelledService } from './service.js';
import { uidOf, uidOfSeries, uidOfStudy, type StoreModel, type Version } from './store.js';

interface Started {
  readonly id: string;
  readonly href: string;
}

async function operationOf(service: ModelledService, at: string, id: string): Promise<object> {
  const { status, body } = await service.get(`${at}/operations/${id}`);
  strictEqual(status, 200);
  return JSON.parse(body.toString()) as object;
}

const added = [
  { path: 'AcquisitionNumber', level: 'Instance' },
  { path: 'PatientBirthName', level: 'Study' },
] as const;

const addTags = fc.tuple(prefix, fc.boolean()).map(([at, isCanceled]) =>
  command(`POST ${at}/extendedquerytags canceled: ${isCanceled}`, async (model, service) => {
    const path = `${at}/extendedquerytags`;
    const { status, body } = await service.send('POST', path, withJson(added));
    strictEqual(status, model.tags === 'ready' ? 409 : 202);
    if (model.tags === 'ready') return;
    const { id } = JSON.parse(body.toString()) as Started;
    if (isCanceled) {
      strictEqual((await service.send('DELETE', `${at}/operations/${id}`)).status, 204);
      model.tags = 'adding';
    } else {
      await service.finish(id);
      model.tags = 'ready';
    }
    const succeeded = at === '/v1' ? 'completed' : 'succeeded';
    const { type, status: state } = (await operationOf(service, at, id)) as Record<string, unknown>;
    deepStrictEqual([type, state], ['reindex', isCanceled ? 'canceled' : succeeded]);
    const listed = await service.list<{ readonly path: string; readonly status: string }>(path);
    deepStrictEqual(
      listed.map((tag) => [tag.path, tag.status]),
      ['00200012', '00101005'].map((tag) => [tag, model.tags]),
    );
  }),
);

const removeTags = prefix.map((at) =>
  command(`DELETE ${at}/extendedquerytags`, async (model, service) => {
    for (const { path } of added) {
      const { status } = await service.send('DELETE', `${at}/extendedquerytags/${path}`);
      strictEqual(status, model.tags === 'none' ? 404 : 204);
    }
    model.tags = 'none';
  }),
);

function firstOf(found: readonly Json[], tag: string): readonly unknown[] {
  return found.map((one) => one[tag]?.Value?.[0]).sort();
}

const searchByTags = fc
  .tuple(prefix, fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 3 }))
  .map(([at, acquisition, study]) =>
    command(`GET ${at} by tags ${acquisition} ${study}`, async (model, service) => {
      const ofInstances = `${at}/instances?AcquisitionNumber=${acquisition}`;
      const ofStudies = `${at}/studies?PatientBirthName=${birthNameOf({ study })}`;
      if (model.tags !== 'ready') {
        // Unversioned, keys that are not known are passed over.
        const status = at === '' ? 200 : 400;
        strictEqual((await service.get(ofInstances)).status, status);
        strictEqual((await service.get(ofStudies)).status, status);
        return;
      }
      const instances = model.all().filter((version) => acquisitionOf(version) === acquisition);
      deepStrictEqual(
        firstOf(await service.list(ofInstances), '00080018'),
        instances.map(uidOf).sort(),
      );
      const studies = model.studies().has(study) ? [uidOfStudy(study)] : [];
      deepStrictEqual(firstOf(await service.list(ofStudies), '0020000D'), studies);
    }),
  );

/** What an export of some studies, or of everything, has to have. */
function exportedFrom(
  model: StoreModel,
  studies: readonly number[] | undefined,
): readonly Version[] {
  if (studies === undefined) return model.all();
  return studies.flatMap((study) => [...model.within({ study })]);
}

const exportSome = fc
  .tuple(prefix, fc.uniqueArray(fc.integer({ min: 1, max: 3 }), { minLength: 1 }))
  .map(([at, studies]) =>
    command(`POST ${at}/export ${studies.join()}`, async (model, service) => {
      const isAll = at === '' && studies.length === 3;
      const { uri, blobs } = service.container();
      const source = isAll
        ? { type: 'everything' }
        : { type: 'identifiers', settings: { values: studies.map(uidOfStudy) } };
      const settings = { blobContainerUri: uri, useManagedIdentity: true };
      const body = { source, destination: { type: 'azureBlob', settings } };
      const started = await service.send('POST', `${at}/export`, withJson(body));
      strictEqual(started.status, 202);
      const { id } = JSON.parse(started.body.toString()) as Started;
      await service.finish(id);
      const wanted = exportedFrom(model, isAll ? undefined : studies);
      const skipped = isAll ? 0 : studies.filter((study) => !model.studies().has(study)).length;
      const { results } = (await operationOf(service, at, id)) as { readonly results: object };
      const errorHref = `${uri}/${id}/errors.log`;
      deepStrictEqual(results, { exported: wanted.length, skipped, errorHref });
      const files = new Map(
        wanted.map((version) => {
          const place = `${uidOfStudy(version.study)}/${uidOfSeries(version)}/${uidOf(version)}`;
          return [`${id}/results/${place}.dcm`, fileOf(version)];
        }),
      );
      const written = [...blobs].filter(([name]) => name.endsWith('.dcm'));
      deepStrictEqual(written.map(([name]) => name).sort(), [...files.keys()].sort());
      for (const [name, bytes] of written) deepStrictEqual(bytes, files.get(name));
    }),
  );

const storeForATime = fc
  .tuple(prefix, place, content, fc.integer({ min: 1, max: 5 }))
  .map(([at, uids, values, hours]) =>
    command(`PUT ${at} ${JSON.stringify(uids)} for ${hours} h`, async (model, service) => {
      const [version] = numbered([{ ...uids, ...values }]);
      if (version === undefined) return;
      const { status } = await service.store('PUT', at, undefined, [version], {
        'msdicom-expiry-time-milliseconds': String(hours * 3_600_000),
      });
      strictEqual(status, 200);
      model.store(version, 'PUT', undefined);
      model.expires.set(version.study, model.minutes + hours * 60);
    }),
  );

const passTime = fc.integer({ min: 1, max: 3 }).map((hours) =>
  command(`${hours} h pass`, async (model, service) => {
    // A minute more, for what the test itself takes.
    const minutes = hours * 60 + 1;
    await service.pass(minutes);
    model.pass(minutes);
  }),
);

export const longWork: readonly fc.Arbitrary<Command>[] = [
  addTags,
  addTags,
  removeTags,
  searchByTags,
  searchByTags,
  exportSome,
  storeForATime,
  passTime,
];
