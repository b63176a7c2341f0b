/** Updates: new versions of instances that keep the first one, beside stores, replacements and deletes. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { attribute } from '../../../../src/dicom/attribute.js';
import type { DataSet } from '../../../../src/dicom/data-set.js';
import type { Archive } from '../../../../src/storage/archive/archive.js';
import type { CommitResult } from '../../../../src/storage/archive/commit/store-commit.js';
import { checkStore } from '../../../../src/storage/archive/store-check.js';
import { openOnMemory, put, settle, upload, type Shared } from '../support/fixture.js';
import { partition, studyUid, uidsOf, type Sample } from '../support/samples.js';
import { expectTidy } from '../support/survey.js';

const patientId = attribute('PatientID');
const description = attribute('StudyDescription');

/** Gives an instance a new PatientID, as the job does; `undefined` when it is not there. */
async function update(
  archive: Archive,
  sample: Sample,
  patient: string | undefined,
  job = 'job',
): Promise<CommitResult | undefined> {
  const of = await archive.catalog.instance(partition, uidsOf(sample));
  if (of === undefined) return undefined;
  const before = JSON.parse(await archive.files.metadataText(partition, of)) as DataSet;
  const dataSet: DataSet = {
    ...before,
    [patientId]: { vr: 'LO', ...(patient !== undefined && { Value: [patient] }) },
  };
  const file = { ...(await upload(archive, sample)), dataSet };
  return await archive.store(partition, file, 'replace', {
    of,
    changed: new Set([patientId]),
    job,
  });
}

async function patientOf(archive: Archive, sample: Sample, version: 'newest' | 'original') {
  const reader = version === 'newest' ? archive.catalog : archive.originals;
  const row = await reader.instance(partition, uidsOf(sample));
  if (row === undefined) return undefined;
  const dataSet = JSON.parse(await archive.files.metadataText(partition, row)) as DataSet;
  return dataSet[patientId]?.Value?.[0];
}

function opened(processes = 1): Shared & { readonly archive: Archive } {
  const shared = openOnMemory(processes);
  const [archive] = shared.archives;
  if (archive === undefined) throw new RangeError('no archive');
  return { ...shared, archive };
}

const one: Sample = { study: 1, series: 1, instance: 1 };
const two: Sample = { study: 1, series: 1, instance: 2 };

describe('an update', () => {
  it('keeps the first version, whatever follows', async () => {
    const shared = opened();
    const { archive } = shared;
    await put(archive, one);
    await put(archive, two);
    expect(await update(archive, one, 'P7')).toBe('stored');
    await settle(shared);
    const first = await expectTidy(shared);
    expect(first.originals).toHaveLength(1);
    expect(first.log.map(({ action }) => action)).toEqual(['Create', 'Create', 'Update']);
    expect(await patientOf(archive, one, 'newest')).toBe('P7');
    expect(await patientOf(archive, one, 'original')).toBe('P1');
    expect(await patientOf(archive, two, 'original')).toBe('P1');
    expect(await update(archive, one, 'P8')).toBe('stored');
    await settle(shared);
    const second = await expectTidy(shared);
    expect(second.originals).toEqual(first.originals);
    expect(await patientOf(archive, one, 'newest')).toBe('P8');
    expect(await patientOf(archive, one, 'original')).toBe('P1');
  });

  it('shows originals in the place of what was updated, page by page', async () => {
    const { archive } = opened();
    const samples = [1, 2, 3, 4, 5].map((instance) => ({ ...one, instance }));
    for (const sample of samples) await put(archive, sample);
    for (const sample of samples.filter(({ instance }) => instance % 2 === 0)) {
      await update(archive, sample, 'P7');
    }
    const patients: unknown[] = [];
    const pages = archive.instancesWithMetadata(partition, studyUid(1), undefined, {
      firstPageRows: 2,
    });
    for await (const rows of archive.originals.of(partition, studyUid(1), pages, 'all')) {
      for (const row of rows) {
        const dataSet = JSON.parse(await archive.files.metadataText(partition, row)) as DataSet;
        patients.push([row.record.instance, dataSet[patientId]?.Value?.[0]]);
      }
    }
    expect(patients).toEqual(samples.map((sample) => [uidsOf(sample).instance, 'P1']));
  });

  it('changes of the study what it names, empty values too, and nothing else', async () => {
    const { archive } = opened();
    await put(archive, { ...one, more: { [description]: { vr: 'LO', Value: ['first'] } } });
    await put(archive, { ...two, more: { [description]: { vr: 'LO', Value: ['second'] } } });
    const before = await archive.catalog.study(partition, studyUid(1));
    await update(archive, one, undefined);
    const after = await archive.catalog.study(partition, studyUid(1));
    expect(after).toMatchObject({
      newest: before?.newest,
      instances: 2,
      attributes: { ...before?.attributes, [patientId]: { vr: 'LO' } },
    });
    expect(Object.keys(after?.indexes[patientId] ?? {})).toEqual([]);
  });

  it('leaves alone what is another version by now, or gone', async () => {
    const { archive } = opened();
    await put(archive, one);
    const stale = await archive.catalog.instance(partition, uidsOf(one));
    await update(archive, one, 'P7');
    if (stale === undefined) throw new RangeError('not stored');
    const late = { of: stale, changed: new Set([patientId]), job: 'late' };
    expect(await archive.store(partition, await upload(archive, one), 'replace', late)).toBe(
      'exists',
    );
    expect(await patientOf(archive, one, 'newest')).toBe('P7');
    await archive.delete(partition, studyUid(1), {});
    expect(await archive.store(partition, await upload(archive, one), 'replace', late)).toBe(
      'exists',
    );
    expect(await patientOf(archive, one, 'original')).toBeUndefined();
  });

  it('is gone with its original after a delete, and after a replacement', async () => {
    const shared = opened();
    const { archive } = shared;
    const many = Array.from({ length: 60 }, (_, instance) => ({ ...one, instance }));
    for (const sample of many) await put(archive, sample);
    await Promise.all(many.map(async (sample) => await update(archive, sample, 'P7')));
    await archive.store(partition, await upload(archive, one), 'replace');
    expect(await patientOf(archive, one, 'original')).toBe('P1');
    await settle(shared);
    expect((await expectTidy(shared)).originals).toHaveLength(59);
    expect(await archive.delete(partition, studyUid(1), {})).toBe(60);
    await settle(shared);
    expect((await expectTidy(shared)).originals).toEqual([]);
    expect(shared.blobNames?.('instances')).toEqual([]);
  });

  it('leaves a store in which nothing is amiss, beside others', async () => {
    const deed = fc.record({
      kind: fc.constantFrom('put', 'replace', 'update', 'delete'),
      series: fc.integer({ min: 1, max: 2 }),
      instance: fc.integer({ min: 1, max: 3 }),
      depth: fc.integer({ min: 1, max: 3 }),
      patient: fc.constantFrom('P1', 'P2', 'P3'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 14 }), async (deeds) => {
        const shared = opened(2);
        await Promise.all(
          shared.archives.map(async (archive, process) => {
            for (const { kind, depth, patient, ...place } of deeds.filter(
              (_, at) => at % 2 === process,
            )) {
              const sample = { study: 1, ...place, patient };
              const { series, instance } = uidsOf(sample);
              if (kind === 'update') await update(archive, sample, patient);
              else if (kind === 'delete') {
                await archive.delete(partition, studyUid(1), {
                  ...(depth > 1 && { series }),
                  ...(depth > 2 && { instance }),
                });
              } else {
                const mode = kind === 'put' ? 'create' : 'replace';
                await archive.store(partition, await upload(archive, sample), mode);
              }
            }
          }),
        );
        await settle(shared);
        const found = await expectTidy(shared);
        const [tables] = shared.tables;
        if (tables === undefined) throw new RangeError('no store');
        const findings: string[] = [];
        for await (const { kind } of checkStore(
          { tables, blobs: shared.blobs },
          { orphanAge: -2000 },
        )) {
          findings.push(kind);
        }
        expect(findings).toEqual([]);
        for (const { instance, version, original } of found.instances) {
          const kept = found.originals.find((row) => row.instance === instance);
          expect(kept?.version).toBe(original);
          expect(original).not.toBe(version);
        }
      }),
      { numRuns: 40 },
    );
  });
});
