import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultPart10Limits, parsePart10 } from '../../../src/dicom/part10/part10.js';
import type { Tag } from '../../../src/dicom/tag.js';
import type { VR } from '../../../src/dicom/vr.js';
import { editedPart10, type Move } from '../../../src/dicom/write/edit-part10.js';
import { movedIndex } from '../../../src/dicom/write/moved-index.js';
import type { NewValue } from '../../../src/dicom/write/rewrite.js';
import { chunked, collect, watched } from '../../support/byte-streams.js';
import {
  binary,
  buildPart10,
  element,
  ramp,
  sampleInstance,
  sequence,
  syntaxes,
  type ElementSpec,
  type PixelDataSpec,
} from '../../support/part10-builder.js';
import { isNightly } from '../../support/nightly.js';

const numRuns = isNightly ? 200 : 40;

async function edit(
  file: Uint8Array,
  changes: ReadonlyMap<Tag, NewValue | undefined>,
  sizes: readonly number[] = [97],
) {
  const moves: Move[] = [];
  const source = chunked(file, sizes);
  const edited = await collect(
    editedPart10(source, changes, defaultPart10Limits, (move) => moves.push(move)),
  );
  return { edited, moves };
}

function valuesOf(specs: readonly ElementSpec[]): ReadonlyMap<Tag, NewValue> {
  return new Map(
    specs.map(({ tag, vr, values = [] }) => [
      tag as Tag,
      {
        vr: vr as VR,
        value: Buffer.from(values.filter((value) => typeof value === 'string').join('\\')),
      },
    ]),
  );
}

const changeable = [
  ['00080050', 'SH'],
  ['00081030', 'LO'],
  ['00100010', 'PN'],
  ['00100020', 'LO'],
  ['00104000', 'LT'],
] as const;

const text = fc.stringMatching(/^[A-Za-z0-9 ^]{0,12}[A-Za-z]$/);
/** Elements that an update may find or set, each at most once. */
const some = fc
  .uniqueArray(fc.tuple(fc.constantFrom(...changeable), text), {
    selector: ([[tag]]) => tag,
    maxLength: changeable.length,
  })
  .map((list) => list.map(([[tag, vr], value]) => element(tag, vr, value)));

const form = fc.constantFrom('defined' as const, 'undefined' as const);
const leaf = fc.oneof(
  text.map((value) => element('00100010', 'PN', value)),
  fc.nat(400).map((length) => binary('00091010', 'OB', ramp(length * 2))),
);
const nested = fc
  .tuple(form, form, fc.array(leaf, { maxLength: 2 }))
  .map(([outer, inner, leaves]) =>
    sequence(
      '00081140',
      [leaves.slice(0, 1), [sequence('00081140', [leaves.slice(1)], inner)]],
      outer,
    ),
  );
/** Elements around those, bulk values before and among them included. */
const around = fc
  .tuple(fc.option(nested), fc.nat(400), fc.option(nested), fc.nat(300))
  .map(([before, length, among, behind]) => [
    ...(before === null ? [] : [before]),
    binary('00091010', 'OB', ramp(length * 2)),
    ...(among === null ? [] : [{ ...among, tag: '00101002' }]),
    binary('60003000', 'OW', ramp(behind * 2)),
    element('00280008', 'IS', '3'),
    element('00280010', 'US', 2),
    element('00280011', 'US', 5),
    element('00280002', 'US', 1),
    element('00280100', 'US', 8),
  ]);
const native: PixelDataSpec = { native: ramp(30) };
const fragments: PixelDataSpec = { fragments: [ramp(20), ramp(32), ramp(8)] };
const forms = fc.constantFrom(
  [syntaxes.explicit, native] as const,
  [syntaxes.implicit, native] as const,
  [syntaxes.bigEndian, native] as const,
  [syntaxes.jpegBaseline, fragments] as const,
);
const chunkSizes = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 });

function merged(
  there: readonly ElementSpec[],
  set: readonly ElementSpec[],
): readonly ElementSpec[] {
  return [...there.filter(({ tag }) => !set.some((one) => one.tag === tag)), ...set];
}

describe('editedPart10', () => {
  it('changes what is asked for and not another byte, and tells where everything lies', async () => {
    await fc.assert(
      fc.asyncProperty(
        some,
        some,
        around,
        forms,
        chunkSizes,
        async (there, set, others, [transferSyntaxUID, pixelData], sizes) => {
          const build = (elements: readonly ElementSpec[]) =>
            buildPart10({ elements: [...others, ...elements], transferSyntaxUID, pixelData });
          const file = build(there);
          const expected = build(merged(there, set));
          const changes = valuesOf(set);
          const { edited, moves } = await edit(file, changes, sizes);
          expect(edited.equals(expected)).toBe(true);
          const [before, after] = [await parsePart10(file), await parsePart10(edited)];
          const moved = movedIndex(before, moves, new Set(changes.keys()));
          expect(moved).toEqual({ frames: after.frames, bulk: after.bulk });
        },
      ),
      { numRuns },
    );
  });

  it('deflates again what was deflated, and counts as if it were not', async () => {
    const file = sampleInstance({
      transferSyntaxUID: syntaxes.deflated,
      pixelData: { native: ramp(30_000) },
    });
    const changes = valuesOf([element('00100010', 'PN', 'A^Much^Longer^Name')]);
    const { edited, moves } = await edit(file, changes);
    const [before, after] = [await parsePart10(file), await parsePart10(edited)];
    expect(movedIndex(before, moves, new Set(changes.keys()))).toEqual({
      frames: after.frames,
      bulk: after.bulk,
    });
    const start = 144 + edited.readUInt32LE(140);
    expect(inflateRawSync(edited.subarray(start)).includes('A^Much^Longer^Name')).toBe(true);
  });

  it('leaves attributes out, the second of two as well, and ends where there are no pixels', async () => {
    const file = buildPart10({
      elements: [
        element('00080000', 'UL', 99),
        element('00100010', 'PN', 'One'),
        element('00100010', 'PN', 'Two'),
      ],
      keepOrder: true,
    });
    const changes = new Map<Tag, NewValue | undefined>([
      ['00080000' as Tag, undefined],
      ['00100010' as Tag, { vr: 'PN', value: Buffer.from('Three') }],
      ['00104000' as Tag, { vr: 'LT', value: Buffer.from('Last') }],
    ]);
    expect((await edit(file, changes)).edited).toEqual(
      buildPart10({
        elements: [element('00100010', 'PN', 'Three'), element('00104000', 'LT', 'Last')],
      }),
    );
  });

  it('writes in the encoding that the data set has, whatever its transfer syntax says', async () => {
    const implicit = buildPart10({
      elements: [element('00100010', 'PN', 'One'), element('00100020', 'LO', 'P1')],
      transferSyntaxUID: syntaxes.implicit,
    });
    const body = implicit.subarray(144 + implicit.readUInt32LE(140));
    const file = buildPart10({ trailing: body });
    const { edited } = await edit(file, valuesOf([element('00100010', 'PN', 'Another')]));
    const expected = buildPart10({
      elements: [element('00100010', 'PN', 'Another'), element('00100020', 'LO', 'P1')],
      transferSyntaxUID: syntaxes.implicit,
    });
    expect(edited.subarray(144 + edited.readUInt32LE(140))).toEqual(
      expected.subarray(144 + expected.readUInt32LE(140)),
    );
  });

  it('returns its source when the consumer has enough', async () => {
    const file = sampleInstance({ pixelData: { native: Buffer.alloc(300_000, 1) } });
    const source = watched([file.subarray(0, 200), file.subarray(200)]);
    for await (const chunk of editedPart10(
      source,
      new Map(),
      defaultPart10Limits,
      () => undefined,
    )) {
      if (chunk.length > 0) break;
    }
    expect(source.returned()).toBe(true);
  });

  it.each([
    ['within a sequence', 330],
    ['within its meta information', 140],
  ])('fails for a stored file that ends %s', async (_what, length) => {
    const file = buildPart10({
      elements: [sequence('00081140', [[binary('00091010', 'OB', ramp(400))]], 'undefined')],
    });
    await expect(edit(file.subarray(0, length), new Map())).rejects.toMatchObject({
      code: 'storage-corrupt',
    });
  });
});
