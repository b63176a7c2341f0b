/** What commands are made of: where they go, what they are about, and the files that they store. */
import fc from 'fast-check';
import type { ModelledService, Prefix } from './service.js';
import type { Scope, StoreModel, Version } from './store.js';

export type Command = fc.AsyncCommand<StoreModel, ModelledService>;

export const prefix = fc.constantFrom<Prefix[]>('', '/v1', '/v2');
export const place = fc.record({
  study: fc.integer({ min: 1, max: 3 }),
  series: fc.integer({ min: 1, max: 2 }),
  instance: fc.integer({ min: 1, max: 3 }),
});
export const scope: fc.Arbitrary<Scope> = fc
  .tuple(place, fc.integer({ min: 1, max: 3 }))
  .map(([{ study, series, instance }, depth]) => ({
    study,
    ...(depth > 1 && { series }),
    ...(depth > 2 && { instance }),
  }));
export const names = ['Müller^Jörg', 'Muller^Anna', 'Doe^Jane', 'Żak^Ewa'] as const;
export const content = fc.record({
  patientName: fc.constantFrom('', undefined, ...names),
  patientID: fc.constantFrom('P1', 'P2'),
  studyDate: fc.constantFrom('', undefined, '20240101', '20240630', '19991231'),
  modality: fc.constantFrom('', undefined, 'CT', 'MR', 'PT'),
});

let numbers = 0;

export function command(label: string, run: Command['run']): Command {
  return { check: () => true, run, toString: () => label };
}

/** Every file is a version of its own. */
export function numbered(files: readonly Omit<Version, 'number'>[]): readonly Version[] {
  return files.map((file) => ({ ...file, number: ++numbers }));
}
