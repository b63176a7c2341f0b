import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sampleInstances, writeSample } from '../../scripts/sample/instances.js';
import { runSample } from '../../scripts/sample/run-sample.js';
import { pictureSize } from '../../scripts/sample/shapes.js';
import { startStubService } from './stub-service.js';
import type { Faults, StubService } from './stub-service.js';
import { readTinyDicom, textOf } from './tiny-dicom.js';
import type { TinyElement } from './tiny-dicom.js';

const root = '1.2.826.0.1.3680043.8.498';

const read = new Map(sampleInstances.map((one) => [one.name, readTinyDicom(writeSample(one))]));

function sample(name: string): ReadonlyMap<string, TinyElement> {
  const found = read.get(name);
  if (found === undefined) throw new Error(`no sample ${name}`);
  return found;
}

function pixel(name: string, row: number, column: number): readonly number[] {
  const at = (row * pictureSize + column) * 3;
  return [
    ...(sample(name)
      .get('7FE00010')
      ?.bytes.subarray(at, at + 3) ?? []),
  ];
}

describe('writeSample', () => {
  it.each([
    {
      name: 'green-square',
      series: `${root}.45787841905473114233124723359129632652`,
      instance: `${root}.12714725698140337137334606354172323212`,
    },
    {
      name: 'red-triangle',
      series: `${root}.45787841905473114233124723359129632652`,
      instance: `${root}.47359123102728459884412887463296905395`,
    },
    {
      name: 'blue-circle',
      series: `${root}.77033797676425927098669402985243398207`,
      instance: `${root}.13273713909719068980354078852867170114`,
    },
  ])('gives $name the UIDs of the tutorials', ({ name, series, instance }) => {
    const elements = sample(name);
    expect(textOf(elements, '0020000D')).toBe(`${root}.13230779778012324449356534479549187420`);
    expect(textOf(elements, '0020000E')).toBe(series);
    expect(textOf(elements, '00080018')).toBe(instance);
    expect(textOf(elements, '00020003')).toBe(instance);
    expect(textOf(elements, '00080016')).toBe(textOf(elements, '00020002'));
  });

  it('writes the attributes that the tutorials search for', () => {
    const elements = sample('blue-circle');
    expect(textOf(elements, '00100020')).toBe('ID1');
    expect(textOf(elements, '00100010')).toBe('Anony Mous');
    expect(textOf(elements, '00080020')).toBe('20200922');
    expect(textOf(elements, '00080060')).toBe('OT');
  });

  it('keeps elements in ascending order and of even length', () => {
    const elements = [...sample('red-triangle')];
    const tags = elements.map(([tag]) => tag);
    expect(tags).toEqual([...tags].sort());
    expect(elements.filter(([, { bytes }]) => bytes.length % 2 === 1)).toEqual([]);
  });

  it('states the length of its file meta information', () => {
    const elements = [...sample('red-triangle')];
    const meta = elements.filter(([tag]) => tag.startsWith('0002') && tag !== '00020000');
    const header = (vr: string): number => (vr === 'OB' ? 12 : 8);
    const length = meta.reduce((sum, [, { vr, bytes }]) => sum + header(vr) + bytes.length, 0);
    expect(sample('red-triangle').get('00020000')?.bytes.readUInt32LE(0)).toBe(length);
  });

  it('draws 512 × 512 RGB pixels', () => {
    const elements = sample('green-square');
    expect(elements.get('00280010')?.bytes.readUInt16LE(0)).toBe(512);
    expect(elements.get('00280011')?.bytes.readUInt16LE(0)).toBe(512);
    expect(elements.get('7FE00010')?.bytes).toHaveLength(512 * 512 * 3);
  });

  it.each([
    { name: 'red-triangle', strongest: 0 },
    { name: 'green-square', strongest: 1 },
    { name: 'blue-circle', strongest: 2 },
  ])('paints $name in its colour on a pale ground', ({ name, strongest }) => {
    const centre = pixel(name, 256, 256);
    expect(centre.indexOf(Math.max(...centre))).toBe(strongest);
    expect(Math.max(...centre) - Math.min(...centre)).toBeGreaterThan(100);
    for (const [row, column] of [
      [0, 0],
      [0, 511],
      [511, 0],
      [511, 511],
    ] as const) {
      expect(Math.min(...pixel(name, row, column))).toBeGreaterThan(215);
    }
  });

  it.each([
    { name: 'green-square', inside: [130, 256], outside: [112, 256] },
    { name: 'blue-circle', inside: [256, 110], outside: [256, 98] },
    { name: 'red-triangle', inside: [380, 130], outside: [150, 150] },
  ] as const)('gives $name its outline', ({ name, inside, outside }) => {
    const spread = ([row, column]: readonly [number, number]): number =>
      Math.max(...pixel(name, row, column)) - Math.min(...pixel(name, row, column));
    expect(spread(inside)).toBeGreaterThan(100);
    expect(spread(outside)).toBeLessThan(40);
  });

  it('softens edges: pixels on the outline lie between shape and ground', () => {
    const [inside = 0, outside = 0] = [
      pixel('blue-circle', 256, 112)[0],
      pixel('blue-circle', 256, 100)[0],
    ];
    const edge = [105, 106, 107].map((column) => pixel('blue-circle', 180, column + 21)[0] ?? 0);
    const between = edge.filter((red) => red > inside + 10 && red < outside - 10);
    expect(between.length).toBeGreaterThan(0);
  });
});

describe('runSample', () => {
  let folder: string;
  let service: StubService | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'samples-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
    await service?.close();
    service = undefined;
  });

  async function run(
    url: string,
    environment: NodeJS.ProcessEnv = {},
  ): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', ''];
    const code = await runSample(['--url', url, '--out', folder], environment, {
      stdout: { write: (text) => (out += text) },
      stderr: { write: (text) => (err += text) },
    });
    return { code, out, err };
  }

  async function start(faults: Faults = {}): Promise<string> {
    service = await startStubService(faults);
    return service.url;
  }

  it('writes the three files and stores them', async () => {
    const { code, out } = await run(await start());
    expect(code).toBe(0);
    expect(out.match(/ {2}stored$/gm)).toHaveLength(3);
    expect((await readdir(folder)).sort()).toEqual([
      'blue-circle.dcm',
      'green-square.dcm',
      'red-triangle.dcm',
    ]);
    const written = await readFile(join(folder, 'blue-circle.dcm'));
    expect([...(service?.held.values() ?? [])].some((file) => file.equals(written))).toBe(true);
  });

  it('finds the service that was started with another PORT', async () => {
    const { port } = new URL(await start());
    let out = '';
    const write = { write: (text: string) => (out += text) };
    const code = await runSample(
      ['--out', folder],
      { PORT: port },
      { stdout: write, stderr: write },
    );
    expect({ code, stored: out.match(/ {2}stored$/gm)?.length }).toEqual({ code: 0, stored: 3 });
    expect(out).toContain(`http://localhost:${port}`);
  });

  it('is content when the instances are there already', async () => {
    const url = await start();
    await run(url);
    const { code, out } = await run(url);
    expect(code).toBe(0);
    expect(out.match(/already there/g)).toHaveLength(3);
  });

  it('offers only links that answer', async () => {
    const { out } = await run(await start());
    expect(out).toContain('/studies?PatientID=ID1');
    expect(out).not.toContain('/rendered');
  });

  it('sends the token', async () => {
    const url = await start();
    await run(url, { DICOMWEB_TOKEN: 'abc' });
    expect(service?.requests.every((request) => request.endsWith(' Bearer abc'))).toBe(true);
  });

  it('fails with the reason when an instance is refused', async () => {
    const failure = {
      '00081198': {
        vr: 'SQ',
        Value: [
          {
            '00081197': { vr: 'US', Value: [43264] },
            '00741048': {
              vr: 'SQ',
              Value: [{ '00000902': { vr: 'LO', Value: ['no such luck'] } }],
            },
          },
        ],
      },
    };
    const { code, out } = await run(await start({ store: () => ({ status: 409, body: failure }) }));
    expect(code).toBe(1);
    expect(out).toContain('refused: reason 43264 no such luck');
  });

  it('names the token when the service wants one', async () => {
    const { code, out } = await run(await start({ store: () => ({ status: 401, body: {} }) }));
    expect(code).toBe(1);
    expect(out).toContain('DICOMWEB_TOKEN');
  });

  it('gives a hint when nothing answers', async () => {
    const url = await start();
    await service?.close();
    service = undefined;
    const { code, err } = await run(url);
    expect(code).toBe(1);
    expect(err).toContain(`${url} does not answer`);
    expect(err).toContain('npm start');
  });

  it('explains itself when the URL is none', async () => {
    const { code, err } = await run('not a url');
    expect(code).toBe(2);
    expect(err).toContain('usage:');
  });
});
