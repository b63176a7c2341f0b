/** Retrieve of metadata (PS3.18 §10.4.1.1.2): DICOM JSON, what each contract shows of bulk data, 304. */
import { describe, expect, it } from '@jest/globals';
import {
  fresh,
  onEveryDeployment,
  pathOf,
  sample,
  sopClass,
  valueOf,
  type Json,
  type Uids,
} from '../support/conformance.js';
import { binary, element, sequence } from '../support/part10-builder.js';

const richElements = [
  element('00080005', 'CS', 'ISO_IR 192'),
  element('00100010', 'PN', { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }),
  element('00080070', 'LO', 'Müller "Söhne"'),
  element('00080008', 'CS', 'ORIGINAL', 'PRIMARY', ''),
  element('00104000', 'LT', ''),
  element('00091010', 'LO', 'private'),
  element('00090010', 'LO', 'ACME'),
  binary('00091011', 'OB', Buffer.from([1, 2, 3, 4])),
  binary('00091012', 'UN', Buffer.alloc(1000, 7)),
  sequence('00081140', [
    [element('00081155', 'UI', '1.2.3'), binary('00091013', 'OB', Buffer.from([9, 9]))],
  ]),
];

const jsonAccepts = [
  'application/dicom+json',
  'application/json',
  'application/dicom+json, application/json',
  'application/dicom+json, multipart/related; type=application/octet-stream',
  '*/*',
];

onEveryDeployment((client) => {
  const { microsoft } = client.face;

  describe('GET metadata', () => {
    it('gives the data sets of a study, a series and an instance', async () => {
      const study = fresh();
      const first = sample({ study });
      const second = sample({ study, series: first.series });
      const third = sample({ study });
      await client.store(first, second, third);
      const instances = async (path: string) =>
        (await client.json(`${path}/metadata`)).map((one) => valueOf(one, '00080018')).sort();
      const all = [first, second, third].map(({ instance }) => instance).sort();
      expect(await instances(pathOf({ study }))).toEqual(all);
      expect(await instances(pathOf({ study, series: first.series }))).toEqual(
        [first.instance, second.instance].sort(),
      );
      expect(await instances(pathOf(third))).toEqual([third.instance]);
    });

    it('gives every attribute as DICOM JSON', async () => {
      const one = sample({ overrides: richElements });
      await client.store(one);
      const [dataSet] = await client.json(`${pathOf(one)}/metadata`);
      const bulk = (path: string) => `${client.url(pathOf(one))}/bulkdata/${path}`;
      const expected: Json = {
        '00080005': { vr: 'CS', Value: ['ISO_IR 192'] },
        '00080008': { vr: 'CS', Value: ['ORIGINAL', 'PRIMARY', null] },
        '00080016': { vr: 'UI', Value: [sopClass] },
        '00080018': { vr: 'UI', Value: [one.instance] },
        '00080020': { vr: 'DA', Value: ['20240229'] },
        '00080030': { vr: 'TM', Value: ['101500'] },
        '00080050': { vr: 'SH', Value: ['ACC-1'] },
        '00080060': { vr: 'CS', Value: ['CT'] },
        '00080070': { vr: 'LO', Value: ['Müller "Söhne"'] },
        '00080090': { vr: 'PN', Value: [{ Alphabetic: 'Curie^Marie' }] },
        '00081030': { vr: 'LO', Value: ['Thorax'] },
        '00081140': {
          vr: 'SQ',
          Value: [
            {
              '00081155': { vr: 'UI', Value: ['1.2.3'] },
              ...(!microsoft && { '00091013': { vr: 'OB', InlineBinary: 'CQk=' } }),
            } as never,
          ],
        },
        '00090010': { vr: 'LO', Value: ['ACME'] },
        '00091010': { vr: 'LO', Value: ['private'] },
        ...(!microsoft && {
          '00091011': { vr: 'OB', InlineBinary: 'AQIDBA==' },
          '00091012': { vr: 'UN', BulkDataURI: bulk('00091012') },
        }),
        '00100010': {
          vr: 'PN',
          Value: [{ Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎' }],
        },
        '00100020': { vr: 'LO', Value: ['PAT-1'] },
        '00100030': { vr: 'DA', Value: ['19700101'] },
        '00100040': { vr: 'CS', Value: ['F'] },
        '00104000': { vr: 'LT' },
        '0020000D': { vr: 'UI', Value: [one.study] },
        '0020000E': { vr: 'UI', Value: [one.series] },
        '00200010': { vr: 'SH', Value: ['S1'] },
        '00200011': { vr: 'IS', Value: [1] },
        '00200013': { vr: 'IS', Value: [1] },
        '00280002': { vr: 'US', Value: [1] },
        '00280004': { vr: 'CS', Value: ['MONOCHROME2'] },
        '00280010': { vr: 'US', Value: [16] },
        '00280011': { vr: 'US', Value: [16] },
        '00280030': { vr: 'DS', Value: [0.5, 0.5] },
        '00280100': { vr: 'US', Value: [16] },
        '00280101': { vr: 'US', Value: [16] },
        '00280102': { vr: 'US', Value: [15] },
        '00280103': { vr: 'US', Value: [0] },
        '00281052': { vr: 'DS', Value: [-1024] },
        '00281053': { vr: 'DS', Value: [1] },
        ...(!microsoft && { '7FE00010': { vr: 'OW', BulkDataURI: bulk('7FE00010') } }),
      };
      expect(dataSet).toEqual(expected);
    });

    it(
      microsoft
        ? 'keeps nulls at the end of values, and the digits of decimal strings'
        : 'drops nulls at the end of values, and digits that say nothing',
      async () => {
        const one = sample({
          overrides: [
            element('00080070', 'LO', 'ACME\0'),
            element('00101030', 'DS', '70.0'),
            element('00280030', 'DS', '0.500', '+01.50'),
            element('00201209', 'IS', '+07'),
            element('00281052', 'DS', '-1.0240E3'),
            element('00104000', 'LT', 'quiet\0\0'),
            sequence('00081140', [
              [element('00081155', 'UI', '1.2.3'), element('00081160', 'IS', '+1')],
              [element('00080100', 'SH', 'X\0'), element('00400312', 'DS', '2.50')],
            ]),
          ],
        });
        await client.store(one);
        const response = await client.get(`${pathOf(one)}/metadata`);
        const text = await response.text();
        const values = (tag: string) =>
          new RegExp(`"${tag}":\\{"vr":"..","Value":(\\[[^\\]]*\\])`).exec(text)?.[1];
        const shown = [
          '00080070',
          '00101030',
          '00280030',
          '00201209',
          '00281052',
          '00104000',
          '00081160',
          '00080100',
          '00400312',
        ].map(values);
        expect(shown).toEqual(
          microsoft
            ? [
                '["ACME\\u0000"]',
                '[70.0]',
                '[0.500,1.50]',
                '[7]',
                '[-1024.0]',
                '["quiet\\u0000\\u0000"]',
                '[1]',
                '["X\\u0000"]',
                '[2.50]',
              ]
            : [
                '["ACME"]',
                '[70]',
                '[0.5,1.5]',
                '[7]',
                '[-1024]',
                '["quiet"]',
                '[1]',
                '["X"]',
                '[2.5]',
              ],
        );
        const found = await client.json(`/studies/${one.study}/instances?Manufacturer=ACME%00`);
        expect(found).toHaveLength(1);
      },
    );

    it('drops nulls in XML, which cannot carry them', async () => {
      const one = sample({ overrides: [element('00080070', 'LO', 'ACME\0')] });
      await client.store(one);
      const response = await client.get(`${pathOf(one)}/metadata`, 'application/dicom+xml');
      expect(await response.text()).toContain('>ACME</Value>');
    });

    it.each(jsonAccepts)('answers a client that accepts %s', async (accept) => {
      const one = sample();
      await client.store(one);
      const response = await client.get(`${pathOf(one)}/metadata`, accept);
      expect(response.status).toBe(200);
      expect(response.headers.get('content-type')).toBe(
        accept === 'application/json' ? 'application/json' : 'application/dicom+json',
      );
      expect(await response.json()).toHaveLength(1);
    });

    it('shows a file of another character set as UTF-8', async () => {
      const one = sample({
        overrides: [
          element('00080005', 'CS', 'ISO_IR 100'),
          { tag: '00100010', vr: 'PN', bytes: Buffer.from('M\xfcller^Jo', 'latin1') },
        ],
      });
      await client.store(one);
      const [dataSet] = await client.json(`${pathOf(one)}/metadata`);
      expect(valueOf(dataSet, '00100010')).toEqual({ Alphabetic: 'Müller^Jo' });
      expect(valueOf(dataSet, '00080005')).toBe(microsoft ? 'ISO_IR 100' : 'ISO_IR 192');
    });

    it('is the same when asked for again, and another after a change', async () => {
      const study = fresh();
      const first = sample({ study });
      const second = sample({ study });
      await client.store(first);
      const url = `${pathOf({ study })}/metadata`;
      const ask = async (coding: string) => {
        const headers = { Accept: 'application/dicom+json', 'Accept-Encoding': coding };
        const response = await client.send('GET', url, { headers });
        expect(response.headers.get('content-encoding')).toBe(coding === 'gzip' ? 'gzip' : null);
        return (await response.json()) as readonly Json[];
      };
      const once = await ask('identity');
      expect(await ask('identity')).toEqual(once);
      expect(await ask('gzip')).toEqual(once);
      await client.store(second);
      expect(await ask('identity')).toHaveLength(2);
      expect(await ask('gzip')).toHaveLength(2);
      await client.send('DELETE', pathOf(first));
      const [left, ...others] = await ask('gzip');
      expect(others).toEqual([]);
      expect(valueOf(left, '00080018')).toBe(second.instance);
    });

    it('has a tag of its own when it is compressed, kept by the service or not', async () => {
      const one = sample();
      await client.store(one);
      const ask = async (headers: Readonly<Record<string, string>>) => {
        const response = await client.send('GET', `${pathOf(one)}/metadata`, {
          headers: { Accept: 'application/dicom+json', ...headers },
        });
        await response.arrayBuffer();
        const { status } = response;
        return { status, tag: response.headers.get('etag') ?? '' };
      };
      const gzip = { 'Accept-Encoding': 'gzip' };
      const identity = { 'Accept-Encoding': 'identity' };
      const made = await ask(gzip);
      const plain = await ask(identity);
      expect(plain.tag).toMatch(microsoft ? /^[\w-]+$/ : /^"[\w-]+"$/);
      expect(made.tag).toBe(microsoft ? `${plain.tag}-gzip` : `${plain.tag.slice(0, -1)}-gzip"`);
      expect(await ask(gzip)).toEqual(made);
      expect(await ask(identity)).toEqual(plain);

      for (const { tag } of [made, plain]) {
        expect(await ask({ ...gzip, 'If-None-Match': tag })).toEqual({ status: 304, tag });
      }
      const kept = await ask({ ...identity, 'If-None-Match': plain.tag });
      expect(kept).toEqual({ status: 304, tag: plain.tag });
      // What it has is no longer what it would be sent.
      expect(await ask({ ...identity, 'If-None-Match': made.tag })).toEqual(plain);
    });

    describe('as XML', () => {
      const asXml = 'multipart/related; type="application/dicom+xml"';

      it('is the same bytes twice, under the same tag', async () => {
        const one = sample();
        await client.store(one);
        const ask = async () => {
          const response = await client.get(`${pathOf(one)}/metadata`, asXml);
          return [response.headers.get('etag'), await response.text()];
        };
        expect(await ask()).toEqual(await ask());
      });

      it('is a Native DICOM Model for each instance, in parts', async () => {
        const study = fresh();
        const first = sample({ study, overrides: [element('00100010', 'PN', 'Doe<&>^Jane')] });
        const second = sample({ study });
        await client.store(first, second);
        const parts = await client.parts(`${pathOf({ study })}/metadata`, asXml);
        expect(parts.map(({ headers }) => headers)).toEqual(
          [first, second].map((one) => ({
            'Content-Type': 'application/dicom+xml',
            'Content-Location': `${client.url(pathOf(one))}/metadata`,
          })),
        );
        const text = parts[0]?.body.toString() ?? '';
        expect(text).toMatch(/^<\?xml version="1.0" encoding="UTF-8"\?>\n<NativeDicomModel /);
        expect(text).toContain('<FamilyName>Doe&lt;&amp;&gt;</FamilyName>');
        expect(text).toContain(
          '<DicomAttribute tag="00080018" vr="UI" keyword="SOPInstanceUID">' +
            `<Value number="1">${first.instance}</Value></DicomAttribute>`,
        );
        const bulk = `<BulkData uri="${client.url(pathOf(first))}/bulkdata/7FE00010"/>`;
        expect(text.includes(bulk)).toBe(!microsoft);
      });

      it('comes without parts for one instance that is asked for so', async () => {
        const one = sample();
        await client.store(one);
        const url = `${pathOf(one)}/metadata`;
        const alone = await client.bytes(url, 'application/dicom+xml');
        const [part] = await client.parts(url, asXml);
        expect(alone).toEqual(part?.body);
        const series = `${pathOf({ study: one.study, series: one.series })}/metadata`;
        await client.refusal(await client.get(series, 'application/dicom+xml'), 406);
      });

      it('has an ETag of its own', async () => {
        const one = sample();
        await client.store(one);
        const url = `${pathOf({ study: one.study })}/metadata`;
        const json = await client.get(url);
        await json.arrayBuffer();
        const headers = { Accept: asXml, 'If-None-Match': json.headers.get('etag') ?? '' };
        const xml = await client.send('GET', url, { headers });
        await xml.arrayBuffer();
        expect(xml.status).toBe(200);
        const again = { ...headers, 'If-None-Match': xml.headers.get('etag') ?? '' };
        expect((await client.send('GET', url, { headers: again })).status).toBe(304);
      });
    });

    describe('with includefield', () => {
      it('has those attributes, and what tells which instance it is of', async () => {
        const one = sample({ overrides: richElements });
        await client.store(one);
        const tags = async (query: string) => {
          const [dataSet = {}] = await client.json(`${pathOf(one)}/metadata?${query}`);
          return Object.keys(dataSet).toSorted();
        };
        const always = ['00080005', '00080016', '00080018', '0020000D', '0020000E'];
        const asked =
          'includefield=PatientName,00200013&includefield=7FE00010&includefield=00091010';
        expect(await tags(asked)).toEqual(
          [
            ...always,
            '00091010',
            '00100010',
            '00200013',
            ...(microsoft ? [] : ['7FE00010']),
          ].toSorted(),
        );
        expect(await tags('includefield=ReferencedSeriesSequence')).toEqual(always);
        const all = await tags('');
        expect(await tags('includefield=all')).toEqual(all);
        expect(await tags('includefield=')).toEqual(all);
        await client.refusal(await client.get(`${pathOf(one)}/metadata?includefield=Nothing`), 400);
      });

      it('has an ETag of its own', async () => {
        const one = sample();
        await client.store(one);
        const etag = async (query: string) => {
          const response = await client.get(`${pathOf(one)}/metadata${query}`);
          await response.arrayBuffer();
          return response.headers.get('etag');
        };
        const seen = [
          await etag(''),
          await etag('?includefield=PatientName'),
          await etag('?includefield=PatientID'),
        ];
        expect(new Set(seen).size).toBe(3);
        expect(await etag('?includefield=00100010')).toBe(seen[1]);
      });
    });

    it('comes in UTF-8 or not at all', async () => {
      const one = sample();
      await client.store(one);
      for (const charset of ['utf-8', 'UTF-8', 'utf8', 'iso-8859-1;q=0.5,utf-8', '*', '']) {
        const response = await client.get(`${pathOf(one)}/metadata?charset=${charset}`);
        await response.arrayBuffer();
        expect({ charset, status: response.status }).toEqual({ charset, status: 200 });
      }
      const refused = await client.get(`${pathOf(one)}/metadata?charset=iso-8859-1`);
      expect(await client.refusal(refused, 406)).toMatch(/UTF-8/);
    });

    it('says when it was written', async () => {
      const one = sample();
      await client.store(one);
      for (const path of [pathOf(one), pathOf({ study: one.study })]) {
        const response = await client.get(`${path}/metadata`);
        await response.arrayBuffer();
        const written = Date.parse(response.headers.get('last-modified') ?? '');
        expect(Math.abs(Date.now() - written)).toBeLessThan(60_000);
        expect(response.headers.get('cache-control')).toBe('private, no-cache');
      }
    });

    it.each(['study', 'series', 'instance'])(
      'answers 404 for a %s that is not there',
      async (level) => {
        const one = sample();
        await client.store(one);
        const path = pathOf({
          study: level === 'study' ? fresh() : one.study,
          ...(level !== 'study' && { series: level === 'series' ? fresh() : one.series }),
          ...(level === 'instance' && { instance: fresh() }),
        });
        await client.refusal(await client.get(`${path}/metadata`), 404);
      },
    );
  });

  describe('ETags of metadata', () => {
    const levels: readonly (readonly [string, (one: Uids) => string])[] = [
      ['study', ({ study }) => pathOf({ study })],
      ['series', ({ study, series }) => pathOf({ study, series })],
      ['instance', pathOf],
    ];

    it.each(levels)('spare a client the %s that it has', async (_level, path) => {
      const one = sample();
      await client.store(one);
      const url = `${path(one)}/metadata`;
      const response = await client.get(url);
      await response.arrayBuffer();
      const etag = response.headers.get('etag') ?? '';
      expect(etag).toMatch(microsoft ? /^[^"]+$/ : /^"[^"]+"$/);

      const bare = etag.replaceAll('"', '');
      for (const known of [bare, `"${bare}"`, `W/"${bare}"`, `"other", "${bare}"`]) {
        const again = await client.send('GET', url, { headers: { 'If-None-Match': known } });
        expect(await again.text()).toBe('');
        expect(again.status).toBe(304);
        expect(again.headers.get('etag')).toBe(etag);
      }
      const any = await client.send('GET', url, { headers: { 'If-None-Match': '*' } });
      expect([any.status, await any.text()]).toEqual([304, '']);
      const other = await client.send('GET', url, { headers: { 'If-None-Match': '"other"' } });
      expect(await other.json()).toHaveLength(1);
    });

    it('change with a store and with a delete', async () => {
      const one = sample();
      const study = pathOf({ study: one.study });
      const seen: (string | null)[] = [];
      const look = async () => {
        const response = await client.get(`${study}/metadata`);
        await response.arrayBuffer();
        seen.push(response.headers.get('etag'));
      };
      await client.store(one);
      await look();
      const second = sample({ study: one.study, series: one.series });
      await client.store(second);
      await look();
      expect(await client.remove(pathOf(second))).toBe(204);
      await look();
      expect(new Set(seen).size).toBe(3);
    });
  });
});
