/** Search (PS3.18 §10.6): every route, every key that clients send, and the exact attributes of results. */
import { beforeAll, describe, expect, it } from '@jest/globals';
import {
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  sopClass,
  valueOf,
  type Client,
  type Json,
  type Sample,
} from '../support/conformance.js';
import { element, sequence, syntaxes, type ElementSpec } from '../support/part10-builder.js';

type Query = Readonly<Record<string, string>>;

function encoded(query: Query): string {
  return Object.entries(query)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join('&');
}

function uidsIn(results: readonly Json[], tag: string): unknown[] {
  return results.map((one) => valueOf(one, tag)).sort();
}

const studyUid = '0020000D';
const seriesUid = '0020000E';
const instanceUid = '00080018';

/** A study of two series, CT and MR, with values that no other study has. */
interface Patient {
  readonly id: string;
  readonly accession: string;
  readonly family: string;
  readonly ct: Sample;
  readonly secondCt: Sample;
  readonly mr: Sample;
}

function patient(): Patient {
  const number = fresh('');
  const study = fresh();
  const id = `ID-${number}`;
  const accession = `A${number}`;
  const family = `Family${number}`;
  const overrides = (...more: readonly ElementSpec[]) => [
    element('00100020', 'LO', id),
    element('00101000', 'LO', `OTHER-${id}`),
    element('00080050', 'SH', accession),
    element('00100010', 'PN', `${family}^Gudrun^M`),
    element('00080020', 'DA', '20230615'),
    element('00081030', 'LO', `Chest ${number}`),
    ...more,
  ];
  const ctValues = overrides(
    element('0008103E', 'LO', 'Axial'),
    element('00081090', 'LO', 'Scanner X'),
    element('00400244', 'DA', '20230616'),
    element('00400245', 'TM', '0900'),
    sequence('00400275', [[element('00401001', 'SH', 'RP1')]]),
  );
  const ct = sample({ study, overrides: ctValues });
  const secondCt = sample({ study, series: ct.series, overrides: ctValues });
  const mr = sample({ study, overrides: overrides(element('00080060', 'CS', 'MR')) });
  return { id, accession, family, ct, secondCt, mr };
}

/** What the defaults of each contract show of a study, series and instance. */
function defaultsOf(client: Client, { id, accession, family, ct }: Patient) {
  const number = id.slice(3);
  const study: Json = {
    '00080020': { vr: 'DA', Value: ['20230615'] },
    '00080050': { vr: 'SH', Value: [accession] },
    '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Curie^Marie' }] },
    '00100010': { vr: 'PN', Value: [{ Alphabetic: `${family}^Gudrun^M` }] },
    '00100020': { vr: 'LO', Value: [id] },
    '00100030': { vr: 'DA', Value: ['19700101'] },
    [studyUid]: { vr: 'UI', Value: [ct.study] },
  };
  const characterSet: Json = { '00080005': { vr: 'CS', Value: ['ISO_IR 192'] } };
  const online: Json = { '00080056': { vr: 'CS', Value: ['ONLINE'] } };
  const description: Json = { '00081030': { vr: 'LO', Value: [`Chest ${number}`] } };
  const more: Json = {
    '00080030': { vr: 'TM', Value: ['101500'] },
    '00100040': { vr: 'CS', Value: ['F'] },
    '00200010': { vr: 'SH', Value: ['S1'] },
  };
  const url = (path: string): Json => ({ '00081190': { vr: 'UR', Value: [client.url(path)] } });
  const series: Json = {
    '00080060': { vr: 'CS', Value: ['CT'] },
    [seriesUid]: { vr: 'UI', Value: [ct.series] },
    '00400244': { vr: 'DA', Value: ['20230616'] },
  };
  const moreOfSeries: Json = {
    '0008103E': { vr: 'LO', Value: ['Axial'] },
    '00400245': { vr: 'TM', Value: ['0900'] },
    '00400275': { vr: 'SQ', Value: [{ '00401001': { vr: 'SH', Value: ['RP1'] } } as never] },
  };
  const instance: Json = { [instanceUid]: { vr: 'UI', Value: [ct.instance] } };
  const moreOfInstance: Json = {
    '00080016': { vr: 'UI', Value: [sopClass] },
    '00200013': { vr: 'IS', Value: [1] },
    '00280010': { vr: 'US', Value: [16] },
    '00280011': { vr: 'US', Value: [16] },
    '00280100': { vr: 'US', Value: [16] },
  };
  const timezone: Json = { '00080201': { vr: 'SH' } };
  const byContract = {
    'PS3.18': {
      study: {
        ...study,
        ...more,
        ...online,
        ...description,
        ...timezone,
        ...url(pathOf({ study: ct.study })),
        '00080061': { vr: 'CS', Value: ['CT', 'MR'] },
        '00201206': { vr: 'IS', Value: [2] },
        '00201208': { vr: 'IS', Value: [3] },
      },
      series: {
        ...series,
        ...moreOfSeries,
        ...timezone,
        ...url(pathOf({ study: ct.study, series: ct.series })),
        '00200011': { vr: 'IS', Value: [1] },
        '00201209': { vr: 'IS', Value: [2] },
      },
      instance: {
        ...instance,
        ...moreOfInstance,
        ...online,
        ...timezone,
        ...url(pathOf(ct)),
        '00083002': { vr: 'UI', Value: [syntaxes.explicit] },
        '00280008': { vr: 'IS' },
      },
    },
    v1: {
      study: { ...study, ...more, ...characterSet },
      series: { ...series, ...moreOfSeries, ...characterSet },
      instance: { ...instance, ...moreOfInstance, ...characterSet },
    },
    v2: {
      study: { ...study, ...description },
      series: { ...series, '00081090': { vr: 'LO', Value: ['Scanner X'] } },
      instance,
    },
  } as const satisfies Record<Client['face']['name'], Record<string, Json>>;
  return byContract[client.face.name];
}

onEveryDeployment((client) => {
  const { microsoft } = client.face;
  const known = patient();
  const { ct, secondCt, mr } = known;
  const { study } = ct;

  beforeAll(async () => {
    await client.store(ct, secondCt, mr);
  });

  async function studies(query: string): Promise<unknown[]> {
    return uidsIn(await client.json(`/studies?${query}`), studyUid);
  }

  describe('the search routes', () => {
    const [studyFields, seriesFields, instanceFields] = [studyUid, seriesUid, instanceUid];

    it.each([
      ['/studies', { StudyInstanceUID: ct.study }, studyFields, [ct.study]],
      ['/series', { SeriesInstanceUID: ct.series }, seriesFields, [ct.series]],
      ['/series', { StudyInstanceUID: study }, seriesFields, [ct.series, mr.series]],
      ['/instances', { SOPInstanceUID: ct.instance }, instanceFields, [ct.instance]],
      ['/instances', { SeriesInstanceUID: mr.series }, instanceFields, [mr.instance]],
      [`/studies/${study}/series`, { SeriesInstanceUID: mr.series }, seriesFields, [mr.series]],
      [`/studies/${study}/series`, {}, seriesFields, [ct.series, mr.series]],
      [
        `/studies/${study}/instances`,
        { SOPInstanceUID: mr.instance },
        instanceFields,
        [mr.instance],
      ],
      [
        `/studies/${study}/instances`,
        {},
        instanceFields,
        [ct.instance, secondCt.instance, mr.instance],
      ],
      [
        `${pathOf({ study, series: ct.series })}/instances`,
        { '00080018': secondCt.instance },
        instanceFields,
        [secondCt.instance],
      ],
      [
        `${pathOf({ study, series: ct.series })}/instances`,
        {},
        instanceFields,
        [ct.instance, secondCt.instance],
      ],
    ] as const)('find in %s what matches %j', async (path, query, tag, expected) => {
      const results = await client.json(`${path}?${encoded(query)}`);
      expect(uidsIn(results, tag)).toEqual([...expected].sort());
    });

    it('return exactly the attributes that the contract names, at each level', async () => {
      const defaults = defaultsOf(client, known);
      const inStudy = { [studyUid]: { vr: 'UI', Value: [study] } };
      const inSeries = { ...inStudy, [seriesUid]: { vr: 'UI', Value: [ct.series] } };
      const uid = (name: string, value: string) => `?${name}=${value}`;
      const bySeries = uid('SeriesInstanceUID', ct.series);
      const byInstance = uid('SOPInstanceUID', ct.instance);
      expect(await client.json(`/studies${uid('StudyInstanceUID', study)}`)).toEqual([
        defaults.study,
      ]);
      expect(await client.json(`/studies/${study}/series${bySeries}`)).toEqual([
        { ...inStudy, ...defaults.series },
      ]);
      expect(
        await client.json(`${pathOf({ study, series: ct.series })}/instances${byInstance}`),
      ).toEqual([{ ...inSeries, ...defaults.instance }]);
      expect(await client.json(`/studies/${study}/instances${byInstance}`)).toEqual([
        { ...inSeries, ...defaults.series, ...defaults.instance },
      ]);
      expect(await client.json(`/series${bySeries}`)).toEqual([
        { ...defaults.study, ...defaults.series },
      ]);
      expect(await client.json(`/instances${byInstance}`)).toEqual([
        { ...defaults.study, ...defaults.series, ...defaults.instance },
      ]);
    });
  });

  describe('a search that finds nothing', () => {
    it.each([
      '/studies?PatientID=nobody',
      `/studies/${fresh()}/series`,
      '/instances?SOPInstanceUID=1.9',
    ])('is empty: %s', async (path) => {
      const response = await client.get(path, 'application/dicom+json');
      expect(response.status).toBe(microsoft ? 204 : 200);
      expect(await response.text()).toBe(microsoft ? '' : '[]');
    });
  });

  describe('the keys of a study', () => {
    const [id, accession, family] = [known.id, known.accession, known.family];

    it.each([
      ['PatientID', { PatientID: id }],
      ['PatientID by tag', { '00100020': id }],
      ['PatientID with padding and a null', { PatientID: `${id} \0` }],
      ['AccessionNumber', { AccessionNumber: accession }],
      ['PatientName', { PatientName: `${family}^Gudrun^M` }],
      ['PatientName in another case', { PatientName: `${family.toUpperCase()}^gudrun^m` }],
      ['StudyDate', { StudyDate: '20230615', PatientID: id }],
      ['a range of StudyDate', { StudyDate: '20230601-20230630', PatientID: id }],
      ['StudyDate from', { StudyDate: '20230615-', PatientID: id }],
      ['StudyDate until', { StudyDate: '-20230615', PatientID: id }],
      ['ModalitiesInStudy', { ModalitiesInStudy: 'CT', PatientID: id }],
      ['ModalitiesInStudy, the other', { ModalitiesInStudy: 'MR', PatientID: id }],
      ['a list of modalities', { ModalitiesInStudy: 'US,MR', PatientID: id }],
      ['StudyDescription', { StudyDescription: `Chest ${id.slice(3)}` }],
      ['a wildcard at the end', { PatientID: `${id}*` }],
      ['a wildcard on both sides', { PatientName: `*${family.slice(2)}*` }],
      ['a wildcard for one character', { AccessionNumber: `?${accession.slice(1)}` }],
      ['fuzzy names', { PatientName: family.slice(0, -1), fuzzymatching: 'true', PatientID: id }],
      ['an uncommon spelling of fuzzymatching', { PatientID: id, FuzzyMatching: 'TRUE' }],
      ['how many instances it has', { NumberOfStudyRelatedInstances: '3', PatientID: id }],
      ['a range of that', { NumberOfStudyRelatedInstances: '2-3', PatientID: id }],
      ['the least of series', { NumberOfStudyRelatedSeries: '2-', PatientID: id }],
      ['a SOP class', { SOPClassUID: sopClass, PatientID: id }],
      ['SOPClassesInStudy', { SOPClassesInStudy: `1.2.3,${sopClass}`, PatientID: id }],
      ['InstanceAvailability', { InstanceAvailability: 'ONLINE', PatientID: id }],
      ['AvailableTransferSyntaxUID', { '00083002': `1.2.3,${syntaxes.explicit}`, PatientID: id }],
      ['OtherPatientIDs', { OtherPatientIDs: `OTHER-${id}`, PatientID: id }],
      ['other attributes of PS3.18', { StudyID: 'S1', StudyTime: '1015', PatientID: id }],
    ] as const)('find it by %s', async (_what, query) => {
      expect(await studies(encoded(query))).toEqual([study]);
    });

    it.each([
      ['another PatientID', { PatientID: `${known.id}x` }],
      ['a day before', { PatientID: known.id, StudyDate: '-20230614' }],
      ['a day after', { PatientID: known.id, StudyDate: '20230616-' }],
      ['another day', { PatientID: known.id, StudyDate: '20230614' }],
      ['another modality', { PatientID: known.id, ModalitiesInStudy: 'US' }],
      ['more instances', { PatientID: known.id, NumberOfStudyRelatedInstances: '4-' }],
      ['another SOP class', { PatientID: known.id, SOPClassUID: '1.2.3' }],
      ['another transfer syntax', { PatientID: known.id, '00083002': '1.2.840.10008.1.2.4.50' }],
      ['another availability', { PatientID: known.id, InstanceAvailability: 'OFFLINE' }],
      ['part of a name without a wildcard', { PatientName: known.family }],
      ['one key of two that differs', { PatientID: known.id, AccessionNumber: 'other' }],
    ] as const)('do not find it by %s', async (_what, query) => {
      expect(await studies(encoded(query))).toEqual([]);
    });

    it('find several by a list of UIDs', async () => {
      const other = sample();
      await client.store(other);
      const both = [study, other.study].sort();
      for (const separator of ['%5C', ',', '%2C']) {
        expect(await studies(`StudyInstanceUID=${study}${separator}${other.study}`)).toEqual(both);
      }
    });
  });

  describe('values', () => {
    it('match without regard to accents in names, and to case', async () => {
      const family = fresh('Hall');
      const one = sample({ overrides: [element('00100010', 'PN', `${family}^X^Tá`)] });
      await client.store(one);
      for (const name of [`${family}^X^Tá`, `${family}^X^Ta`, `${family.toUpperCase()}^x^TA`]) {
        expect(await studies(encoded({ PatientName: name }))).toEqual([one.study]);
      }
    });

    it('match with regard to case in texts, in PS3.18', async () => {
      const id = fresh('Case-');
      const one = sample({
        overrides: [element('00100020', 'LO', id), element('00081030', 'LO', `${id} Skull`)],
      });
      await client.store(one);
      const folded = microsoft ? [one.study] : [];
      expect(await studies(`PatientID=${id}`)).toEqual([one.study]);
      expect(await studies(`PatientID=${id.toUpperCase()}`)).toEqual(folded);
      expect(await studies(encoded({ StudyDescription: `${id} S*` }))).toEqual([one.study]);
      expect(await studies(encoded({ StudyDescription: `${id} s*` }))).toEqual(folded);
    });

    it('of names lose the diacritics of Latin letters only', async () => {
      const family = fresh('Ї');
      const one = sample({ overrides: [element('00100010', 'PN', `${family}й`)] });
      await client.store(one);
      expect(await studies(encoded({ PatientName: `${family}й` }))).toEqual([one.study]);
      expect(await studies(encoded({ PatientName: `${family}и` }))).toEqual([]);
    });

    it('are found where there are none, and where there are all, in PS3.18', async () => {
      if (microsoft) return;
      const accession = fresh('E');
      const none = sample({
        overrides: [element('00080050', 'SH', accession)],
        omit: ['00081030'],
      });
      const some = sample({ overrides: [element('00080050', 'SH', accession)] });
      await client.store(none, some);
      const query = { AccessionNumber: accession, StudyDescription: '""' };
      expect(await studies(encoded(query))).toEqual([]);
      expect(await studies(encoded({ ...query, emptyvaluematching: 'true' }))).toEqual([
        none.study,
      ]);
      const both = { StudyInstanceUID: study, ModalitiesInStudy: 'CT\\MR' };
      expect(await studies(encoded({ ...both, multiplevaluematching: 'true' }))).toEqual([study]);
      expect(
        await studies(
          encoded({ ...both, ModalitiesInStudy: 'CT\\US', multiplevaluematching: 'true' }),
        ),
      ).toEqual([]);
    });

    it('match with and without the nulls that they were stored with', async () => {
      const id = fresh('NULL-');
      const one = sample({ overrides: [element('00100020', 'LO', `${id}\0`)] });
      const response = await client.stow([one.file]);
      await response.arrayBuffer();
      const expected = client.face.name === 'v1' ? [] : [one.study];
      expect(response.status).toBe(expected.length === 1 ? 200 : 409);
      expect(await studies(`PatientID=${id}`)).toEqual(expected);
      expect(await studies(`PatientID=${id}%00`)).toEqual(expected);
    });

    it('are those of the instance stored last; a missing one takes nothing away', async () => {
      const [before, after] = [fresh('Before'), fresh('After')];
      const named = (name: string) => ({
        overrides: [element('00100010', 'PN', name), element('00100020', 'LO', name)],
      });
      const one = sample(named(before));
      await client.store(one);
      expect(await studies(`PatientName=${before}`)).toEqual([one.study]);
      await client.store(sample({ study: one.study, ...named(after) }));
      expect(await studies(`PatientName=${before}`)).toEqual([]);
      expect(await studies(`PatientID=${before}`)).toEqual([]);
      expect(await studies(`PatientName=${after}`)).toEqual([one.study]);
      await client.store(
        sample({ study: one.study, overrides: named(after).overrides, omit: ['00081030'] }),
      );
      const [result] = await client.json(
        `/studies?PatientID=${after}&includefield=StudyDescription`,
      );
      expect(valueOf(result, '00081030')).toBe('Thorax');
    });
  });

  it('keep every modality of a series that mixes them in ModalitiesInStudy', async () => {
    const of = (modality: string, place: Partial<Sample> = {}) =>
      sample({ ...place, overrides: [element('00080060', 'CS', modality)] });
    const first = of('PT');
    const place = { study: first.study, series: first.series };
    const [second, third] = [of('CT', place), of('CT', place)];
    const modalities = async () => {
      const [one] = await client.json(
        `/studies?StudyInstanceUID=${first.study}&includefield=00080061`,
      );
      return one?.['00080061']?.Value;
    };
    await client.store(first, second);
    await client.store(third);
    expect(await modalities()).toEqual(['CT', 'PT']);
    expect(await studies(`ModalitiesInStudy=PT&StudyInstanceUID=${first.study}`)).toEqual([
      first.study,
    ]);
    const gone = await client.send('DELETE', pathOf(first));
    await gone.arrayBuffer();
    expect(await modalities()).toEqual(['CT']);
  });

  describe('the keys of a series', () => {
    it('are Modality and others, at the routes that have them', async () => {
      const series = async (path: string) => uidsIn(await client.json(path), seriesUid);
      expect(await series(`/series?StudyInstanceUID=${study}&Modality=MR`)).toEqual([mr.series]);
      expect(await series(`/series?PatientID=${known.id}&Modality=CT`)).toEqual([ct.series]);
      expect(await series(`/studies/${study}/series?Modality=CT`)).toEqual([ct.series]);
      expect(await series(`/studies/${study}/series?00080060=US`)).toEqual([]);
      const counted = `/studies/${study}/series?NumberOfSeriesRelatedInstances`;
      expect(await series(`${counted}=2-`)).toEqual([ct.series]);
      expect(await series(`${counted}=-1`)).toEqual([mr.series]);
      expect(await series(`/series?StudyInstanceUID=${study}&SOPClassUID=1.2.3`)).toEqual([]);
      expect(
        await series(`/series?SOPClassUID=${sopClass}&SeriesInstanceUID=${mr.series}`),
      ).toEqual([mr.series]);
      expect(
        await series(`/studies/${study}/series?PerformedProcedureStepStartDate=20230616`),
      ).toEqual([ct.series]);
      const syntax = `/studies/${study}/series?AvailableTransferSyntaxUID`;
      expect(await series(`${syntax}=${syntaxes.explicit}`)).toEqual([ct.series, mr.series].sort());
      expect(await series(`${syntax}=1.2.3`)).toEqual([]);
    });
  });

  it('list the SOP classes and transfer syntaxes of a study where they are asked for', async () => {
    const first = sample({ transferSyntaxUID: syntaxes.bigEndian });
    const second = sample({ study: first.study });
    await client.store(first, second);
    const [result] = await client.json(
      `/studies?StudyInstanceUID=${first.study}&includefield=SOPClassesInStudy,AvailableTransferSyntaxUID`,
    );
    expect(result?.['00080062']).toEqual({ vr: 'UI', Value: [sopClass] });
    const both = [syntaxes.bigEndian, syntaxes.explicit].sort();
    expect(result?.['00083002']).toEqual({ vr: 'UI', Value: both });
    const series = await client.json(
      `/studies/${first.study}/series?AvailableTransferSyntaxUID=${syntaxes.bigEndian}`,
    );
    expect(series.map((one) => one['00083002']?.Value)).toEqual([[syntaxes.bigEndian]]);
  });

  describe('paging', () => {
    const pages = patient();
    const others = [sample(), sample(), sample()];
    const ids = encoded({ PatientID: pages.id });

    beforeAll(async () => {
      for (const { study: uid } of others) {
        await client.store(
          sample({ study: uid, overrides: [element('00100020', 'LO', pages.id)] }),
        );
      }
    });

    it('gives the results once each, newest first, page by page', async () => {
      const newestFirst = others.map((one) => one.study).reverse();
      const page = async (query: string) =>
        (await client.json(`/studies?${ids}&${query}`)).map((one) => valueOf(one, studyUid));
      expect(await page('limit=2')).toEqual(newestFirst.slice(0, 2));
      expect(await page('limit=2&offset=2')).toEqual(newestFirst.slice(2));
      expect(await page('limit=2&offset=3')).toEqual([]);
      expect(await page('offset=1')).toEqual(newestFirst.slice(1));
      expect(await page('LIMIT=1&Offset=1')).toEqual(newestFirst.slice(1, 2));
    });

    it('says when there is more', async () => {
      const response = await client.get(`/studies?${ids}&limit=2`);
      await response.text();
      expect(response.headers.get('warning')).toMatch(/^299 /);
      const last = await client.get(`/studies?${ids}&limit=3`);
      await last.text();
      expect(last.headers.get('warning')).toBeNull();
    });
  });

  describe('a series or an instance within its study', () => {
    const tagged = (uids: { study: string; series?: string }, step: string, stage: string) =>
      sample({
        ...uids,
        overrides: [
          element('00181030', 'LO', `Protocol ${step}`),
          element('00189073', 'FD', 0.5),
          element('00091001', 'LO', `private ${step}`),
          sequence('00400275', [
            [element('00400009', 'SH', step), element('00401001', 'SH', stage)],
            [element('00400009', 'SH', 'X'), element('00401001', 'SH', step)],
          ]),
        ],
      });
    const one = tagged({ study: fresh() }, 'A', 'B');
    const other = tagged({ study: one.study }, 'C', 'D');

    beforeAll(async () => {
      await client.store(one, other);
    });

    const step = 'RequestAttributesSequence.ScheduledProcedureStepID';
    it.each([
      ['an attribute that no level lists', { AcquisitionDuration: '0.50' }, [one, other]],
      ['a private attribute', { '00091001': 'private A' }, [one]],
      ['a path', { [step]: 'C' }, [other]],
      ['a path of tags', { '00400275.00401001': 'B' }, [one]],
      ['two keys of one item', { [step]: 'A', '00400275.00401001': 'B' }, [one]],
      ['two keys of different items', { [step]: 'X', '00400275.00401001': 'B' }, []],
    ] as const)('is found by %s', async (_what, query, expected) => {
      const [series, instances] = await Promise.all(
        ['series', 'instances'].map(
          async (level) => await client.json(`/studies/${one.study}/${level}?${encoded(query)}`),
        ),
      );
      expect(uidsIn(series ?? [], seriesUid)).toEqual(expected.map((sent) => sent.series).sort());
      expect(uidsIn(instances ?? [], instanceUid)).toEqual(
        expected.map((sent) => sent.instance).sort(),
      );
    });
  });

  describe('the link to the next page', () => {
    it('leads through all results once each, newest first, and then ends', async () => {
      const id = fresh('LINK-');
      const stored = [sample(), sample(), sample(), sample(), sample()];
      for (const { study: uid } of stored) {
        await client.store(sample({ study: uid, overrides: [element('00100020', 'LO', id)] }));
      }
      const found: unknown[] = [];
      let url: string | undefined = client.url(`/studies?PatientID=${id}&Limit=2`);
      for (let pages = 0; url !== undefined; pages++) {
        expect(pages).toBeLessThan(3);
        const response: Response = await fetch(url);
        const results = (await response.json()) as Json[];
        found.push(...results.map((result) => valueOf(result, studyUid)));
        const link: string | null = response.headers.get('link');
        expect(response.headers.get('warning') === null).toBe(link === null);
        url = /^<([^>]+)>; rel="next"$/.exec(link ?? '')?.[1];
      }
      expect(found).toEqual(stored.map((sent) => sent.study).reverse());
    });

    it('belongs to its search', async () => {
      const first = await client.get(`/studies/${study}/instances?limit=1`);
      await first.text();
      const token = /continuation=([^&>]+)/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
      expect(token).not.toBe('');
      const other = await client.get(`/studies/${study}/series?limit=1&continuation=${token}`);
      expect(await client.refusal(other, 400)).toMatch(/continuation/);
    });
  });

  describe('the keys of an instance', () => {
    it('are its SOP class and its transfer syntax', async () => {
      const found = async (query: string) =>
        (await client.json(`/studies/${study}/instances?${query}`)).length;
      expect(await found(`SOPClassUID=${sopClass}`)).toBe(3);
      expect(await found('SOPClassUID=1.2.3')).toBe(0);
      expect(await found(`AvailableTransferSyntaxUID=${syntaxes.explicit}`)).toBe(3);
      expect(await found('AvailableTransferSyntaxUID=1.2.3')).toBe(0);
    });
  });

  describe('the search for patients', () => {
    const numbers = ['00201200', '00201202', '00201204'];
    const countsOf = (result: Json | undefined) =>
      numbers.map((tag) => (result === undefined ? undefined : valueOf(result, tag)));

    it('shows a patient once, with what belongs to it', async () => {
      const id = fresh('PATIENT');
      const of = (name: string) =>
        sample({
          overrides: [element('00100020', 'LO', id), element('00100010', 'PN', `${id}^${name}`)],
        });
      const [first, second] = [of('Ann'), of('Beth')];
      await client.store(first);
      await client.store(second);
      const results = await client.json(`/patients?PatientName=*${id}*`);
      expect(results).toHaveLength(1);
      expect(valueOf(results[0] ?? {}, '00100020')).toBe(id);
      expect(valueOf(results[0] ?? {}, '00100010')).toEqual({ Alphabetic: `${id}^Beth` });
      expect(countsOf(results[0])).toEqual([2, 2, 2]);
      // One of its studies matches; all are counted.
      const [beth] = await client.json(`/patients?PatientID=${id}&PatientName=${id}^Ann`);
      expect(countsOf(beth)).toEqual([2, 2, 2]);
      const fields = 'includefield=00201200&includefield=00201202,00201204';
      const [shown] = await client.json(`/studies?StudyInstanceUID=${first.study}&${fields}`);
      expect(countsOf(shown)).toEqual([2, 2, 2]);
    });

    it('leads through all patients in the order of their ids', async () => {
      const ids: unknown[] = [];
      let path: string | undefined = '/patients?limit=3';
      while (path !== undefined) {
        const response: Response = await client.send('GET', path);
        const page = (await response.json()) as Json[];
        ids.push(...page.map((one) => valueOf(one, '00100020')));
        const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
        path = link && `/patients${new URL(link).search}`;
      }
      expect(ids).toContain(known.id);
      expect(new Set(ids).size).toBe(ids.length);
      const folded = ids.map((one) => String(one).toLowerCase());
      expect(folded).toEqual(folded.toSorted());
    });

    it('takes keys of patients only, and no other order', async () => {
      for (const query of ['StudyDate=20230615', 'orderby=-PatientID', 'includetotal=true']) {
        const response = await client.send('GET', `/patients?${query}`);
        await response.arrayBuffer();
        expect(response.status).toBe(400);
      }
    });
  });

  describe('orderby', () => {
    it('sorts by an indexed attribute, those without a value last', async () => {
      const accession = fresh('ORDER');
      const dated = (...date: string[]) =>
        sample({
          overrides: [element('00080050', 'SH', accession), element('00080020', 'DA', ...date)],
        });
      const [middle, none, last, first] = [
        dated('20200102'),
        dated(),
        dated('20200103'),
        dated('20200101'),
      ] as const;
      await client.store(middle, none, last, first);
      const ordered = async (query: string) =>
        (await client.json(`/studies?AccessionNumber=${accession}&${query}`)).map((result) =>
          valueOf(result, studyUid),
        );
      const ascending = [first, middle, last, none].map((sent) => sent.study);
      const descending = [last, middle, first, none].map((sent) => sent.study);
      expect(await ordered('orderby=StudyDate')).toEqual(ascending);
      expect(await ordered('orderby=-00080020')).toEqual(descending);
      expect(await ordered('orderby=StudyDate&limit=2&offset=1')).toEqual(ascending.slice(1, 3));
    });

    it('sorts by several keys, and instances by their numbers, page by page', async () => {
      const made = sample();
      const numbered = (number: string) =>
        sample({
          study: made.study,
          series: made.series,
          overrides: [element('00200013', 'IS', number), element('00280100', 'US', 16)],
        });
      const [ten, two, nine] = [numbered('10'), numbered('2'), numbered('9')];
      await client.store(ten, two, nine);
      const pages: unknown[] = [];
      const within = pathOf({ study: made.study, series: made.series });
      let path: string | undefined =
        `${within}/instances?orderby=BitsAllocated,InstanceNumber&limit=2`;
      while (path !== undefined) {
        const response: Response = await client.send('GET', path);
        const page = (await response.json()) as Json[];
        pages.push(page.map((one) => valueOf(one, instanceUid)));
        const link = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1];
        path = link && `${within}/instances${new URL(link).search}`;
      }
      expect(pages).toEqual([[two.instance, nine.instance], [ten.instance]]);
      const byThemselves = await client.json(`${within}/instances`);
      expect(byThemselves.map((one) => valueOf(one, instanceUid))).toEqual(pages.flat());
      for (const wrong of ['RequestAttributesSequence', 'InstanceNumber,', 'Nonsense']) {
        const response = await client.send('GET', `${within}/instances?orderby=${wrong}`);
        await response.arrayBuffer();
        expect(response.status).toBe(400);
      }
    });
  });

  describe('the total', () => {
    const query = `StudyInstanceUID=${study}`;
    const totalOf = async (path: string, headers: Readonly<Record<string, string>> = {}) => {
      const response = await client.send('GET', path, { headers });
      await response.arrayBuffer();
      return [response.headers.get('x-total-count'), response.headers.get('preference-applied')];
    };

    it('comes with every page when it is asked for', async () => {
      expect(await totalOf(`/studies?${query}`)).toEqual([null, null]);
      expect(await totalOf(`/studies?${query}&includetotal=true`)).toEqual(['1', null]);
      expect(await totalOf(`/studies/${study}/instances?limit=1&includetotal=true`)).toEqual([
        '3',
        null,
      ]);
      const wanted = { Prefer: 'respond-async, count=exact' };
      expect(await totalOf(`/studies/${study}/series?limit=1`, wanted)).toEqual([
        '2',
        'count=exact',
      ]);
      expect(await totalOf('/studies?PatientID=nobody&includetotal=true')).toEqual(['0', null]);
    });

    it('counts the whole study list', async () => {
      const [total] = await totalOf('/studies?limit=1&includetotal=true');
      expect(Number(total)).toBeGreaterThan(1);
    });
  });

  describe('parts of values', () => {
    it.each([
      ['PatientName', `*${known.family.slice(1)}^gud*`],
      ['PatientName', `*${known.family.slice(-3)}*`],
      ['PatientID', `*${known.id.slice(1)}`],
      ['AccessionNumber', `?${known.accession.slice(1)}`],
      ['StudyDescription', `*est ${known.id.slice(3)}`],
    ])('find a study by %s=%s', async (name, text) => {
      expect(await studies(encoded({ [name]: text }))).toContain(study);
    });

    it('find a series', async () => {
      const series = await client.json(
        `/series?${encoded({ SeriesDescription: '*xia*', PatientID: known.id })}`,
      );
      expect(uidsIn(series, seriesUid)).toEqual([ct.series]);
    });

    it('no longer find what an instance stored later replaced, or what was deleted', async () => {
      const [before, after] = [fresh('Vorher'), fresh('Danach')];
      const named = (name: string) => ({ overrides: [element('00100010', 'PN', `X^${name}`)] });
      const one = sample(named(before));
      await client.store(one);
      expect(await studies(`PatientName=*${before.slice(1)}*`)).toEqual([one.study]);
      await client.store(sample({ study: one.study, ...named(after) }));
      expect(await studies(`PatientName=*${before.slice(1)}*`)).toEqual([]);
      expect(await studies(`PatientName=*${after.slice(1)}*`)).toEqual([one.study]);
      const response = await client.send('DELETE', `/studies/${one.study}`);
      expect(response.status).toBe(204);
      expect(await studies(`PatientName=*${after.slice(1)}*`)).toEqual([]);
    });
  });

  describe('includefield', () => {
    const asked = ['00100040', '00200010', '00201208'];

    it.each([
      'includefield=PatientSex&includefield=StudyID&includefield=NumberOfStudyRelatedInstances',
      'includefield=00100040,00200010,00201208',
      'includefield=00100040%2CStudyID%2c00201208',
      'IncludeField=PatientSex,00200010&includefield=00201208',
    ])('adds attributes: %s', async (fields) => {
      const [result] = await client.json(`/studies?StudyInstanceUID=${study}&${fields}`);
      const defaults = Object.keys(defaultsOf(client, known).study);
      expect(Object.keys(result ?? {}).sort()).toEqual(
        [...new Set([...defaults, ...asked])].sort(),
      );
      expect(valueOf(result, '00100040')).toBe('F');
      expect(valueOf(result, '00201208')).toBe(3);
    });

    it('adds what only the instances hold, in PS3.18 not to studies', async () => {
      const ofStudy = await client.json(`/studies?StudyInstanceUID=${study}&includefield=00281053`);
      expect(ofStudy[0]?.['00281053']).toEqual(microsoft ? { vr: 'DS', Value: [1] } : undefined);
      const ofSeries = await client.json(`/studies/${study}/series?includefield=00281053`);
      expect(ofSeries[0]?.['00281053']).toEqual({ vr: 'DS', Value: [1] });
    });

    it('adds what else the instance stored last says of the patient', async () => {
      const one = sample({ overrides: [element('001021A0', 'CS', 'NO')] });
      await client.store(one);
      const [result] = await client.json(
        `/studies?StudyInstanceUID=${one.study}&includefield=SmokingStatus`,
      );
      expect(valueOf(result, '001021A0')).toBe('NO');
    });

    it('adds a private attribute, in PS3.18 with its creator', async () => {
      const one = sample({
        overrides: [element('00091001', 'LO', 'mine'), element('00090010', 'LO', 'ACME')],
      });
      await client.store(one);
      for (const path of ['/studies?', `/studies/${one.study}/instances?`]) {
        const query = path.startsWith('/studies?') ? `StudyInstanceUID=${one.study}&` : '';
        const [result] = await client.json(`${path}${query}includefield=00091001`);
        expect(valueOf(result, '00091001')).toBe('mine');
        expect(valueOf(result, '00090010')).toBe(microsoft ? undefined : 'ACME');
      }
    });

    it('says of the character set that it is that of the answer, in PS3.18', async () => {
      const one = sample({ overrides: [element('00080005', 'CS', 'ISO_IR 100')] });
      await client.store(one);
      const [result] = await client.json(
        `/studies?StudyInstanceUID=${one.study}&includefield=SpecificCharacterSet`,
      );
      expect(valueOf(result, '00080005')).toBe(microsoft ? 'ISO_IR 100' : 'ISO_IR 192');
    });

    it.each(['includefield=all', 'includefield=all,StudyDescription'])(
      'takes %s',
      async (fields) => {
        const [result] = await client.json(`/studies?StudyInstanceUID=${study}&${fields}`);
        expect(Object.keys(result ?? {})).toEqual(
          expect.arrayContaining(['00080020', '00080030', '00081030', '00100040', '00200010']),
        );
        if (microsoft) expect(result).not.toHaveProperty('00081190');
      },
    );

    it('adds the URL that Weasis follows', async () => {
      const fields = '0008103E,00080060,0020000E,00200011,00081190';
      const [result] = await client.json(
        `/studies/${study}/series?0020000E=${ct.series}&includefield=${fields}`,
      );
      const url = valueOf(result, '00081190');
      expect(url).toBe(client.url(pathOf({ study, series: ct.series })));
      const response = await fetch(String(url), {
        headers: {
          accept: 'multipart/related;type="application/dicom";transfer-syntax=*',
        },
      });
      await response.arrayBuffer();
      expect(response.status).toBe(200);
    });
  });

  describe('the searches of real clients', () => {
    const id = encodeURIComponent(known.id);

    it.each([
      [
        'OHIF, its study list',
        `/studies?limit=101&offset=0&fuzzymatching=false&includefield=00081030%2C00080060%2C00080090%2C00100030&PatientName=*${known.family}*&00100020=*${id}*&AccessionNumber=*${known.accession}*&StudyDescription=*Chest*&ModalitiesInStudy=CT%2CMR&StudyDate=19700102-20261231`,
        studyUid,
        [study],
      ],
      ['OHIF, several studies', `/studies?StudyInstanceUID=${study}%5C1.9.9`, studyUid, [study]],
      [
        'OHIF, a study it opens',
        `/studies/${study}/series?includefield=00080021%2C00080031%2C0008103E%2C00200011`,
        seriesUid,
        [ct.series, mr.series],
      ],
      [
        'OHIF, in the documentation of the Microsoft server',
        `/studies?limit=25&offset=0&includefield=00081030%2C00080060&StudyDate=19521125-20260507&PatientID=${id}`,
        studyUid,
        [study],
      ],
      [
        'Weasis, by patient',
        `/studies?00100020=${id}&includefield=00080020,00080030,00080050,00080061,00080090,00081030,00100010,00100020,00100021,00100030,00100040,0020000D,00200010`,
        studyUid,
        [study],
      ],
      [
        'Weasis, a page of instances',
        `${pathOf({ study, series: ct.series })}/instances?includefield=00080016,00080018,00200013&offset=0&limit=2`,
        instanceUid,
        [ct.instance, secondCt.instance],
      ],
      [
        'Weasis, how many instances',
        `/studies/${study}/series?0020000E=${ct.series}&includefield=00201209`,
        '00201209',
        [2],
      ],
      [
        '3D Slicer',
        `/studies?includefield=StudyDescription&limit=100&offset=0&PatientID=${id}`,
        studyUid,
        [study],
      ],
      [
        '3D Slicer, the series',
        `/studies/${study}/series?includefield=SeriesNumber`,
        seriesUid,
        [ct.series, mr.series],
      ],
      [
        'OHIF, a row of its list',
        `/studies/${study}/series?includefield=0008103E%2C00080021`,
        seriesUid,
        [ct.series, mr.series],
      ],
      [
        'OHIF, prior studies',
        `/studies?limit=101&offset=0&fuzzymatching=true&includefield=00081030%2C00080060%2C00080090%2C00100030&00100020=${id}`,
        studyUid,
        [study],
      ],
      [
        'OHIF, one series of a study it opens',
        `/studies/${study}/series?includefield=00080021%2C00080031%2C0008103E%2C00200011&SeriesInstanceUID=${mr.series}`,
        seriesUid,
        [mr.series],
      ],
      [
        'OHIF, an instance for a thumbnail',
        `${pathOf({ study, series: mr.series })}/instances?limit=1&includefield=00080018`,
        instanceUid,
        [mr.instance],
      ],
      [
        'Weasis, by accession number',
        `/studies?AccessionNumber=${known.accession}&includefield=00080020&includefield=00080030,00080050`,
        studyUid,
        [study],
      ],
      [
        'Weasis, the series',
        `/studies/${study}/series?includefield=0008103E,00080060,0020000E,00200011,00081190`,
        seriesUid,
        [ct.series, mr.series],
      ],
      [
        'Weasis, the instance in the middle',
        `${pathOf({ study, series: ct.series })}/instances?includefield=00080018&limit=1&offset=1`,
        instanceUid,
        [[ct.instance, secondCt.instance].sort()[1]],
      ],
      [
        'dicomweb-client for Python, the page behind the last',
        `/studies?PatientID=${id}&limit=2&offset=1`,
        studyUid,
        [],
      ],
      ['MONAI Label', `/series?SeriesInstanceUID=${mr.series}`, seriesUid, [mr.series]],
      [
        'MONAI Label, by modality',
        `/series?Modality=MR&StudyInstanceUID=${study}`,
        seriesUid,
        [mr.series],
      ],
    ] as const)('work: %s', async (_client, path, tag, expected) => {
      expect(uidsIn(await client.json(path), tag)).toEqual([...expected].sort());
    });
  });

  describe('a search that cannot be understood', () => {
    const notQueryable = (key: string) =>
      `Invalid query: AttributeId ${key} is not queryable. If the parameter is an attribute keyword, check the casing as they are case-sensitive. The conformance statement has a list of supported query parameters, attributes and the levels.`;
    const badDate = (value: string) =>
      `Invalid query: specified Date value '${value}' is invalid for attribute 'StudyDate'. Date should be valid and formatted as yyyyMMdd.`;

    it.each([
      ['/studies?Modality=CT', notQueryable('Modality')],
      ['/studies?00281053=1', notQueryable('00281053')],
      ['/studies?StudyDate=2023', badDate('2023')],
      ['/studies?StudyDate=20230230', badDate('20230230')],
      ['/studies?StudyDate=-', badDate('-')],
      ['/studies?StudyDate=20230101-x', badDate('20230101-x')],
    ])('is refused in the words of the Microsoft server: %s', async (path, text) => {
      const response = await client.get(path);
      if (microsoft || text.includes('Date')) {
        expect(await client.refusal(response, 400)).toBe(text);
      } else expect([response.status, (await response.text()).length > 1]).toEqual([200, true]);
    });

    it.each([
      ['/studies?Foo=bar', 'Foo'],
      ['/studies?patientid=x', 'patientid'],
      ['/studies?Modality=XX', 'Modality'],
      ['/studies?RequestAttributesSequence.RequestedProcedureID=1', 'RequestAttributesSequence'],
      [`/studies/${study}/series?RequestAttributesSequence=1`, 'RequestAttributesSequence'],
      [`/studies/${study}/series?Modality.CodeValue=1`, 'Modality'],
    ])('is none in PS3.18 for a parameter that is not known: %s', async (path, name) => {
      const response = await client.get(path);
      if (microsoft) {
        expect(await client.refusal(response, 400)).toContain(name);
        return;
      }
      expect(response.status).toBe(200);
      expect(((await response.json()) as Json[]).length).toBeGreaterThan(0);
      const warning = response.headers.get('warning') ?? '';
      expect(warning).toMatch(/^299 \S+: "These query parameters are not supported/);
      expect(warning).toContain(name);
    });

    it('is one with a pattern of more than 256 characters', async () => {
      const pattern = `*${'?'.repeat(256)}`;
      const response = await client.get(`/studies?PatientName=${encodeURIComponent(pattern)}`);
      expect(await client.refusal(response, 400)).toMatch(/PatientName.*256/);
    });

    it.each([
      [`/studies/${study}/series`, 'StudyInstanceUID', study],
      [`/studies/${study}/series`, 'PatientID', known.id],
      [`${pathOf({ study, series: ct.series })}/instances`, 'SeriesInstanceUID', ct.series],
      [`${pathOf({ study, series: ct.series })}/instances`, 'Modality', 'CT'],
    ])(
      'is one in %s by %s, of a level above, for clients of the Microsoft server',
      async (path, key, value) => {
        const response = await client.get(`${path}?${key}=${value}`);
        if (microsoft) expect(await client.refusal(response, 400)).toBe(notQueryable(key));
        else expect(((await response.json()) as Json[]).length).toBe(2);
      },
    );

    it.each([
      ['/studies?orderby=Foo', /orderby/],
      ['/studies?orderby=Modality', /orderby/],
      ['/studies?continuation=x', /continuation/],
      ['/studies?StudyDate=20240101-20230101', /StudyDate/],
      ['/studies?PatientID=a&00100020=b', /PatientID.*more than once/],
      ['/studies?limit=0', /limit/],
      ['/studies?limit=-1', /limit/],
      ['/studies?limit=many', /limit/],
      ['/studies?limit=1&limit=2', /limit/],
      ['/studies?offset=-1', /offset/],
      ['/studies?offset=1.5', /offset/],
      ['/studies?fuzzymatching=perhaps', /fuzzymatching/],
      ['/studies?includefield=Foo', /includefield/],
      ['/studies?PatientID=%zz', /PatientID/],
      ['/studies?PatientID=%ff', /PatientID/],
      ['/studies/1.2/instances?InstanceNumber=one', /InstanceNumber/],
    ])('is refused, and the parameter is named: %s', async (path, says) => {
      expect(await client.refusal(await client.get(path), 400)).toMatch(says);
    });

    it('is one with an empty value, for clients of the Microsoft server', async () => {
      const response = await client.get(`/studies?StudyInstanceUID=${study}&PatientID=`);
      if (microsoft) expect(await client.refusal(response, 400)).toMatch(/PatientID/);
      else expect(uidsIn((await response.json()) as Json[], studyUid)).toEqual([study]);
    });

    it('is one with a limit above 200, or markup, for clients of the Microsoft server', async () => {
      for (const query of ['limit=201', 'PatientName=%3Cscript%3E']) {
        const response = await client.get(`/studies?StudyInstanceUID=${study}&${query}`);
        if (microsoft) await client.refusal(response, 400);
        else expect([response.status, (await response.text()).length > 1]).toEqual([200, true]);
      }
    });
  });
});
