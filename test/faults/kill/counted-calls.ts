/** Counts the calls to tables by what they are for. */
import type { TableStore } from '../../../src/storage/table-store.js';
import { stepOfTransaction, type Step } from './steps.js';

export type CallKind = Step | 'read of rows';

/** Calls of one kind, those of them that were refused, and the rows that they wrote or read. */
export interface CallCount {
  readonly calls: number;
  readonly refused: number;
  readonly rows: number;
}

export type CallCounts = ReadonlyMap<CallKind, CallCount>;

export const noCalls: CallCount = { calls: 0, refused: 0, rows: 0 };

/** The tables, and how many calls they have been sent so far. */
export function countedTables(inner: TableStore): { tables: TableStore; counts: CallCounts } {
  const counts = new Map<CallKind, CallCount>();
  const count = (kind: CallKind, rows: number, isRefused: boolean) => {
    const { calls, refused, rows: before } = counts.get(kind) ?? noCalls;
    const more = { calls: calls + 1, refused: refused + Number(isRefused), rows: before + rows };
    counts.set(kind, more);
  };
  const tables: TableStore = {
    ...inner,
    get: async (...call) => {
      const row = await inner.get(...call);
      count('read of rows', Number(row !== undefined), false);
      return row;
    },
    query: async (...call) => {
      const page = await inner.query(...call);
      count('read of rows', page.entities.length, false);
      return page;
    },
    transact: async (table, partitionKey, operations) => {
      const outcome = await inner.transact(table, partitionKey, operations);
      const step = stepOfTransaction(table, partitionKey, operations);
      count(step, operations.length, !outcome.committed);
      return outcome;
    },
  };
  return { tables, counts };
}
