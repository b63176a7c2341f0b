/** How many calls to storage each transaction may cost, and how many of them one after the other. */
import { describe, expect, it } from '@jest/globals';
import { attribute } from '../../../src/dicom/attribute.js';
import type { Archive } from '../../../src/storage/archive/archive.js';
import type { StorageCall } from '../../../src/storage/storage-call.js';
import { openOnAzurite, openOnMemory, put, putAll, type Shared } from './support/fixture.js';
import {
  instanceUid,
  partition,
  seriesUid,
  studyUid,
  uidsOf,
  type Sample,
} from './support/samples.js';

/**
 * A logical clock: calls that are made while none of the others has been answered are one round.
 * A round is answered when nothing more is asked.
 */
class Rounds {
  count = 0;
  #waiting: (() => void)[] = [];

  readonly beforeCall = async (): Promise<void> => {
    if (this.#waiting.length === 0) void this.#end();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  };

  async #end(): Promise<void> {
    for (let asked = -1; asked !== this.#waiting.length;) {
      asked = this.#waiting.length;
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    this.count++;
    const answered = this.#waiting;
    this.#waiting = [];
    for (const answer of answered) answer();
  }
}

const instances = (many: number, first = 1): Sample[] =>
  Array.from({ length: many }, (_, n) => ({ study: 1, series: 1, instance: first + n }));
const [one] = instances(1);

/** Another study, so that the log and its tail are known. */
const elsewhere: Sample = { study: 2, series: 1, instance: 1 };

async function pageOf<T>(source: AsyncGenerator<T>, rows: number): Promise<void> {
  for (let row = 0; row < rows; row++) if ((await source.next()).done === true) return;
}

interface Budget {
  readonly what: string;
  /** What is there before. */
  readonly before: readonly Sample[];
  readonly act: (archive: Archive) => Promise<unknown>;
  readonly rounds: number;
  readonly blob: number;
  readonly table: number;
  /** Calls that follow behind the answer. */
  readonly lazily: number;
}

const deleteOne = { series: seriesUid(1, 1), instance: instanceUid(1, 1, 1) };
const sop = attribute('SOPInstanceUID');
const patientId = attribute('PatientID');

const budgets: readonly Budget[] = [
  {
    what: 'store an instance, study and series known',
    before: instances(1, 2),
    act: async (archive) => await putAll(archive, instances(1)),
    ...{ rounds: 2, blob: 1, table: 3, lazily: 2 },
  },
  {
    what: 'store an instance of a new study',
    before: [elsewhere],
    act: async (archive) => await putAll(archive, instances(1)),
    ...{ rounds: 3, blob: 1, table: 19, lazily: 2 },
  },
  {
    what: 'store 25 instances of a known study',
    before: instances(1, 100),
    act: async (archive) => await putAll(archive, instances(25)),
    ...{ rounds: 3, blob: 25, table: 11, lazily: 2 },
  },
  {
    what: 'store 25 instances of a new study',
    before: [elsewhere],
    act: async (archive) => await putAll(archive, instances(25)),
    ...{ rounds: 3, blob: 25, table: 26, lazily: 2 },
  },
  {
    what: 'store 98 instances of a new study: one commit',
    before: [elsewhere],
    act: async (archive) => await putAll(archive, instances(98)),
    ...{ rounds: 3, blob: 98, table: 26, lazily: 2 },
  },
  {
    what: 'store 100 instances of a new study: two commits',
    before: [elsewhere],
    act: async (archive) => await putAll(archive, instances(100)),
    ...{ rounds: 6, blob: 100, table: 40 - 2, lazily: 2 },
  },
  {
    what: 'delete an instance of several',
    before: instances(2),
    act: async (archive) => await archive.delete(partition, studyUid(1), deleteOne),
    ...{ rounds: 3, blob: 0, table: 4, lazily: 3 },
  },
  {
    what: 'delete the last instance of a study',
    before: [elsewhere, ...instances(1)],
    act: async (archive) => await archive.delete(partition, studyUid(1), deleteOne),
    ...{ rounds: 3, blob: 0, table: 5, lazily: 17 },
  },
  {
    what: 'read an instance row',
    before: instances(1),
    act: async (archive) => await archive.catalog.instance(partition, uidsOf(one ?? elsewhere)),
    ...{ rounds: 1, blob: 0, table: 1, lazily: 0 },
  },
  {
    what: 'read the metadata rows of a study of 25',
    before: instances(25),
    act: async (archive) => {
      for await (const page of archive.instancesWithMetadata(partition, studyUid(1))) {
        for (const row of page) await archive.files.metadataText(partition, row);
      }
    },
    ...{ rounds: 1, blob: 0, table: 1, lazily: 0 },
  },
  {
    what: 'read a page of the study list',
    before: [elsewhere, ...instances(1)],
    act: async (archive) => await pageOf(archive.browse.walk(partition, { firstPageRows: 25 }), 25),
    ...{ rounds: 1, blob: 0, table: 1, lazily: 0 },
  },
  {
    what: 'find a study by its patient',
    before: [elsewhere, ...instances(1)],
    act: async (archive) => {
      const sought = { kind: 'value', value: 'p1' } as const;
      const attributeOf = { level: 'study', tag: patientId } as const;
      await pageOf(archive.index.walk(partition, attributeOf, sought, { firstPageRows: 25 }), 25);
    },
    ...{ rounds: 1, blob: 0, table: 1, lazily: 0 },
  },
  {
    what: 'find an instance by its UID and read it',
    before: instances(3),
    act: async (archive) => {
      const sought = { kind: 'value', value: instanceUid(1, 1, 1) } as const;
      const hits = archive.index.walk(partition, { level: 'instance', tag: sop }, sought, {
        firstPageRows: 25,
      });
      for await (const { uids } of hits) {
        expect(uids).toEqual(uidsOf(one ?? elsewhere));
        await archive.catalog.instance(partition, uidsOf(one ?? elsewhere));
      }
    },
    ...{ rounds: 2, blob: 0, table: 2, lazily: 0 },
  },
];

async function prepare(shared: Shared, before: readonly Sample[]): Promise<Archive> {
  const [archive] = shared.archives;
  if (archive === undefined) throw new RangeError('no archive');
  for (const sample of before) await put(archive, sample);
  await archive.close();
  shared.calls.length = 0;
  return archive;
}

function tally(calls: readonly StorageCall[], service: 'blob' | 'table'): number {
  return calls.filter((call) => call.service === service).length;
}

describe('the calls of', () => {
  it.each(budgets)('$what, in memory', async ({ before, act, ...budget }) => {
    const rounds = new Rounds();
    const shared = openOnMemory(1, { beforeCall: rounds.beforeCall }, rounds.beforeCall);
    const archive = await prepare(shared, before);
    rounds.count = 0;
    await act(archive);
    const answered = shared.calls.length;
    const took = rounds.count;
    await archive.close();
    const lazily = tally(shared.calls.slice(answered), 'table');
    const table = tally(shared.calls.slice(0, answered), 'table');
    const blob = tally(shared.calls, 'blob');
    expect(table).toBeLessThanOrEqual(budget.table);
    expect(blob).toBeLessThanOrEqual(budget.blob);
    expect(lazily).toBeLessThanOrEqual(budget.lazily);
    expect(took).toBeLessThanOrEqual(budget.rounds);
  });

  it.each(budgets)('$what, on Azurite', async ({ before, act, ...budget }) => {
    const shared = await openOnAzurite(1);
    const archive = await prepare(shared, before);
    await act(archive);
    await archive.close();
    expect(tally(shared.calls, 'table')).toBeLessThanOrEqual(budget.table + budget.lazily);
    expect(tally(shared.calls, 'blob')).toBeLessThanOrEqual(budget.blob);
  });
});
