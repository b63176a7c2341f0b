import { beforeAll, describe, expect, it } from '@jest/globals';
import { PNG } from 'pngjs';
import { fresh, onEveryFace, pathOf, sample, type Sample } from '../support/conformance.js';
import { binary, element, sequence, syntaxes, type SampleSpec } from '../support/part10-builder.js';

const side = 16;
const threeFrames = element('00280008', 'IS', '3');
const png = 'image/png';

/** 8-bit grey frames, each of one level. */
function plainFrames(...levels: readonly number[]): SampleSpec {
  return {
    overrides: [
      ...eightBits,
      element('00280008', 'IS', String(levels.length)),
      // Levels are shown as they are stored.
      element('00281050', 'DS', '127.5'),
      element('00281051', 'DS', '255'),
      element('00281056', 'CS', 'LINEAR_EXACT'),
    ],
    pixelData: { native: Buffer.concat(levels.map((level) => Buffer.alloc(side * side, level))) },
  };
}

const eightBits = [
  element('00280002', 'US', 1),
  element('00280004', 'CS', 'MONOCHROME2'),
  element('00280010', 'US', side),
  element('00280011', 'US', side),
  element('00280100', 'US', 8),
  element('00280101', 'US', 8),
  element('00280102', 'US', 7),
  element('00280103', 'US', 0),
  element('00281052', 'DS', '0'),
  element('00281053', 'DS', '1'),
];

/** Greys of the first row of a PNG. */
function firstRow(bytes: Buffer): number[] {
  const { width, data } = PNG.sync.read(bytes);
  return Array.from({ length: width }, (_, x) => data[x * 4] ?? -1);
}

function level(bytes: Buffer): number | undefined {
  return firstRow(bytes)[0];
}

async function typeOf(response: Response): Promise<string> {
  await response.arrayBuffer();
  return `${response.status} ${response.headers.get('content-type') ?? ''}`;
}

onEveryFace((client) => {
  const { microsoft } = client.face;

  describe('GET rendered instances', () => {
    const plain = sample(plainFrames(0, 100, 200));
    const rendered = `${pathOf(plain)}/rendered`;

    beforeAll(async () => {
      await client.store(plain);
    });

    it('gives JPEG to those who take anything, and what others name', async () => {
      expect(await typeOf(await client.get(rendered))).toBe('200 image/jpeg');
      expect(await typeOf(await client.get(rendered, '*/*'))).toBe('200 image/jpeg');
      expect(await typeOf(await client.get(rendered, 'image/*'))).toBe('200 image/jpeg');
      expect(await typeOf(await client.get(rendered, png))).toBe('200 image/png');
      const best = await client.get(rendered, 'image/webp, image/jpeg;q=0.5, image/png;q=0.8');
      expect(await typeOf(best)).toBe('200 image/png');
    });

    it.each(['image/gif', 'image/jp2'])(
      'gives %s unless it follows the Microsoft server',
      async (type) => {
        const response = await client.get(rendered, type);
        if (!microsoft) expect(await typeOf(response)).toBe(`200 ${type}`);
        else expect(await client.refusal(response, 406)).toContain(png);
      },
    );

    it('refuses other types', async () => {
      expect(await client.refusal(await client.get(rendered, 'image/webp'), 406)).toContain(
        'image/jpeg',
      );
    });

    it('lets the query come before the header, as thumbnails of OHIF need', async () => {
      const header = 'multipart/related; type="application/octet-stream"';
      const response = await client.get(`${rendered}?accept=image%2Fpng`, header);
      expect(await typeOf(response)).toBe('200 image/png');
    });

    it('shows the first frame of an instance, and the frame of a list', async () => {
      expect(level(await client.bytes(rendered, png))).toBe(0);
      const frames = `${pathOf(plain)}/frames`;
      expect(level(await client.bytes(`${frames}/2/rendered`, png))).toBe(100);
      expect(level(await client.bytes(`${frames}/3/rendered`, png))).toBe(200);
      expect(level(await client.bytes(`${rendered}/3`, png))).toBe(200);
    });

    it('gives several frames in parts, in the order of the list', async () => {
      const parts = await client.parts(
        `${pathOf(plain)}/frames/3,1/rendered`,
        'multipart/related; type="image/png"',
      );
      expect(parts.map(({ body }) => level(body))).toEqual([200, 0]);
      expect(parts.map(({ headers }) => headers)).toEqual(
        [3, 1].map((frame) => ({
          'Content-Type': png,
          'Content-Location': client.url(`${pathOf(plain)}/frames/${frame}/rendered`),
        })),
      );
      const all = await client.parts(rendered, 'multipart/related; type="image/png"');
      expect(all.map(({ body }) => level(body))).toEqual([0, 100, 200]);
    });

    it('gives several frames alone as an animation at most', async () => {
      const path = `${pathOf(plain)}/frames/1,2/rendered`;
      await client.refusal(await client.get(path, png), microsoft ? 400 : 406);
      if (microsoft) return;
      const controls = (bytes: Buffer) => bytes.toString('hex').match(/21f904/g)?.length;
      expect(controls(await client.bytes(path, 'image/gif'))).toBe(2);
      expect(controls(await client.bytes(rendered, 'image/gif'))).toBe(3);
    });

    it.each(['0', '-1', 'a', '1,', '1.5'])('refuses the frame list %p', async (list) => {
      for (const path of [`frames/${list}/rendered`, `rendered/${list}`, `thumbnail/${list}`]) {
        await client.refusal(await client.get(`${pathOf(plain)}/${path}`, png), 400);
      }
    });

    it('answers 404 to what is not there', async () => {
      for (const path of [
        'frames/4/rendered',
        'frames/1,4/rendered',
        'rendered/4',
        'thumbnail/4',
      ]) {
        const accept = 'image/png, multipart/related; type="image/png"';
        const response = await client.get(`${pathOf(plain)}/${path}`, accept);
        await client.refusal(response, 404);
      }
      const gone = pathOf({ ...plain, instance: fresh() });
      await client.refusal(await client.get(`${gone}/rendered`), 404);
      await client.refusal(await client.get(`${gone}/frames/1/rendered`), 404);
      const blank = sample({ pixelData: null });
      await client.store(blank);
      await client.refusal(await client.get(`${pathOf(blank)}/rendered`), 404);
      await client.refusal(await client.get(`${pathOf(blank)}/thumbnail`), 404);
    });

    it('answers 304 to those who have it, and not after other parameters', async () => {
      const first = await client.get(rendered, png);
      await first.arrayBuffer();
      const etag = first.headers.get('etag') ?? '';
      expect(etag).not.toBe('');
      const again = async (path: string) =>
        await client.send('GET', path, { headers: { accept: png, 'if-none-match': etag } });
      const unchanged = await again(rendered);
      expect([unchanged.status, unchanged.headers.get('etag')]).toEqual([304, etag]);
      expect(await typeOf(await again(`${rendered}?quality=50`))).toBe('200 image/png');
      expect(await typeOf(await again(`${rendered}/2`))).toBe('200 image/png');
    });

    it.each(['0', '101', 'best', ''])('refuses the quality %p', async (quality) => {
      const response = await client.get(`${rendered}?quality=${quality}`);
      expect(await client.refusal(response, 400)).toContain('quality');
    });

    it('makes smaller files of lower quality', async () => {
      const noisy = sample({
        overrides: eightBits,
        pixelData: {
          native: Uint8Array.from({ length: side * side }, (_, at) => (at * 7919) % 251),
        },
      });
      await client.store(noisy);
      const size = async (quality: number) =>
        (await client.bytes(`${pathOf(noisy)}/rendered?quality=${quality}`, 'image/jpeg')).length;
      expect(await size(5)).toBeLessThan(await size(100));
    });
  });

  describe('GET rendered instances with parameters', () => {
    /** Stored values 0 to 255, a row of 16 for each sixteenth. */
    const ramped = sample({
      overrides: eightBits,
      pixelData: { native: Uint8Array.from({ length: side * side }, (_, at) => (at % side) * 17) },
    });
    const rendered = `${pathOf(ramped)}/rendered`;
    const ramp = Array.from({ length: side }, (_, x) => x * 17);

    beforeAll(async () => {
      await client.store(ramped);
    });

    it('spreads what is there over all greys', async () => {
      expect(firstRow(await client.bytes(rendered, png))).toEqual(ramp);
    });

    it('applies a window', async () => {
      const shown = firstRow(await client.bytes(`${rendered}?window=85,34,linear-exact`, png));
      const expected = ramp.map((value) =>
        Math.round(255 * Math.min(Math.max((value - 85) / 34 + 0.5, 0), 1)),
      );
      expect(shown).toEqual(microsoft ? ramp : expected);
    });

    it('cuts, mirrors and scales by a viewport', async () => {
      const path = `${rendered}?viewport=4,16,8,0,-4,16`;
      const shown = firstRow(await client.bytes(path, png));
      expect(shown).toEqual(microsoft ? ramp : ramp.slice(8, 12).reverse());
      const { width, height } = PNG.sync.read(
        await client.bytes(`${rendered}?viewport=8%2C9`, png),
      );
      expect([width, height]).toEqual(microsoft ? [side, side] : [8, 8]);
    });

    it('burns annotations in, and warns of those it does not know', async () => {
      const plain = await client.bytes(rendered, png);
      const response = await client.get(`${rendered}?annotation=patient,technique,mood`, png);
      const annotated = Buffer.from(await response.arrayBuffer());
      expect(response.status).toBe(200);
      expect(annotated.equals(plain)).toBe(microsoft);
      const warning = response.headers.get('warning');
      if (microsoft) expect(warning).toBeNull();
      else expect(warning).toMatch(/^299 .*mood/);
    });

    it.each([
      'window=1',
      'window=1,0',
      'window=a,b,linear',
      'window=1,2,cubic',
      'window=1,2,linear,3',
      'window=1,0.5,linear',
      'window=1,-5,sigmoid',
      'window=1e9,2',
      'window=1,2&window=3,4',
      'viewport=10',
      'viewport=0,10',
      'viewport=-10,10',
      'viewport=10,10,x',
      'viewport=10,10,0,0,0,5',
      'viewport=10,10,0,0,17,16',
      'viewport=10,10,20,0',
      'viewport=99999,99999',
      'viewport=10,10,1,1,1,1,1',
      'iccprofile=maybe',
      'iccprofile=adobergb',
    ])('refuses %s by name, unless it follows the Microsoft server', async (query) => {
      const response = await client.get(`${rendered}?${query}`, png);
      if (microsoft) expect(await typeOf(response)).toBe('200 image/png');
      else expect(await client.refusal(response, 400)).toContain(query.split('=')[0]);
    });

    it('puts a profile into colour pictures on request', async () => {
      const color = sample({
        overrides: [
          ...eightBits,
          element('00280002', 'US', 3),
          element('00280004', 'CS', 'RGB'),
          element('00280006', 'US', 0),
        ],
        pixelData: { native: Buffer.alloc(side * side * 3, 90) },
      });
      await client.store(color);
      const has = async (choice: string) =>
        (await client.bytes(`${pathOf(color)}/rendered?iccprofile=${choice}`, png)).includes(
          'iCCP',
        );
      expect([await has('no'), await has('yes'), await has('srgb')]).toEqual(
        microsoft ? [false, false, false] : [false, true, true],
      );
    });
  });

  describe('GET rendered pixel data that is damaged', () => {
    const hostile: readonly (SampleSpec & { readonly name: string })[] = [
      {
        name: 'a codestream that is none',
        transferSyntaxUID: syntaxes.jpeg2000,
        pixelData: { fragments: [Buffer.alloc(64, 0xff)] },
      },
      {
        name: 'fewer bytes than pixels',
        pixelData: { native: Buffer.alloc(100) },
      },
      {
        name: 'a picture of many gigabytes',
        overrides: [element('00280010', 'US', 65535), element('00280011', 'US', 65535)],
        pixelData: { native: Buffer.alloc(512) },
      },
      {
        name: 'a syntax that nobody knows',
        transferSyntaxUID: '1.2.826.0.1.3680043.8.498.99',
        pixelData: { fragments: [Buffer.alloc(64, 1)] },
      },
    ];

    it.each(hostile)('costs one request: $name', async (spec) => {
      const one = sample(spec);
      await client.store(one);
      for (const path of ['rendered', 'thumbnail', 'frames/1/rendered']) {
        await client.refusal(await client.get(`${pathOf(one)}/${path}`), 406);
      }
      const good = sample(plainFrames(7));
      await client.store(good);
      expect(level(await client.bytes(`${pathOf(good)}/rendered`, png))).toBe(7);
    });
  });

  describe('GET rendered series and studies', () => {
    const reportClass = '1.2.840.10008.5.1.4.1.1.88.11';
    /** Instances of a new series in order of their UIDs. */
    function seriesOf(study: string | undefined, ...specs: readonly SampleSpec[]): Sample[] {
      const uids = { ...(study !== undefined && { study }), series: fresh() };
      const root = fresh();
      const one = sample({ ...specs[0], ...uids, instance: `${root}.1` });
      const more = specs
        .slice(1)
        .map((spec, at) =>
          sample({ ...spec, ...uids, study: one.study, instance: `${root}.${at + 2}` }),
        );
      return [one, ...more];
    }

    const damaged: SampleSpec = { pixelData: { native: Buffer.alloc(100) } };
    const images = seriesOf(undefined, plainFrames(10), plainFrames(20), plainFrames(30), damaged);
    const first = images[0] ?? sample();
    const partlyDamaged = seriesOf(first.study, plainFrames(40), damaged, plainFrames(50));
    const report = sample({
      study: first.study,
      overrides: [element('00080016', 'UI', reportClass), element('0040A040', 'CS', 'CONTAINER')],
      pixelData: null,
    });
    const study = pathOf({ study: first.study });
    const series = pathOf({ study: first.study, series: first.series });

    beforeAll(async () => {
      await client.store(...images, ...partlyDamaged, report);
    });

    it('shows one that stands for all', async () => {
      for (const path of [`${study}/rendered`, `${series}/rendered`]) {
        expect(level(await client.bytes(path, png))).toBe(20);
        expect(await typeOf(await client.get(path))).toBe('200 image/jpeg');
      }
    });

    it('shows another one where that is damaged', async () => {
      const { series: other = '' } = partlyDamaged[0] ?? {};
      const path = pathOf({ study: first.study, series: other });
      expect(level(await client.bytes(`${path}/rendered`, png))).toBe(40);
    });

    it('gives every picture in parts, and passes over what has none', async () => {
      const intact = (samples: readonly Sample[], ...positions: readonly number[]) =>
        samples.filter((_, at) => positions.includes(at));
      const ofSeries = intact(images, 0, 1, 2);
      const ofStudy = [...ofSeries, ...intact(partlyDamaged, 0, 2)];
      for (const { path, levels, samples } of [
        { path: `${series}/rendered`, levels: [10, 20, 30], samples: ofSeries },
        { path: `${study}/rendered`, levels: [10, 20, 30, 40, 50], samples: ofStudy },
      ]) {
        const parts = await client.parts(path, 'multipart/related; type="image/png"');
        expect(parts.map(({ body }) => level(body)).sort()).toEqual(levels);
        expect(parts.map(({ headers }) => headers['Content-Location']).sort()).toEqual(
          samples.map((one) => client.url(`${pathOf(one)}/rendered`)).sort(),
        );
      }
    });

    it('gives thumbnails at every level, no larger than the viewport', async () => {
      const frames = [`${pathOf(first)}/frames/1/thumbnail`, `${pathOf(first)}/thumbnail/1`];
      const paths = [`${study}/thumbnail`, `${series}/thumbnail`, `${pathOf(first)}/thumbnail`];
      for (const path of [...paths, ...frames]) {
        expect(await typeOf(await client.get(path))).toBe('200 image/jpeg');
        const bytes = await client.bytes(`${path}?viewport=12%2C10`, png);
        const { width, height } = PNG.sync.read(bytes);
        expect([width, height]).toEqual([10, 10]);
        const whole = PNG.sync.read(await client.bytes(path, png));
        expect([whole.width, whole.height]).toEqual([200, 200]);
        const response = await client.get(`${path}?viewport=1,1,1`);
        expect(await client.refusal(response, 400)).toContain('viewport');
      }
    });

    it('shows a report where there is nothing else', async () => {
      const path = pathOf({ study: first.study, series: report.series });
      expect(await typeOf(await client.get(`${path}/rendered`))).toBe(
        '200 text/html; charset=utf-8',
      );
      await client.refusal(await client.get(`${path}/thumbnail`), 404);
      await client.refusal(
        await client.get(`${path}/rendered`, 'multipart/related; type="image/png"'),
        404,
      );
    });

    it('answers 404 to what is not there', async () => {
      for (const path of [
        pathOf({ study: fresh() }),
        pathOf({ study: fresh(), series: fresh() }),
      ]) {
        await client.refusal(await client.get(`${path}/rendered`), 404);
        await client.refusal(await client.get(`${path}/thumbnail`), 404);
        const parts = 'multipart/related; type="image/png"';
        await client.refusal(await client.get(`${path}/rendered`, parts), 404);
      }
    });
  });

  describe('GET rendered documents', () => {
    const pdfBytes = Buffer.from(`%PDF-1.4\n${'x'.repeat(3000)}\n%%EOF`);

    function document(type: string, bytes: Buffer): Sample {
      const padded = Buffer.concat([bytes, Buffer.alloc(bytes.length % 2)]);
      return sample({
        overrides: [
          binary('00420011', 'OB', padded),
          element('00420012', 'LO', type),
          element('00420015', 'UL', bytes.length),
        ],
        pixelData: null,
      });
    }

    it.each([
      { size: 'long', bytes: pdfBytes },
      { size: 'short', bytes: Buffer.from('%PDF-1.4 ab') },
    ])('gives a $size PDF as it is, and ranges of it', async ({ bytes }) => {
      const one = document('application/pdf', bytes);
      await client.store(one);
      const path = `${pathOf(one)}/rendered`;
      const whole = await client.get(path);
      expect(Buffer.from(await whole.arrayBuffer())).toEqual(bytes);
      expect(whole.headers.get('content-type')).toBe('application/pdf');
      expect(whole.headers.get('accept-ranges')).toBe('bytes');
      const part = await client.send('GET', path, { headers: { range: 'bytes=5-8' } });
      expect([part.status, await part.text()]).toEqual([
        206,
        '1.4\n'.slice(0, 3) + bytes.toString('latin1', 8, 9),
      ]);
      expect(part.headers.get('content-range')).toBe(`bytes 5-8/${bytes.length}`);
      const beyond = await client.send('GET', path, { headers: { range: 'bytes=9999-' } });
      await client.refusal(beyond, 416);
      await client.refusal(await client.get(path, png), 406);
      await client.refusal(await client.get(`${pathOf(one)}/thumbnail`), 404);
      await client.refusal(await client.get(`${pathOf(one)}/frames/1/rendered`), 404);
    });

    it('shows the text of a CDA document, in which nothing runs', async () => {
      const cda = `<?xml version="1.0"?><a><script>alert(1)</script>${'é'.repeat(300)}</a>`;
      const one = document('text/XML', Buffer.from(cda));
      await client.store(one);
      const response = await client.get(`${pathOf(one)}/rendered`);
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(response.headers.get('content-security-policy')).toMatch(
        /default-src 'none'.*sandbox/,
      );
      const page = await response.text();
      expect(page).toContain('&lt;script&gt;alert(1)');
      expect(page).toContain('éé');
      expect(page).not.toContain('<script');
      const xml = await client.get(`${pathOf(one)}/rendered`, 'text/xml');
      expect(xml.headers.get('content-security-policy')).toContain('sandbox');
      expect(await xml.text()).toBe(cda);
    });

    it('shows the content tree of a report, escaped', async () => {
      const code = (meaning: string) => [element('00080104', 'LO', meaning)];
      const one = sample({
        pixelData: null,
        overrides: [
          element('00080005', 'CS', 'ISO_IR 192'),
          element('00080016', 'UI', '1.2.840.10008.5.1.4.1.1.88.33'),
          element('0040A040', 'CS', 'CONTAINER'),
          sequence('0040A043', [code('Chest <b>report</b>')]),
          sequence('0040A730', [
            [
              element('0040A040', 'CS', 'TEXT'),
              sequence('0040A043', [code('Finding')]),
              element('0040A160', 'UT', '<img src=x onerror=alert(1)> & "quotes"'),
            ],
            [
              element('0040A040', 'CS', 'NUM'),
              sequence('0040A043', [code('Length')]),
              sequence('0040A300', [
                [element('0040A30A', 'DS', '12.5'), sequence('004008EA', [code('millimeter')])],
              ]),
            ],
          ]),
        ],
      });
      await client.store(one);
      const response = await client.get(`${pathOf(one)}/rendered`);
      const page = await response.text();
      expect(page).toContain('<h1>Chest &lt;b&gt;report&lt;/b&gt;</h1>');
      expect(page).toContain('&lt;img src=x onerror=alert(1)&gt; &amp; &quot;quotes&quot;');
      expect(page).toMatch(/Length<\/b>: <span class="v">12\.5 millimeter</);
      expect(page).not.toContain('<img');

      // The same as text/plain and text/xml (PS3.18 table 8.7.4-1).
      const text = await client.get(`${pathOf(one)}/rendered`, 'text/plain');
      expect(text.headers.get('content-type')).toBe('text/plain; charset=utf-8');
      expect(await text.text()).toMatch(
        /^Chest <b>report<\/b>\n[^]*\nFinding: <img src=x onerror=alert\(1\)> & "quotes"\nLength: 12\.5 millimeter\n$/,
      );
      const xml = await client.get(`${pathOf(one)}/rendered`, 'text/xml');
      expect(xml.headers.get('content-type')).toBe('text/xml; charset=utf-8');
      expect(xml.headers.get('content-security-policy')).toContain('sandbox');
      const model = await xml.text();
      expect(model).toContain('<NativeDicomModel');
      expect(model).toContain('&lt;img src=x');
    });

    it('says what nothing is rendered as before it says whether it exists', async () => {
      const { study, series, instance } = sample();
      for (const level of [{ study }, { study, series }, { study, series, instance }]) {
        for (const name of ['rendered', 'thumbnail']) {
          const path = `${pathOf(level)}/${name}`;
          await client.refusal(await client.get(path, 'application/dicom+json'), 406);
          await client.refusal(await client.get(path), 404);
        }
      }
      const frames = `${pathOf({ study, series, instance })}/frames/1`;
      await client.refusal(await client.get(`${frames}/rendered`, 'text/html'), 406);
      await client.refusal(await client.get(`${frames}/rendered`), 404);
    });

    it('plays a video as it is stored, in ranges, and takes no picture of it', async () => {
      const fragments = [Buffer.alloc(1000, 1), Buffer.alloc(500, 2)];
      const one = sample({
        overrides: [threeFrames],
        transferSyntaxUID: syntaxes.mpeg4,
        pixelData: { fragments },
      });
      await client.store(one);
      const path = `${pathOf(one)}/rendered`;
      const whole = await client.get(path);
      expect(whole.headers.get('content-type')).toBe('video/mp4');
      expect(Buffer.from(await whole.arrayBuffer())).toEqual(Buffer.concat(fragments));
      const part = await client.send('GET', path, { headers: { range: 'bytes=998-1001' } });
      expect(part.status).toBe(206);
      expect(Array.from(Buffer.from(await part.arrayBuffer()))).toEqual([1, 1, 2, 2]);
      await client.refusal(await client.get(`${pathOf(one)}/thumbnail`), 406);
      await client.refusal(await client.get(`${pathOf(one)}/frames/1/rendered`), 406);
    });
  });
});
