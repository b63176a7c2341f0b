/** The JavaScript client of the OHIF family, as published, against the running service. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client, faces, freshUids, sample, valueOf, type Json } from '../support/conformance.js';
import { element } from '../support/part10-builder.js';
import { startService, type Service } from '../support/service.js';
import { XmlHttpRequest } from '../support/xml-http-request.js';

interface SearchOptions {
  readonly studyInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly queryParams?: Readonly<Record<string, string | number | boolean>>;
}

/** As it is used: its own types say that searches answer at once, and need those of a browser. */
interface Searcher {
  searchForStudies(options?: SearchOptions): Promise<readonly Json[]>;
  searchForSeries(options?: SearchOptions): Promise<readonly Json[]>;
  searchForInstances(options?: SearchOptions): Promise<readonly Json[]>;
}

interface Package {
  readonly api: {
    readonly DICOMwebClient: new (options: { url: string; verbose: boolean }) => Searcher;
  };
}

const packageName: string = 'dicomweb-client';

describe.each(faces)('dicomweb-client at the URLs of $name', (face) => {
  let service: Service;
  let client: Searcher;
  const first = freshUids();
  const studies = [first.study, ...Array.from({ length: 6 }, () => freshUids().study)];

  beforeAll(async () => {
    Object.assign(globalThis, { XMLHttpRequest: XmlHttpRequest });
    service = await startService({ host: 'local' });
    const sender = new Client(face, () => service);
    for (const study of studies) {
      await sender.store(
        sample({
          study,
          overrides: [element('00100020', 'LO', 'client'), element('00100010', 'PN', 'Müller^Ida')],
        }),
      );
    }
    const more = [1, 2, 3].map((number) =>
      sample({
        ...first,
        instance: freshUids().instance,
        overrides: [element('00200013', 'IS', String(number))],
      }),
    );
    await sender.store(...more);
    const { api } = (await import(packageName)) as Package;
    client = new api.DICOMwebClient({ url: sender.baseUrl, verbose: false });
  });

  afterAll(async () => {
    Reflect.deleteProperty(globalThis, 'XMLHttpRequest');
    await service.stop();
  });

  it('pages through all studies by offset, newest first, until a page is empty', async () => {
    const found: unknown[] = [];
    for (;;) {
      const page = await client.searchForStudies({
        queryParams: { limit: 3, offset: found.length },
      });
      if (page.length === 0) break;
      found.push(...page.map((one) => valueOf(one, '0020000D')));
    }
    expect(found).toEqual(studies.toReversed());
  });

  it.each([
    [{ PatientName: '*müller*', fuzzymatching: false }, 6],
    [{ PatientName: 'mul', fuzzymatching: true }, 6],
    [{ StudyInstanceUID: studies.slice(1, 3).join('\\') }, 2],
    [{ '00100020': 'client', ModalitiesInStudy: 'CT,MR', StudyDate: '20240101-20241231' }, 6],
    [{ PatientID: 'nobody' }, 0],
  ])('finds studies by %j', async (queryParams, count) => {
    expect(await client.searchForStudies({ queryParams })).toHaveLength(count);
  });

  it('finds the series of a study, and all series by their study', async () => {
    const { study, series } = first;
    const within = await client.searchForSeries({
      studyInstanceUID: study,
      queryParams: { includefield: '00080021,0008103E', Modality: 'CT' },
    });
    expect(within.map((one) => valueOf(one, '0020000E')).includes(series)).toBe(true);
    const all = await client.searchForSeries({ queryParams: { StudyInstanceUID: study } });
    expect(all).toHaveLength(within.length);
  });

  it('pages through the instances of a series', async () => {
    const { study, series } = first;
    const of = { studyInstanceUID: study, seriesInstanceUID: series };
    const found: unknown[] = [];
    for (;;) {
      const queryParams = { limit: 2, offset: found.length, includefield: '00200013' };
      const page = await client.searchForInstances({ ...of, queryParams });
      if (page.length === 0) break;
      found.push(...page.map((one) => valueOf(one, '00080018')));
    }
    expect(new Set(found).size).toBe(found.length);
    const second = await client.searchForInstances({ ...of, queryParams: { InstanceNumber: 2 } });
    expect(second).toHaveLength(1);
  });

  it('learns what is wrong with a query', async () => {
    await expect(client.searchForStudies({ queryParams: { Foo: 'bar' } })).rejects.toMatchObject({
      status: 400,
    });
  });
});
