/**
 * The export as a job: every instance that was named, or everything, into a container, in slices. An instance
 * that is written twice is the same; counts are kept in the state, so that each counts once.
 */
import { ServiceError } from '../../errors.js';
import type { JobId } from '../../jobs/job.js';
import type { JobKind, Slice } from '../../jobs/jobs.js';
import type { Archive } from '../../storage/archive/archive.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import type { Partition } from '../../storage/archive/keys.js';
import type { InstanceRecord } from '../../storage/archive/records.js';
import type {
  DestinationSettings,
  ExportDestination,
  ExportDestinations,
} from '../../storage/export-destinations.js';
import {
  identifierText,
  instancesOf,
  missingText,
  targetsFrom,
  type After,
  type ExportSource,
  type TargetPlace,
} from './export-targets.js';

export interface ExportInput extends ExportSource {
  readonly destination: DestinationSettings;
}

/** How far an export has come; its counts are what clients see. */
export interface ExportState extends TargetPlace {
  /** The instance of the target under way that was exported last. */
  readonly after?: NonNullable<After>;
  readonly exported: number;
  readonly skipped: number;
  readonly errorHref: string;
}

/** A slice ends after so much. */
const sliceInstances = 100;
const sliceBytes = 512 * 1024 * 1024;
const atOnce = 4;
/** Slices in a row that may fail for an instance; then it is passed over, if the destination takes the log. */
const mostFailures = 3;

/** Blob of the destination that names what an export could not write, and why. */
export function errorLogName(id: JobId): string {
  return `${id}/errors.log`;
}

function resultName(id: JobId, { study, series, instance }: InstanceRecord): string {
  return `${id}/results/${study}/${series}/${instance}.dcm`;
}

interface Failure {
  readonly identifier: string;
  readonly error: string;
}

function logLines(failures: readonly Failure[]): string {
  const timestamp = new Date().toISOString();
  return failures.map((failure) => `${JSON.stringify({ timestamp, ...failure })}\n`).join('');
}

/** What a failure says of one instance. `undefined` when it may be of all, and pass. */
function failureOf(error: unknown, isPatient: boolean): string | undefined {
  if (!(error instanceof ServiceError)) return undefined;
  switch (error.code) {
    case 'storage-corrupt':
      return 'The file of the instance is missing or damaged.';
    case 'destination-refused':
      return error.message;
    case 'storage-unavailable':
      return isPatient ? undefined : `The instance could not be copied: ${error.message}`;
    default:
      return undefined;
  }
}

/** The kind of job that exports from an archive. */
export function exportKind(archive: Archive, destinations: ExportDestinations): JobKind {
  /**
   * Exports one instance.
   *
   * @returns whether it was there. @throws ServiceError `storage-corrupt` when only its file is not.
   */
  async function exportOne(
    partition: Partition,
    destination: ExportDestination,
    id: JobId,
    { record }: InstanceRow,
  ): Promise<boolean> {
    const file = await archive.files.open(partition, record);
    if (file === undefined) {
      const now = await archive.catalog.instance(partition, record);
      if (now === undefined) return false;
      if (now.record.version !== record.version) {
        return await exportOne(partition, destination, id, now);
      }
      throw new ServiceError('storage-corrupt', 'A stored file is missing.');
    }
    try {
      await destination.put(resultName(id, record), file.body);
    } finally {
      file.cancel();
    }
    return true;
  }

  return {
    async slice(inputText, stateText, id, failuresBefore): Promise<Slice> {
      const input = JSON.parse(inputText) as ExportInput;
      let state = JSON.parse(stateText) as ExportState;
      const { partition } = input;
      const destination = await destinations.open(input.destination);
      const failures: Failure[] = [];
      let steps = 0;
      let bytes = 0;
      const isFull = () => steps >= sliceInstances || bytes >= sliceBytes;

      const exportAll = async (rows: readonly InstanceRow[]): Promise<void> => {
        const results = await Promise.allSettled(
          rows.map(async (row) => await exportOne(partition, destination, id, row)),
        );
        let { exported, skipped } = state;
        for (const [at, result] of results.entries()) {
          // Those that were deleted since their rows were read are not there any more.
          if (result.status === 'fulfilled') exported += result.value ? 1 : 0;
          else {
            const error = failureOf(result.reason, failuresBefore < mostFailures);
            const record = rows[at]?.record;
            if (error === undefined || record === undefined) throw result.reason;
            failures.push({ identifier: identifierText(record), error });
            skipped += 1;
          }
        }
        const last = rows.at(-1)?.record;
        const after = last && { after: { series: last.series, instance: last.instance } };
        state = { ...state, exported, skipped, ...after };
      };

      let isDone = true;
      for await (const { identifier, place, isNamed } of targetsFrom(archive, input, state)) {
        if (isFull()) {
          isDone = false;
          break;
        }
        let waiting: InstanceRow[] = [];
        let isThrough = true;
        for await (const row of instancesOf(archive, partition, identifier, state.after)) {
          waiting.push(row);
          steps += 1;
          bytes += row.record.length;
          if (waiting.length === atOnce) {
            await exportAll(waiting);
            waiting = [];
          }
          if (isFull()) {
            isThrough = false;
            break;
          }
        }
        if (waiting.length > 0) await exportAll(waiting);
        if (!isThrough) {
          isDone = false;
          break;
        }
        const isMissing = state.after === undefined;
        if (isMissing) steps += 1;
        if (isMissing && isNamed) {
          failures.push({ identifier: identifierText(identifier), error: missingText(identifier) });
        }
        const { at, exported, errorHref } = state;
        const skipped = state.skipped + (isMissing && isNamed ? 1 : 0);
        state = {
          ...{ at: at + 1, exported, skipped, errorHref },
          ...(place !== undefined && { place }),
        };
      }
      // It also shows that the destination can be written, where an instance could not.
      if (failures.length > 0) await destination.append(errorLogName(id), logLines(failures));
      return { state: JSON.stringify(state), ...(isDone && { end: 'succeeded' }) };
    },
  };
}
