import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ElementNotes, noteAt, type ElementNote } from '../../../src/dicom/part10/notes.js';
import { vrTable, type VR } from '../../../src/dicom/vr.js';

const note: fc.Arbitrary<ElementNote> = fc.record({
  vr: fc.constantFrom(...(Object.keys(vrTable) as VR[])),
  vrInFile: fc.boolean(),
  offset: fc.maxSafeNat(),
  length: fc.maxSafeNat(),
  omitted: fc.boolean(),
  bigEndian: fc.boolean(),
});

/** Notes at ascending positions, with gaps between them. */
const noted = fc
  .array(fc.tuple(fc.integer({ min: 2, max: 1000 }), note), { maxLength: 400 })
  .map((steps) => {
    let position = 0;
    return steps.map(([gap, one]) => ({ position: (position += gap), note: one }));
  });

describe('ElementNotes', () => {
  it('gives every note back at its position, and none elsewhere', () => {
    fc.assert(
      fc.property(noted, (all) => {
        const notes = new ElementNotes();
        const numbers = all.map((one) => notes.add(one.position, one.note));
        expect(numbers).toEqual(all.map((_, number) => number));
        const { columns } = notes;
        for (const one of all) {
          expect(noteAt(columns, one.position)).toEqual(one.note);
          expect(noteAt(columns, one.position - 1)).toBeUndefined();
        }
        expect(noteAt(columns, (all.at(-1)?.position ?? 0) + 1)).toBeUndefined();
      }),
    );
  });

  it('learns a length that was not known', () => {
    const notes = new ElementNotes();
    const one = { vr: 'SQ', vrInFile: true, offset: 8, length: 0, omitted: false } as const;
    const number = notes.add(20, { ...one, bigEndian: false });
    notes.add(30, { ...one, bigEndian: true });
    notes.setLength(number, 2 ** 40);
    expect(noteAt(notes.columns, 20)?.length).toBe(2 ** 40);
    expect(noteAt(notes.columns, 30)?.length).toBe(0);
  });

  it('takes some twenty bytes for a note, and at most twice as many while it grows', () => {
    const notes = new ElementNotes();
    for (let at = 1; at <= 100_000; at++) {
      notes.add(at, {
        vr: 'DS',
        vrInFile: true,
        offset: at,
        length: 2,
        omitted: false,
        bigEndian: false,
      });
    }
    expect(notes.bytes).toBeLessThanOrEqual(100_000 * 44);
    const { positions, offsets, lengths, traits } = notes.columns;
    const columns = [positions, offsets, lengths, traits];
    expect(columns.reduce((sum, { byteLength }) => sum + byteLength, 0)).toBe(100_000 * 22);
  });
});
