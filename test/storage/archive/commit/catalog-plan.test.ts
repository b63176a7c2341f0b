import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  planDelete,
  planStore,
  type NewInstance,
} from '../../../../src/storage/archive/commit/catalog-plan.js';
import type { InstanceRecord, SeriesRecord } from '../../../../src/storage/archive/records.js';
import { addressesOf } from '../../../../src/storage/archive/index/search-index.js';
import {
  emptyState,
  type CatalogPlan,
  type StudyState,
} from '../../../../src/storage/archive/study-state.js';
import { modalityIn } from '../../../../src/storage/archive/tallies.js';
import { newUlid } from '../../../../src/storage/archive/ulid.js';
import { fileOf, partition, type Sample } from '../support/samples.js';
import {
  expectCountsToMatch,
  impliedIndexRows,
  spelledAddress,
  type Survey,
} from '../support/survey.js';

/** What plans make of a study, carried out without any storage. */
class Simulation {
  state: StudyState = emptyState;
  readonly instances = new Map<string, InstanceRecord>();
  readonly rows = new Set<string>();
  #sequence = 0;

  store(samples: readonly Sample[]): void {
    const fresh = samples.map((sample): NewInstance => {
      const { uids, version, sopClass, transferSyntax, length, dataSet } = fileOf(
        sample,
        newUlid(),
      );
      const modality = modalityIn(dataSet);
      const record = { ...uids, version, sopClass, modality, transferSyntax, length };
      return { record, dataSet, metadata: new Uint8Array(), index: new Uint8Array() };
    });
    const replaced = new Map<NewInstance, InstanceRecord>();
    for (const instance of fresh) {
      const old = this.instances.get(instance.record.instance);
      if (old !== undefined) replaced.set(instance, old);
    }
    this.#carryOut(planStore(partition, this.state, fresh, replaced, newUlid()));
    for (const { record } of fresh) {
      const sequence = ++this.#sequence;
      this.instances.set(record.instance, { ...record, sequence });
    }
  }

  delete(gone: readonly InstanceRecord[]): void {
    this.#carryOut(planDelete(partition, this.state, gone, newUlid()));
    for (const { instance } of gone) this.instances.delete(instance);
  }

  #carryOut({ study, series, added, removed }: CatalogPlan): void {
    const all = new Map(this.state.series);
    for (const [uid, record] of series) {
      if (record === undefined) all.delete(uid);
      else all.set(uid, { record, length: 0, etag: '' });
    }
    const guard = { ...this.state.guard, revision: this.state.guard.revision + 1 };
    this.state = { guard, study: study && { record: study, length: 0, etag: '' }, series: all };
    for (const row of added.flatMap(addressesOf)) this.rows.add(spelledAddress(row));
    for (const row of removed.flatMap(addressesOf)) this.rows.delete(spelledAddress(row));
  }

  survey(): Survey {
    const series: SeriesRecord[] = [...this.state.series.values()].map(({ record }) => record);
    return {
      studies: this.state.study === undefined ? [] : [this.state.study.record],
      series,
      instances: [...this.instances.values()],
      originals: [],
      browsed: [],
      indexRows: [...this.rows].sort(),
      log: [],
      open: [],
    };
  }
}

const sample: fc.Arbitrary<Sample> = fc.record({
  study: fc.constant(1),
  series: fc.nat(2),
  instance: fc.nat(4),
  patient: fc.constantFrom('P1', 'P2', 'constructor', '__proto__'),
  modality: fc.constantFrom('CT', 'MR', 'constructor', '__proto__'),
  sopClass: fc.constantFrom('1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.5.1.4.1.1.4'),
});
const samples = fc.uniqueArray(sample, {
  minLength: 1,
  maxLength: 5,
  selector: ({ series, instance }) => `${series}/${instance}`,
});
const step = fc.oneof(
  fc.record({ kind: fc.constant('store' as const), samples }),
  fc.record({ kind: fc.constant('delete' as const), mask: fc.nat(0xffff) }),
);

describe('planStore and planDelete', () => {
  it('keep counts and index rows those of the instances, through any history', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const study = new Simulation();
        for (const one of steps) {
          if (one.kind === 'store') study.store(one.samples);
          else {
            const all = [...study.instances.values()];
            const gone = all.filter((_, position) => (one.mask >> position) % 2 === 1);
            if (gone.length > 0) study.delete(gone);
          }
          const found = study.survey();
          expectCountsToMatch(found);
          expect(found.indexRows).toEqual(impliedIndexRows(found));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('let the revision grow with every change', () => {
    const study = new Simulation();
    const revisions = [1, 2, 3].map((instance) => {
      study.store([{ study: 1, series: 1, instance }]);
      return study.state.study?.record.revision;
    });
    study.delete([...study.instances.values()].slice(0, 1));
    expect([...revisions, study.state.study?.record.revision]).toEqual([1, 2, 3, 4]);
  });

  it('refuse to plan for nothing', () => {
    expect(() => planStore(partition, emptyState, [], new Map(), newUlid())).toThrow(RangeError);
    expect(() => planDelete(partition, emptyState, [], newUlid())).toThrow(RangeError);
  });
});
