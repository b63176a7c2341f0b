/**
 * The steps of a change by name: which call through the storage ports is which step of the protocol
 * (docs/architecture.md, "Writing"). Faults are aimed at steps.
 */
import type { BlobStore } from '../../../src/storage/blob-store.js';
import type { TableName, TableOperation, TableStore } from '../../../src/storage/table-store.js';

export const steps = [
  'blob put',
  'derived put',
  'index insert',
  'browse announce',
  'log append',
  'catalog commit',
  'browse refresh',
  'index removal',
  'browse removal',
  'log close',
  'void note',
  'fence',
  'blob delete',
  'checkpoint write',
  'turn',
] as const;
export type Step = (typeof steps)[number];

export const moments = ['before', 'after'] as const;
export type Moment = (typeof moments)[number];

/** Steps right before which it hurts most to stand still: what others take for lost may come yet. */
const stepsToFreezeAt = ['catalog commit', 'log append', 'fence', 'void note'] as const;

/** Where a process stands still, in turn. */
export function stepToFreezeAt(turn: number): { readonly step: Step; readonly moment: Moment } {
  const step = stepsToFreezeAt[turn % stepsToFreezeAt.length] ?? 'catalog commit';
  return { step, moment: 'before' };
}

/** Told of every step right before and right after its effect on storage. */
export type StepHook = (step: Step, moment: Moment) => Promise<void>;

export function stepOfTransaction(
  table: TableName,
  partitionKey: string,
  operations: readonly TableOperation[],
): Step {
  const kinds = new Set(operations.map(({ kind }) => kind));
  switch (table) {
    case 'catalog':
      return operations.length === 1 ? 'fence' : 'catalog commit';
    case 'log':
      if (partitionKey === 'head') return 'checkpoint write';
      if (kinds.has('insert')) return 'log append';
      return operations.some(isVoidNote) ? 'void note' : 'log close';
    case 'searchwords':
      return kinds.has('delete') ? 'index removal' : 'index insert';
    case 'searchindex':
      if (!partitionKey.endsWith('|study|newest')) {
        return kinds.has('delete') ? 'index removal' : 'index insert';
      }
      if (kinds.has('delete')) return 'browse removal';
      return kinds.has('upsert') ? 'browse announce' : 'browse refresh';
    case 'operations':
      throw new RangeError('No job runs here');
    case 'registry':
      return 'turn';
  }
}

/** Whether an intent is noted as void, or goes because it is. */
function isVoidNote(operation: TableOperation): boolean {
  if (operation.rowKey === 'tail') return false;
  return operation.kind === 'delete' || operation.kind === 'replace';
}

async function around<T>(hook: StepHook, step: Step, act: () => Promise<T>): Promise<T> {
  await hook(step, 'before');
  const result = await act();
  await hook(step, 'after');
  return result;
}

/** The tables with a hook around every step. */
export function hookedTables(inner: TableStore, hook: StepHook): TableStore {
  return {
    get: async (...call) => await inner.get(...call),
    query: async (...call) => await inner.query(...call),
    now: () => inner.now(),
    scan: async (...call) => await inner.scan(...call),
    check: async (...call) => await inner.check(...call),
    transact: async (table, partitionKey, operations) =>
      await around(hook, stepOfTransaction(table, partitionKey, operations), async () => {
        return await inner.transact(table, partitionKey, operations);
      }),
  };
}

/** The containers with a hook around every step. */
export function hookedBlobs(inner: BlobStore, hook: StepHook): BlobStore {
  return {
    get: async (...call) => await inner.get(...call),
    list: async (...call) => await inner.list(...call),
    check: async (...call) => await inner.check(...call),
    deleteUnchanged: async (...call) => {
      await inner.deleteUnchanged(...call);
    },
    put: async (container, ...call) =>
      await around(hook, container === 'instances' ? 'blob put' : 'derived put', async () => {
        return await inner.put(container, ...call);
      }),
    delete: async (...call) =>
      await around(hook, 'blob delete', async () => {
        await inner.delete(...call);
      }),
  };
}
