import { describe, expect, it } from '@jest/globals';
import {
  defaultPart10Limits,
  parsePart10,
  Part10Reader,
  type ParsedInstance,
} from '../../../src/dicom/part10/part10.js';
import {
  buildPart10,
  chunksOf,
  binary,
  element,
  ramp,
  sampleElements,
  sampleInstance,
  sequence,
  syntaxes,
  type Part10Spec,
} from '../../support/part10-builder.js';
import { plain, readChunks } from '../../support/dicom/plain-instance.js';

async function parse(spec: Part10Spec): Promise<ParsedInstance> {
  return await parsePart10(buildPart10(spec));
}

describe('Part10Reader', () => {
  it('knows the identity once the series has passed, before the rest of the file', async () => {
    const file = sampleInstance({ study: '1.2.1', series: '1.2.22', instance: '1.2.333' });
    const reader = new Part10Reader();
    await reader.push(file.subarray(0, 400));
    expect(reader.identityComplete).toBe(false);
    const seriesEnd = file.indexOf('1.2.22') + 6;
    await reader.push(file.subarray(400, seriesEnd));
    expect(reader.identityComplete).toBe(true);
    expect(reader.identity).toEqual({
      sopClass: '1.2.840.10008.5.1.4.1.1.2\0',
      instance: '1.2.333\0',
      study: '1.2.1\0',
      series: '1.2.22',
    });
    expect(reader.meta?.transferSyntaxUID).toBe(syntaxes.explicit);
  });

  it('says that no identity will come once its place has passed', async () => {
    const reader = new Part10Reader();
    await reader.push(sampleInstance({ omit: ['0020000E'] }));
    expect(reader.identityComplete).toBe(true);
    expect(reader.identity.series).toBeUndefined();
  });

  it('does not take identity from items', async () => {
    const reader = new Part10Reader();
    await reader.push(
      buildPart10({
        elements: [
          sequence('00081140', [[element('0020000D', 'UI', '9.9')]]),
          element('0020000D', 'UI', '1.2.1'),
        ],
      }),
    );
    expect(reader.identity).toEqual({ study: '1.2.1\0' });
  });

  it('keeps no reference to a chunk', async () => {
    const file = sampleInstance();
    const reader = new Part10Reader();
    for (const chunk of chunksOf(file, 50)) {
      const reused = Buffer.from(chunk);
      await reader.push(reused);
      reused.fill(0xee);
    }
    expect(plain(await reader.finish())).toEqual(plain(await parsePart10(file)));
  });

  it('streams past pixel data that is larger than what it may hold', async () => {
    const limits = { ...defaultPart10Limits, headerBytes: 4096 };
    const head = buildPart10({
      elements: [
        ...sampleElements(),
        { tag: '7FE00010', vr: 'OW', bytes: Buffer.alloc(0), declaredLength: 64 * 1024 ** 2 },
      ],
    });
    const reader = new Part10Reader(limits);
    await reader.push(head);
    const chunk = Buffer.alloc(1024 ** 2);
    for (let count = 0; count < 64; count += 1) await reader.push(chunk);
    const { bulk, length } = await reader.finish();
    expect(bulk).toMatchObject([{ path: '7FE00010', length: 64 * 1024 ** 2 }]);
    expect(length).toBe(head.length + 64 * 1024 ** 2);
  });

  const nested = (depth: number): Part10Spec => {
    let item = [element('00081155', 'UI', '1.2')];
    for (let level = 0; level < depth; level += 1)
      item = [sequence('00081140', [item], 'undefined')];
    return { elements: item };
  };

  it.each([
    [
      'headerBytes',
      { headerBytes: 2000 },
      { elements: [element('00400500', 'UT', 'x'.repeat(3000))] },
    ],
    ['nestingDepth', { nestingDepth: 5 }, nested(6)],
    [
      'elements',
      { elements: 100 },
      {
        elements: [
          sequence(
            '00081140',
            Array.from({ length: 101 }, () => []),
          ),
        ],
      },
    ],
    [
      'values',
      { values: 50 },
      { elements: [element('0020930E', 'DS', ...Array.from({ length: 52 }, () => '1'))] },
    ],
    ['values', { values: 50 }, { elements: [binary('00283006', 'US', Buffer.alloc(102))] }],
    [
      'fragments',
      { fragments: 3 },
      {
        transferSyntaxUID: syntaxes.jpegBaseline,
        pixelData: { fragments: Array.from({ length: 4 }, () => Buffer.alloc(2)) },
      },
    ],
    [
      'inflatedBytes',
      { inflatedBytes: 100_000 },
      { transferSyntaxUID: syntaxes.deflated, pixelData: { native: Buffer.alloc(1_000_000) } },
    ],
  ] satisfies [string, object, Part10Spec][])(
    'stops at the limit %s',
    async (limit, limits, spec) => {
      await expect(
        parsePart10(buildPart10(spec), { ...defaultPart10Limits, ...limits }),
      ).rejects.toMatchObject({ code: 'dicom-limit-exceeded', facts: { limit } });
    },
  );

  it('refuses a text at its header when it announces more than may be held', async () => {
    const reader = new Part10Reader();
    const file = buildPart10({
      elements: [{ tag: '00400500', vr: 'UT', bytes: ramp(2), declaredLength: 0xfffffffe }],
    });
    await expect(async () => await reader.push(file)).rejects.toMatchObject({
      code: 'dicom-limit-exceeded',
      message: expect.stringMatching(
        /If the file is smaller, it is cut off or damaged: the length of \(0040,0500\)/,
      ) as unknown,
      facts: { limit: 'headerBytes', tag: '00400500' },
    });
  });

  it('reads sequences as deep as the limit, and survives far deeper ones', async () => {
    await expect(parse(nested(defaultPart10Limits.nestingDepth))).resolves.toBeDefined();
    const deep = Buffer.from('08004011ffffffff', 'hex');
    const item = Buffer.from('feff00e0ffffffff', 'hex');
    const trailing = Buffer.concat(
      Array.from({ length: 50_000 }, () => Buffer.concat([deep, item])),
    );
    await expect(parse({ transferSyntaxUID: syntaxes.implicit, trailing })).rejects.toMatchObject({
      code: 'dicom-limit-exceeded',
    });
  });

  it('translates what dicom-parser throws when its stack ends', async () => {
    const limits = { ...defaultPart10Limits, nestingDepth: 100_000 };
    const opening = Buffer.from('08004011fffffffffeff00e0ffffffff', 'hex');
    const closing = Buffer.from('feff0de000000000feffdde000000000', 'hex');
    const trailing = Buffer.concat([
      ...Array.from({ length: 20_000 }, () => opening),
      ...Array.from({ length: 20_000 }, () => closing),
    ]);
    const file = buildPart10({ transferSyntaxUID: syntaxes.implicit, trailing });
    await expect(parsePart10(file, limits)).rejects.toMatchObject({
      code: 'dicom-malformed',
      cause: expect.objectContaining({ name: 'RangeError' }) as unknown,
    });
  });

  it('limits the elements of file meta information', async () => {
    const meta = Array.from({ length: 20 }, (_, at) =>
      element(`000201${String(at + 10)}`, 'LO', 'x'),
    );
    await expect(
      parsePart10(buildPart10({ meta }), { ...defaultPart10Limits, elements: 10 }),
    ).rejects.toMatchObject({ code: 'dicom-limit-exceeded', facts: { limit: 'elements' } });
  });

  it('refuses deflated data that is cut or is none', async () => {
    const file = sampleInstance({ transferSyntaxUID: syntaxes.deflated });
    await expect(parsePart10(file.subarray(0, -20))).rejects.toMatchObject({
      code: 'dicom-truncated',
    });
    const broken = Buffer.concat([file.subarray(0, -200), Buffer.alloc(200, 0xff)]);
    await expect(parsePart10(broken)).rejects.toMatchObject({ name: 'ServiceError' });
  });

  it('ignores what follows the end of deflated data', async () => {
    const file = sampleInstance({ transferSyntaxUID: syntaxes.deflated });
    const padded = Buffer.concat([file, Buffer.alloc(3)]);
    const expected = plain(await parsePart10(file));
    expect(await readChunks(chunksOf(padded, 5))).toEqual({ ...expected, length: padded.length });
  });
});
