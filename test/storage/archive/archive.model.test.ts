/** Two processes store and delete at random; a map says what must be there afterwards. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { DeleteScope } from '../../../src/storage/archive/commit/delete-commit.js';
import type { StoreMode } from '../../../src/storage/archive/commit/store-commit.js';
import { openOnAzurite, openOnMemory, settle, upload, type Shared } from './support/fixture.js';
import {
  instanceUid,
  partition,
  seriesUid,
  studyUid,
  uidsOf,
  type Sample,
} from './support/samples.js';
import { expectTidy } from './support/survey.js';
import { isNightly } from '../../support/nightly.js';
import { dawdling } from './support/watched-tables.js';

type Deed =
  | {
      readonly kind: 'store';
      readonly process: number;
      readonly sample: Sample;
      readonly mode: StoreMode;
    }
  | {
      readonly kind: 'delete';
      readonly process: number;
      readonly of: Sample;
      readonly depth: 1 | 2 | 3;
    };

/** The version of every instance, by its numbers. */
type Model = Map<string, string>;

const keyOf = ({ study, series, instance }: Sample) => `${study}/${series}/${instance}/`;
/** What all keys below the deleted thing begin with. */
const prefixOf = (of: Sample, depth: number) =>
  `${keyOf(of).split('/').slice(0, depth).join('/')}/`;

function scopeOf({ study, series, instance }: Sample, depth: number): DeleteScope {
  return {
    ...(depth > 1 && { series: seriesUid(study, series) }),
    ...(depth > 2 && { instance: instanceUid(study, series, instance) }),
  };
}

type Outcome =
  { readonly stored: string } | { readonly exists: true } | { readonly deleted: number };

async function perform(shared: Shared, deed: Deed): Promise<Outcome> {
  const archive = shared.archives[deed.process];
  if (archive === undefined) throw new RangeError('no such process');
  if (deed.kind === 'store') {
    const file = await upload(archive, deed.sample);
    const result = await archive.store(partition, file, deed.mode);
    return result === 'stored' ? { stored: file.version } : { exists: true };
  }
  const scope = scopeOf(deed.of, deed.depth);
  return { deleted: await archive.delete(partition, studyUid(deed.of.study), scope) };
}

/** Carries a deed out alone: what it answers is foretold exactly. */
async function alone(shared: Shared, model: Model, deed: Deed): Promise<void> {
  const outcome = await perform(shared, deed);
  if (deed.kind === 'store') {
    const key = keyOf(deed.sample);
    expect('stored' in outcome).toBe(deed.mode === 'replace' || !model.has(key));
    if ('stored' in outcome) model.set(key, outcome.stored);
    return;
  }
  const gone = [...model.keys()].filter((key) => key.startsWith(prefixOf(deed.of, deed.depth)));
  expect(outcome).toEqual({ deleted: gone.length });
  for (const key of gone) model.delete(key);
}

/** Carries deeds out at once: what is there afterwards must be possible in some order of them. */
async function together(shared: Shared, model: Model, deeds: readonly Deed[]): Promise<void> {
  const outcomes = await Promise.all(deeds.map(async (deed) => await perform(shared, deed)));
  const keys = new Set([
    ...model.keys(),
    ...deeds.flatMap((deed) => (deed.kind === 'store' ? [keyOf(deed.sample)] : [])),
  ]);
  for (const key of keys) {
    const [study = 0, series = 0, instance = 0] = key.split('/').map(Number);
    const row = await shared.archives[0]?.catalog.instance(
      partition,
      uidsOf({ study, series, instance }),
    );
    const before = model.get(key);
    const stored = outcomes.flatMap((outcome, position) => {
      const deed = deeds[position];
      const mine = deed?.kind === 'store' && keyOf(deed.sample) === key;
      return mine && 'stored' in outcome ? [outcome.stored] : [];
    });
    const replaces = deeds.filter(
      (deed) => deed.kind === 'store' && deed.mode === 'replace' && keyOf(deed.sample) === key,
    );
    const tried = deeds.filter((deed) => deed.kind === 'store' && keyOf(deed.sample) === key);
    const deletes = deeds.filter(
      (deed) => deed.kind === 'delete' && key.startsWith(prefixOf(deed.of, deed.depth)),
    );
    const present = before === undefined ? stored : [before, ...stored];
    if (deletes.length === 0) {
      const first = before === undefined && tried.length > replaces.length ? [0, 1] : [0];
      expect(first.map((more) => replaces.length + more)).toContain(stored.length);
      if (tried.length > 0) expect(row).toBeDefined();
    } else {
      expect(present.length).toBeLessThanOrEqual(deletes.length + 1 + replaces.length);
    }
    expect(row === undefined ? [undefined] : present).toContain(row?.record.version);
    if (row === undefined) model.delete(key);
    else model.set(key, row.record.version);
  }
}

const numbers = { study: fc.nat(1), series: fc.nat(1), instance: fc.nat(2) };
const sample: fc.Arbitrary<Sample> = fc.record({
  ...numbers,
  patient: fc.constantFrom('P1', 'P2'),
  modality: fc.constantFrom('CT', 'MR'),
  sopClass: fc.constantFrom('1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.4'),
});
const process = fc.nat(1);
const store: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constant('store' as const),
  process,
  sample,
  mode: fc.constantFrom('create' as const, 'create' as const, 'replace' as const),
});
const remove: fc.Arbitrary<Deed> = fc.record({
  kind: fc.constant('delete' as const),
  process,
  of: fc.record(numbers),
  depth: fc.constantFrom(1 as const, 2 as const, 3 as const),
});
const deed = fc.oneof({ weight: 3, arbitrary: store }, { weight: 1, arbitrary: remove });

class Step implements fc.AsyncCommand<Model, Shared> {
  readonly #deeds: readonly Deed[];

  constructor(deeds: readonly Deed[]) {
    this.#deeds = deeds;
  }

  check(): boolean {
    return true;
  }

  async run(model: Model, shared: Shared): Promise<void> {
    const [first, ...others] = this.#deeds;
    if (first !== undefined && others.length === 0) await alone(shared, model, first);
    else await together(shared, model, this.#deeds);
  }

  toString(): string {
    return JSON.stringify(this.#deeds);
  }
}

const steps = fc.commands(
  [
    deed.map((one) => new Step([one])),
    fc.array(deed, { minLength: 2, maxLength: 6 }).map((deeds) => new Step(deeds)),
  ],
  { maxCommands: 12 },
);

async function runOn(shared: Shared, commands: Iterable<fc.AsyncCommand<Model, Shared>>) {
  const model: Model = new Map();
  await fc.asyncModelRun(() => ({ model, real: shared }), commands);
  await settle(shared);
  const { instances } = await expectTidy(shared);
  const versions = instances.map(({ version }) => version).sort();
  expect(versions).toEqual([...model.values()].sort());
}

describe('Archive, two of them on the same stores', () => {
  it('holds what a map would hold, whatever is done at once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), steps, async (seed, commands) => {
        const shared = openOnMemory(2, { shortPagesSeed: seed });
        shared.tables.forEach((view, position) => {
          view.around = dawdling(seed + position);
        });
        await runOn(shared, commands);
      }),
      { numRuns: isNightly ? 100 : 50 },
    );
  }, 120_000);

  it('does so on Azurite', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => {
        await runOn(await openOnAzurite(2), commands);
      }),
      { numRuns: 5 },
    );
  }, 120_000);
});
