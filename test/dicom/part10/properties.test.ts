import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { defaultPart10Limits, parsePart10 } from '../../../src/dicom/part10/part10.js';
import type { RawDataSet } from '../../../src/dicom/raw-data-set.js';
import { ServiceError } from '../../../src/errors.js';
import {
  binary,
  buildPart10,
  chunksOf,
  element,
  ramp,
  sequence,
  syntaxes,
  type ElementSpec,
} from '../../support/part10-builder.js';
import { readChunks } from '../../support/dicom/plain-instance.js';

const limits = { ...defaultPart10Limits, headerBytes: 20_000, elements: 2000, nestingDepth: 8 };

const leaf: fc.Arbitrary<ElementSpec> = fc.oneof(
  fc.stringMatching(/^[A-Za-z^ ]{0,30}$/).map((text) => element('00100010', 'PN', text)),
  fc.nat(65_535).map((value) => element('00280010', 'US', value)),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => element('00091011', 'UV', value)),
  fc.nat(600).map((length) => binary('00091010', 'OB', ramp(length))),
  fc.nat(600).map((length) => binary('60003000', 'OW', ramp(length * 2))),
  fc.nat(300).map((length) => element('00400500', 'UT', 'x'.repeat(length))),
);

const dataSets = fc.letrec<{ elements: ElementSpec[]; nested: ElementSpec }>((tie) => ({
  elements: fc.uniqueArray(fc.oneof({ maxDepth: 3 }, leaf, tie('nested')), {
    maxLength: 5,
    selector: ({ tag }) => tag,
  }),
  nested: fc
    .tuple(
      fc.constantFrom('00081140', '00091020', '54000100'),
      fc.array(tie('elements'), { maxLength: 3 }),
      fc.constantFrom('defined' as const, 'undefined' as const),
    )
    .map(([tag, items, form]) => sequence(tag, items, form)),
})).elements;

const files = fc
  .record({
    transferSyntaxUID: fc.constantFrom(
      syntaxes.explicit,
      syntaxes.bigEndian,
      syntaxes.deflated,
      syntaxes.jpegBaseline,
    ),
    elements: dataSets,
    fragments: fc.array(
      fc.nat(40).map((length) => ramp(length)),
      { maxLength: 6 },
    ),
  })
  .map(({ transferSyntaxUID, elements, fragments }) => ({
    elements,
    deflated: transferSyntaxUID === syntaxes.deflated,
    file: buildPart10({
      transferSyntaxUID,
      elements,
      ...(transferSyntaxUID === syntaxes.jpegBaseline ? { pixelData: { fragments } } : {}),
    }),
  }));

/** `parsed`, or the error that refused the file; anything else fails the test. */
async function outcome(chunks: readonly Uint8Array[]): Promise<unknown> {
  try {
    return await readChunks(chunks, limits);
  } catch (error) {
    if (error instanceof ServiceError) return { code: error.code, facts: error.facts };
    throw error;
  }
}

function isRefusal(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'code' in result;
}

/** Tags and item counts, as written and as read. */
function shapeWritten(elements: readonly ElementSpec[]): unknown {
  return elements
    .toSorted((a, b) => (a.tag < b.tag ? -1 : 1))
    .map(({ tag, vr, items }) => [tag, vr, items?.map(shapeWritten)]);
}

function shapeRead(dataSet: RawDataSet): unknown {
  return dataSet.elements
    .filter(({ tag }) => tag !== '7FE00010')
    .map(({ tag, vr, items }) => [tag, vr, items?.map(shapeRead)]);
}

describe('Part10Reader, whatever the file', () => {
  it('finds every element that was written', async () => {
    await fc.assert(
      fc.asyncProperty(files, async ({ elements, file }) => {
        const { dataSet } = await parsePart10(file, limits);
        expect(shapeRead(dataSet)).toEqual(shapeWritten(elements));
      }),
    );
  });

  it('reads the same whatever the chunks', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(files, sizes, async ({ file }, chunkSizes) => {
        expect(await readChunks(chunksOf(file, ...chunkSizes), limits)).toEqual(
          await readChunks([file], limits),
        );
      }),
    );
  });

  it('reads a cut file or refuses it with a ServiceError, whatever the chunks', async () => {
    await fc.assert(
      fc.asyncProperty(
        files,
        fc.nat(),
        fc.integer({ min: 1, max: 99 }),
        async ({ file }, at, size) => {
          const cut = file.subarray(0, at % file.length);
          expect(await outcome(chunksOf(cut, size))).toEqual(await outcome([cut]));
        },
      ),
    );
  });

  it('reads a damaged file or refuses it with a ServiceError, whatever the chunks', async () => {
    const damages = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(files, damages, async ({ deflated, file }, changes) => {
        const damaged = Buffer.from(file);
        for (const [at, value] of changes) damaged[132 + (at % (file.length - 132))] = value;
        const [chunked, whole] = [await outcome(chunksOf(damaged, 37)), await outcome([damaged])];
        // How much of a damaged deflated stream is read before its fault shows is up to zlib.
        if (deflated) expect(isRefusal(chunked)).toBe(isRefusal(whole));
        else expect(chunked).toEqual(whole);
      }),
      { numRuns: 400 },
    );
  });

  it('reads noise after the file meta information or refuses it', async () => {
    const noise = fc.uint8Array({ maxLength: 400 });
    const transferSyntaxUIDs = fc.constantFrom(...Object.values(syntaxes));
    await fc.assert(
      fc.asyncProperty(noise, transferSyntaxUIDs, async (trailing, transferSyntaxUID) => {
        const file = buildPart10({ transferSyntaxUID, trailing });
        expect(await outcome(chunksOf(file, 11))).toEqual(await outcome([file]));
      }),
      { numRuns: 300 },
    );
  });
});
