/**
 * What recovery, the sweep and the check of the store found, in the table `registry`: of each its last report, and its
 * last report that found something. No patient data: kinds and counts.
 */
import type { FindingKind } from './archive/store-check/finding.js';
import type { Entity, TableOperation, TableStore } from './table-store.js';

/** The jobs that report, in the order in which they are told of. */
export const maintenanceJobs = ['recovery', 'sweep', 'check'] as const;
export type MaintenanceJob = (typeof maintenanceJobs)[number];

/** How much of a kind was found, and how much of that was put right. */
export interface MaintenanceFinding {
  readonly kind: FindingKind | 'change-finished' | 'change-undone';
  readonly found: number;
  readonly mended: number;
}

export interface MaintenanceReport {
  readonly time: Date;
  readonly findings: readonly MaintenanceFinding[];
}

const partitionKey = 'maintenance';
const rowKeys = {
  last: (job: MaintenanceJob) => job,
  lastFound: (job: MaintenanceJob) => `${job}|found`,
} as const;

function readRow(row: Entity | undefined): MaintenanceReport | undefined {
  if (row === undefined) return undefined;
  const { time, findings } = row.properties;
  return {
    time: new Date(Number(time)),
    findings: JSON.parse(String(findings)) as readonly MaintenanceFinding[],
  };
}

export class MaintenanceReports {
  readonly #tables: TableStore;

  constructor(tables: TableStore) {
    this.#tables = tables;
  }

  /**
   * Keeps the report of a run, over that of the run before: one call.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async note(job: MaintenanceJob, all: readonly MaintenanceFinding[]): Promise<void> {
    const findings = all.filter(({ found }) => found > 0);
    const keys = [rowKeys.last(job), ...(findings.length > 0 ? [rowKeys.lastFound(job)] : [])];
    const properties = { time: this.#tables.now(), findings: JSON.stringify(findings) };
    await this.#tables.transact(
      'registry',
      partitionKey,
      keys.map((rowKey): TableOperation => ({ kind: 'upsert', rowKey, properties })),
    );
  }

  /** What is kept of each job that has run: one call. @throws ServiceError `storage-unavailable`. */
  async read(): Promise<
    ReadonlyMap<
      MaintenanceJob,
      { readonly last?: MaintenanceReport; readonly lastFound?: MaintenanceReport }
    >
  > {
    const { entities } = await this.#tables.query('registry', { partitionKey });
    const rows = new Map(entities.map((row) => [row.rowKey, row]));
    return new Map(
      maintenanceJobs.map((job) => {
        const last = readRow(rows.get(rowKeys.last(job)));
        const lastFound = readRow(rows.get(rowKeys.lastFound(job)));
        return [job, { ...(last && { last }), ...(lastFound && { lastFound }) }];
      }),
    );
  }
}
