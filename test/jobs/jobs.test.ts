/** The engine of long work: jobs that die, that are taken over, that fail and that are canceled. */
import { describe, expect, it } from '@jest/globals';
import { ServiceError } from '../../src/errors.js';
import { parseJobId, type JobId } from '../../src/jobs/job.js';
import { Jobs, jobTiming, type JobKind, type JobQueue } from '../../src/jobs/jobs.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';

const minute = 60_000;

/** A world with a clock of its own, in which processes come and go. */
function world(kind: Partial<JobKind> = {}) {
  const tables = new MemoryTableStore();
  const announced: { readonly id: JobId; readonly afterSeconds: number }[] = [];
  const clock = { now: Date.parse('2026-01-01T00:00:00Z') };
  const queue: JobQueue = {
    announce: async (id, afterSeconds = 0) => {
      announced.push({ id, afterSeconds });
      await Promise.resolve();
    },
  };
  /** Effects by item, as they are in the end: done twice they are the same. */
  const effects = new Set<number>();
  /** Counts to ten, an item a slice. */
  const counting: JobKind = {
    slice: async (input, state) => {
      const at = Number(state);
      effects.add(at);
      await Promise.resolve();
      return at + 1 === Number(input)
        ? { state: String(at + 1), end: 'succeeded' }
        : { state: String(at + 1) };
    },
  };
  const process = (doing: JobKind = { ...counting, ...kind }) =>
    new Jobs({
      tables,
      queue,
      kinds: { export: doing, reindex: doing, untag: doing, update: doing },
      now: () => clock.now,
    });
  return { process, announced, clock, effects, counting };
}

/** A process that dies where a slice begins, or before what it did is written down. */
const dying = (kind: JobKind, when: 'before' | 'after'): JobKind => ({
  slice: async (...given) => {
    if (when === 'after') await kind.slice(...given);
    return await new Promise(() => undefined);
  },
});

describe('a job', () => {
  it('is announced when it starts, and over when its kind says so', async () => {
    const { process, announced, effects } = world();
    const jobs = process();
    const id = await jobs.start('export', '10', '0');
    expect(announced).toEqual([{ id, afterSeconds: 0 }]);
    expect(await jobs.find(id)).toMatchObject({ status: 'notStarted', state: '0' });
    expect(await jobs.run(id, Infinity)).toBe('over');
    expect(await jobs.find(id)).toMatchObject({ status: 'succeeded', state: '10', input: '{}' });
    expect(effects.size).toBe(10);
    expect(await jobs.run(id, Infinity)).toBe('over');
  });

  it('is active after it was canceled until its slice has ended', async () => {
    const { process, counting } = world();
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    let begin = (): void => undefined;
    const begun = new Promise<void>((resolve) => (begin = resolve));
    const slow: JobKind = {
      slice: async (...given) => {
        begin();
        await ended;
        return await counting.slice(...given);
      },
    };
    const other = process();
    const id = await other.start('export', '10', '0');
    expect(await other.isActive(id)).toBe(true);
    const running = process(slow).run(id, Infinity);
    await begun;
    expect(await other.cancel(id)).toBe(true);
    expect(await other.find(id)).toMatchObject({ status: 'canceled' });
    expect(await other.isActive(id)).toBe(true);
    end();
    expect(await running).toBe('elsewhere');
    expect(await other.isActive(id)).toBe(false);
  });

  it('does nothing more in a slice whose time is over', async () => {
    const { process, clock, counting } = world();
    const slow: JobKind = {
      slice: async (...given) => {
        const ensureHeld = given[4];
        ensureHeld();
        clock.now += jobTiming.lease;
        ensureHeld();
        return await counting.slice(...given);
      },
    };
    const id = await process().start('export', '10', '0');
    await expect(process(slow).run(id, Infinity)).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
    expect(await process().find(id)).toMatchObject({ status: 'running', state: '0', failures: 1 });
  });

  it('goes on later, and says so, when the time of a run is over', async () => {
    const { process, announced, clock } = world();
    const jobs = process();
    const id = await jobs.start('export', '10', '0');
    expect(await jobs.run(id, clock.now)).toBe('goes-on');
    expect(await jobs.find(id)).toMatchObject({ status: 'running', state: '1', leasedUntil: 0 });
    expect(announced).toHaveLength(2);
  });

  it.each(['before', 'after'] as const)(
    'survives twenty kills %s the effect of a slice, with each item done and counted once',
    async (when) => {
      const { process, clock, effects, counting } = world();
      const id = await process().start('export', '25', '0');
      for (let kill = 0; kill < 20; kill += 1) {
        void process(dying(counting, when)).run(id, Infinity);
        // Until the run that never ends has the job.
        while ((await process().find(id))?.leasedUntil !== clock.now + jobTiming.lease) {
          await new Promise(setImmediate);
        }
        clock.now += jobTiming.lease;
        expect(await process().run(id, clock.now)).toBe('goes-on');
      }
      expect(await process().run(id, Infinity)).toBe('over');
      expect(await process().find(id)).toMatchObject({ status: 'succeeded', state: '25' });
      expect([...effects]).toEqual(Array.from({ length: 25 }, (_, at) => at));
    },
  );

  it('is left to the runner that has it', async () => {
    const { process, announced, clock, counting } = world();
    const id = await process().start('export', '3', '0');
    void process(dying(counting, 'before')).run(id, Infinity);
    while ((await process().find(id))?.status !== 'running') await new Promise(setImmediate);
    clock.now += minute;
    expect(await process().run(id, Infinity)).toBe('elsewhere');
    expect(announced.at(-1)).toEqual({ id, afterSeconds: (jobTiming.lease - minute) / 1000 });
  });

  it('ends where it is when it is canceled, whatever its runner does', async () => {
    const state = { jobs: undefined as Jobs | undefined, id: undefined as JobId | undefined };
    const { process } = world({
      slice: async () => {
        if (state.jobs && state.id) await state.jobs.cancel(state.id);
        return { state: 'too late', end: 'succeeded' };
      },
    });
    state.jobs = process();
    state.id = await state.jobs.start('export', '3', '0');
    expect(await state.jobs.run(state.id, Infinity)).toBe('elsewhere');
    expect(await state.jobs.find(state.id)).toMatchObject({ status: 'canceled', state: '0' });
    expect(await state.jobs.cancel(state.id)).toBe(true);
    const unknown = parseJobId('0'.repeat(32));
    expect(unknown && (await state.jobs.cancel(unknown))).toBe(false);
  });

  it('is tried again after longer and longer pauses, and fails in the end', async () => {
    const { process, announced } = world({
      slice: async () => await Promise.reject(new ServiceError('storage-unavailable', 'Away.')),
    });
    const jobs = process();
    const id = await jobs.start('export', '3', '0');
    for (let time = 0; time < jobTiming.mostFailures; time += 1) {
      await expect(jobs.run(id, Infinity)).rejects.toThrow('Away.');
    }
    expect(await jobs.find(id)).toMatchObject({ status: 'failed', input: '{}' });
    expect(announced.map(({ afterSeconds }) => afterSeconds)).toEqual([0, 15, 30, 60, 120, 240]);
  });

  it('keeps an input of many identifiers, and refuses one that has no room', async () => {
    const jobs = world().process();
    const uid = () => `1.2.${BigInt(`0x${Math.random().toString(16).slice(2)}0`)}`;
    const many = JSON.stringify(Array.from({ length: 9000 }, uid));
    const id = await jobs.start('export', many, '0');
    expect((await jobs.find(id))?.input).toBe(many);
    await expect(jobs.start('export', many.repeat(9), '0')).rejects.toMatchObject({
      code: 'payload-too-large',
    });
  });
});

describe('the inspection of jobs', () => {
  it('announces what was left lying, and says for how long it has stood still', async () => {
    const { process, announced, clock } = world();
    const id = await process().start('export', '3', '0');
    expect(await process().attend()).toMatchObject({ announced: 0, standingStillSeconds: 0 });
    clock.now += 40 * minute;
    const found = await process().attend();
    expect(found).toEqual({ announced: 1, forgotten: 0, standingStillSeconds: 2400 });
    expect(announced.at(-1)).toEqual({ id, afterSeconds: 0 });
  });

  it('does not wait for the leases of the dead when it is alone', async () => {
    const { process, clock, counting } = world();
    const id = await process().start('export', '3', '0');
    void process(dying(counting, 'before')).run(id, Infinity);
    while ((await process().find(id))?.leasedUntil !== clock.now + jobTiming.lease) {
      await new Promise(setImmediate);
    }
    expect(await process().attend()).toMatchObject({ announced: 0 });
    expect(await process().attend({ alone: true })).toMatchObject({ announced: 1 });
    expect(await process().run(id, Infinity)).toBe('over');
  });

  it('forgets what has been over for a week', async () => {
    const { process, clock } = world();
    const jobs = process();
    const id = await jobs.start('export', '3', '0');
    await jobs.run(id, Infinity);
    clock.now += jobTiming.retention - 1;
    expect(await jobs.attend()).toMatchObject({ forgotten: 0, standingStillSeconds: 0 });
    clock.now += 1;
    expect(await jobs.attend()).toMatchObject({ forgotten: 1 });
    expect(await jobs.find(id)).toBeUndefined();
  });
});

describe('the id of a job', () => {
  it.each([
    ['0123456789abcdef0123456789ABCDEF', true],
    ['01234567-89ab-cdef-0123-456789abcdef', true],
    ['{01234567-89ab-cdef-0123-456789abcdef}', true],
    ['0123', false],
    ['', false],
  ])('%s is read: %s', (text, isOne) => {
    expect(parseJobId(text)).toBe(isOne ? '0123456789abcdef0123456789abcdef' : undefined);
  });
});
