/** Delete: at once gone from retrieve and search, with the parents that have nothing left. */
import { describe, expect, it } from '@jest/globals';
import {
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  valueOf,
  type Client,
  type Json,
  type Sample,
} from '../support/conformance.js';
import { element } from '../support/part10-builder.js';

/** Every way to see a study, a series or an instance. */
function waysToSee({ study, series, instance }: Partial<Sample> & { study: string }): string[] {
  const path = pathOf({
    study,
    ...(series !== undefined && { series }),
    ...(instance !== undefined && { instance }),
  });
  return [path, `${path}/metadata`, ...(instance === undefined ? [] : [`${path}/frames/1`])];
}

async function expectGone(client: Client, path: string): Promise<void> {
  const response = await client.get(path);
  const text = await response.text();
  expect({ path, status: response.status, text }).toEqual({ path, status: 404, text });
}

/** The only result of a search. */
async function found(client: Client, path: string): Promise<Json | undefined> {
  const [result, ...others] = await client.json(path);
  expect(others).toEqual([]);
  return result;
}

const counted = 'includefield=00201206,00201208,00080061';

onEveryDeployment((client) => {
  describe('DELETE an instance', () => {
    it('makes it unseen, and leaves the others', async () => {
      const one = sample();
      const other = sample({ study: one.study, series: one.series });
      await client.store(one, other);
      expect(await client.remove(pathOf(one))).toBe(204);
      for (const path of waysToSee(one)) await expectGone(client, path);
      for (const path of [
        `/instances?SOPInstanceUID=${one.instance}`,
        `/studies/${one.study}/instances?SOPInstanceUID=${one.instance}`,
      ]) {
        expect(await client.json(path)).toEqual([]);
      }
      expect(await client.json(`/studies/${one.study}/instances`)).toHaveLength(1);
      expect(await client.bytes(pathOf(other), 'application/dicom; transfer-syntax=*')).toEqual(
        other.file,
      );
    });

    it('takes its series and study along when it was their last', async () => {
      const id = fresh('ID-');
      const one = sample({ overrides: [element('00100020', 'LO', id)] });
      await client.store(one);
      expect(await client.remove(pathOf(one))).toBe(204);
      for (const path of [
        ...waysToSee({ study: one.study }),
        ...waysToSee({ study: one.study, series: one.series }),
        ...waysToSee(one),
      ]) {
        await expectGone(client, path);
      }
      for (const path of [
        `/studies?StudyInstanceUID=${one.study}`,
        `/studies?PatientID=${id}`,
        `/studies/${one.study}/series`,
        `/series?SeriesInstanceUID=${one.series}`,
        `/instances?SOPInstanceUID=${one.instance}`,
      ]) {
        expect(await client.json(path)).toEqual([]);
      }
    });

    it('lets the same instance be stored again', async () => {
      const one = sample();
      await client.store(one);
      expect(await client.remove(pathOf(one))).toBe(204);
      await client.store(one);
      expect(await client.bytes(pathOf(one), 'application/dicom; transfer-syntax=*')).toEqual(
        one.file,
      );
      expect(await client.json(`/studies?StudyInstanceUID=${one.study}`)).toHaveLength(1);
    });
  });

  describe('DELETE a series', () => {
    it('makes it unseen; counts and modalities of the study follow', async () => {
      const ct = sample();
      const second = sample({ study: ct.study, series: ct.series });
      const mr = sample({ study: ct.study, overrides: [element('00080060', 'CS', 'MR')] });
      await client.store(ct, second, mr);
      const path = `/studies?StudyInstanceUID=${ct.study}&${counted}`;
      const before = await found(client, path);
      expect(before?.['00080061']?.Value).toEqual(['CT', 'MR']);
      expect([valueOf(before, '00201206'), valueOf(before, '00201208')]).toEqual([2, 3]);

      expect(await client.remove(pathOf({ study: ct.study, series: ct.series }))).toBe(204);

      const after = await found(client, path);
      expect(after?.['00080061']?.Value).toEqual(['MR']);
      expect([valueOf(after, '00201206'), valueOf(after, '00201208')]).toEqual([1, 1]);
      expect(await client.json(`${path}&ModalitiesInStudy=CT`)).toEqual([]);
      for (const gone of [
        ...waysToSee({ study: ct.study, series: ct.series }),
        ...waysToSee(ct),
        ...waysToSee(second),
      ]) {
        await expectGone(client, gone);
      }
      expect(await client.json(`/studies/${ct.study}/series`)).toHaveLength(1);
      expect(await client.json(`/series?SeriesInstanceUID=${ct.series}`)).toEqual([]);
    });

    it('takes the study along when it was the last', async () => {
      const one = sample();
      await client.store(one);
      expect(await client.remove(pathOf({ study: one.study, series: one.series }))).toBe(204);
      for (const path of waysToSee({ study: one.study })) await expectGone(client, path);
      expect(await client.isThere(one.study)).toBe(false);
    });
  });

  describe('DELETE a study', () => {
    it('makes all of it unseen, and can be undone by storing it again', async () => {
      const study = fresh();
      const samples = [sample({ study }), sample({ study }), sample({ study })];
      await client.store(...samples);
      expect(await client.remove(pathOf({ study }))).toBe(204);
      expect(await client.isThere(study)).toBe(false);
      for (const one of samples) {
        for (const path of waysToSee(one)) await expectGone(client, path);
      }
      await client.store(...samples);
      const result = await found(client, `/studies?StudyInstanceUID=${study}&${counted}`);
      expect([valueOf(result, '00201206'), valueOf(result, '00201208')]).toEqual([3, 3]);
    });
  });

  it.each([
    ['study', ({ study }: Sample) => pathOf({ study })],
    ['series', ({ study, series }: Sample) => pathOf({ study, series })],
    ['instance', pathOf],
  ] as const)('DELETE of a %s answers 404 the second time', async (_level, path) => {
    const one = sample();
    await client.store(one);
    expect(await client.remove(path(one))).toBe(204);
    await client.refusal(await client.send('DELETE', path(one)), 404);
  });
});
