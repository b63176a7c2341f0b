/**
 * A bulk update as a job: study by study, instance by instance in the order of their UIDs. Each instance gets a new version
 * that says which job made it, so what is done twice has the effect of once.
 */
import type { DataSet } from '../../dicom/data-set.js';
import type { Part10Limits } from '../../dicom/part10/part10.js';
import type { InstanceUids, StudyInstanceUID } from '../../dicom/uid.js';
import type { JobKind, Slice } from '../../jobs/jobs.js';
import type { Archive } from '../../storage/archive/archive.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import type { Partition } from '../../storage/archive/keys.js';
import { InstanceUpdater, type UpdateOutcome } from './update-instance.js';

export interface UpdateInput {
  readonly partition: Partition;
  readonly studies: readonly StudyInstanceUID[];
  readonly changes: DataSet;
}

/** An instance that could not be updated. */
export interface FailedInstance extends InstanceUids {
  /** Never patient data. */
  readonly reason: string;
}

/** How far it has come. */
export interface UpdateState {
  /** The number of the data partition, which errors name. */
  readonly partitionKey: number;
  readonly studies: number;
  /** Studies that are done with. */
  readonly at: number;
  /** The last instance of the next study that is done with. */
  readonly after?: Omit<InstanceUids, 'study'>;
  /** Instances of that study that were updated, and that could not be. */
  readonly ofStudy: { readonly updated: number; readonly failed: number };
  readonly studiesUpdated: number;
  readonly instancesUpdated: number;
  /** Which studies could not be updated whole; the first few instances that are why, and how many there are. */
  readonly failedStudies: readonly StudyInstanceUID[];
  readonly failed: readonly FailedInstance[];
  readonly failures: number;
}

const nothingYet = { updated: 0, failed: 0 } as const;

/** The state of an update of which nothing has been done. */
export function beforeUpdate(studies: number, partitionKey: number): UpdateState {
  return {
    ...{
      partitionKey,
      studies,
      at: 0,
      ofStudy: nothingYet,
      studiesUpdated: 0,
      instancesUpdated: 0,
    },
    ...{ failedStudies: [], failed: [], failures: 0 },
  };
}

/** Instances that are told of one by one. */
const mostNamed = 5;
/** A slice ends after so many instances, or bytes of files. */
const sliceInstances = 96;
const sliceBytes = 512 * 1024 ** 2;
/** Instances that are read, and committed, together. */
const pageInstances = 32;
/** Slices that may fail before an instance that storage does not give or take counts as failed. */
const mostFailures = 3;

/** Rounded down, so that 100 is said of an update that has come to its end alone. */
export function percentOfUpdate({ at, studies }: UpdateState): number {
  return Math.floor((at * 100) / Math.max(studies, 1));
}

/**
 * What is told of instances that could not be updated, in the words of the Microsoft server.
 *
 * @param withReasons - whether it is told why.
 */
export function errorsOf(
  { failedStudies, failed, failures, partitionKey }: UpdateState,
  withReasons: boolean,
): readonly string[] {
  const lines = failed.map(({ study, series, instance, reason }) => {
    const uids = `StudyInstanceUID: ${study}, SeriesInstanceUID: ${series}, SOPInstanceUID: ${instance}`;
    const line = `Instance UIDs - PartitionKey: ${partitionKey}, ${uids}`;
    return withReasons ? `${line}: ${reason}` : line;
  });
  return [
    ...failedStudies.map((study) => `Failed to update instances for study ${study}`),
    ...lines,
    ...(failures > failed.length
      ? [
          'There are more instances failed to update than listed above. Please check the diagnostics logs for the complete list.',
        ]
      : []),
  ];
}

/** The kind of job that updates studies of an archive. */
export function updateKind(archive: Archive, limits: Part10Limits): JobKind {
  async function nextRows(
    { partition }: UpdateInput,
    study: StudyInstanceUID,
    behind: UpdateState['after'],
  ): Promise<readonly InstanceRow[]> {
    const paging = { firstPageRows: pageInstances, ...(behind !== undefined && { behind }) };
    for await (const rows of archive.instancesWithMetadata(partition, study, undefined, paging)) {
      if (rows.length > 0) return rows.slice(0, pageInstances);
    }
    return [];
  }

  /** The state after some instances of the study that is at its turn. */
  function afterRows(
    state: UpdateState,
    rows: readonly InstanceRow[],
    outcomes: readonly UpdateOutcome[],
  ): UpdateState {
    let { instancesUpdated, failures } = state;
    let { updated, failed } = state.ofStudy;
    const named = [...state.failed];
    for (const [at, outcome] of outcomes.entries()) {
      const record = rows[at]?.record;
      if (outcome.kind === 'updated') {
        updated += 1;
        instancesUpdated += 1;
      } else if (outcome.kind === 'failed' && record !== undefined) {
        failed += 1;
        failures += 1;
        const { study, series, instance } = record;
        if (named.length < mostNamed) {
          named.push({ study, series, instance, reason: outcome.reason });
        }
      }
    }
    const last = rows.at(-1)?.record;
    return {
      ...state,
      ...(last && { after: { series: last.series, instance: last.instance } }),
      ...{ ofStudy: { updated, failed }, instancesUpdated, failed: named, failures },
    };
  }

  /** The state when a study is through; one that is not there counts as done with. */
  function afterStudy(state: UpdateState, study: StudyInstanceUID): UpdateState {
    const { partitionKey, studies, at, ofStudy, studiesUpdated, failedStudies } = state;
    const { instancesUpdated, failed, failures } = state;
    const isFailed = ofStudy.failed > 0;
    return {
      ...{ partitionKey, studies, instancesUpdated, failed, failures },
      at: at + 1,
      ofStudy: nothingYet,
      studiesUpdated: studiesUpdated + (!isFailed && ofStudy.updated > 0 ? 1 : 0),
      failedStudies: isFailed ? [...failedStudies, study] : failedStudies,
    };
  }

  return {
    async slice(inputText, stateText, id, failuresBefore): Promise<Slice> {
      const input = JSON.parse(inputText) as UpdateInput;
      const { partition, studies, changes } = input;
      let state = JSON.parse(stateText) as UpdateState;
      const updater = new InstanceUpdater(archive, limits, { partition, changes, job: id });
      let [instances, bytes] = [0, 0];
      for (let study = studies[state.at]; study !== undefined; study = studies[state.at]) {
        const rows = await nextRows(input, study, state.after);
        if (rows.length === 0) {
          state = afterStudy(state, study);
          continue;
        }
        const outcomes = await updater.update(rows);
        const late = outcomes.find((outcome) => outcome.kind === 'late');
        if (late !== undefined && failuresBefore < mostFailures) throw late.error;
        const settled = outcomes.map((outcome): UpdateOutcome => {
          return outcome.kind === 'late' ? { kind: 'failed', reason: outcome.reason } : outcome;
        });
        state = afterRows(state, rows, settled);
        instances += rows.length;
        bytes += rows.reduce((sum, { record }) => sum + record.length, 0);
        if (instances >= sliceInstances || bytes >= sliceBytes) {
          return { state: JSON.stringify(state) };
        }
      }
      const end = state.failedStudies.length > 0 ? 'failed' : 'succeeded';
      return { state: JSON.stringify(state), end };
    },
  };
}
