/**
 * The export as a job: every instance that was named, or everything, into a container, in slices. An instance
 * that is written twice is the same; counts are kept in the state, so that each counts once.
 */
import {
  parseUid,
  type SeriesInstanceUID,
  type SOPInstanceUID,
  type StudyInstanceUID,
} from '../../dicom/uid.js';
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

/** What is exported: a study, a series or an instance. */
export interface Identifier {
  readonly study: StudyInstanceUID;
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
}

export interface ExportInput {
  readonly partition: Partition;
  readonly identifiers: readonly Identifier[];
  readonly destination: DestinationSettings;
}

/** How far an export has come; its counts are what clients see. */
export interface ExportState {
  /** Of the identifier that is next, or that is under way. */
  readonly at: number;
  /** The instance of it that was exported last. */
  readonly after?: { readonly series: SeriesInstanceUID; readonly instance: SOPInstanceUID };
  readonly exported: number;
  readonly skipped: number;
  readonly errorHref: string;
}

/** A slice ends after so much. */
const sliceInstances = 100;
const sliceBytes = 512 * 1024 * 1024;
const atOnce = 4;

export function errorLogName(id: JobId): string {
  return `${id}/errors.log`;
}

function resultName(id: JobId, { study, series, instance }: InstanceRecord): string {
  return `${id}/results/${study}/${series}/${instance}.dcm`;
}

function textOf({ study, series, instance }: Identifier): string {
  return [study, series, instance].filter((uid) => uid !== undefined).join('/');
}

/** Reads `study`, `study/series` or `study/series/instance`; `undefined` when it is none. */
export function parseIdentifier(text: string): Identifier | undefined {
  const parts = text.split('/').map((part) => part.trim());
  const [first = '', second, third] = parts;
  const study = parseUid<StudyInstanceUID>(first);
  const series = second === undefined ? undefined : parseUid<SeriesInstanceUID>(second);
  const instance = third === undefined ? undefined : parseUid<SOPInstanceUID>(third);
  const read = [study, series, instance].filter((uid) => uid !== undefined);
  if (study === undefined || parts.length > 3 || read.length !== parts.length) return undefined;
  return { study, ...(series && { series }), ...(instance && { instance }) };
}

const notFound = {
  study: 'The specified study cannot be found.',
  series: 'The specified series cannot be found.',
  instance: 'The specified instance cannot be found.',
} as const;

/** What is not there, in the words of a retrieve. */
function missing({ series, instance }: Identifier): string {
  if (instance !== undefined) return notFound.instance;
  return series === undefined ? notFound.study : notFound.series;
}

type After = ExportState['after'];

/** The instances of an identifier behind the one that was exported last, in order of their UIDs. */
async function* instancesOf(
  archive: Archive,
  partition: Partition,
  { study, series, instance }: Identifier,
  after: After,
): AsyncGenerator<InstanceRow, void, undefined> {
  if (series !== undefined && instance !== undefined) {
    const row = await archive.catalog.instance(partition, { study, series, instance });
    if (row !== undefined && after === undefined) yield row;
    return;
  }
  const all =
    series === undefined
      ? [...(await archive.catalog.state(partition, study)).series.keys()].sort()
      : [series];
  for (const uid of all) {
    if (after !== undefined && uid < after.series) continue;
    const behind = after?.series === uid ? { after: after.instance } : {};
    for await (const rows of archive.catalog.instances(partition, study, uid, undefined, behind)) {
      yield* rows;
    }
  }
}

interface Failure {
  readonly identifier: string;
  readonly error: string;
}

function logLines(failures: readonly Failure[]): string {
  const timestamp = new Date().toISOString();
  return failures.map((failure) => `${JSON.stringify({ timestamp, ...failure })}\n`).join('');
}

/** The kind of job that exports from an archive. */
export function exportKind(archive: Archive, destinations: ExportDestinations): JobKind {
  /** Exports one instance. @returns whether it was there. */
  async function exportOne(
    partition: Partition,
    destination: ExportDestination,
    id: JobId,
    { record }: InstanceRow,
  ): Promise<boolean> {
    const file = await archive.openFile(partition, record);
    if (file === undefined) return false;
    try {
      await destination.put(resultName(id, record), file.body);
    } finally {
      file.cancel();
    }
    return true;
  }

  return {
    async slice(inputText, stateText, id): Promise<Slice> {
      const input = JSON.parse(inputText) as ExportInput;
      let state = JSON.parse(stateText) as ExportState;
      const { partition, identifiers } = input;
      const destination = await destinations.open(input.destination);
      const failures: Failure[] = [];
      let instances = 0;
      let bytes = 0;
      const isFull = () => instances >= sliceInstances || bytes >= sliceBytes;

      const exportAll = async (rows: readonly InstanceRow[]): Promise<void> => {
        const there = await Promise.all(
          rows.map(async (row) => await exportOne(partition, destination, id, row)),
        );
        // Those that were deleted since their rows were read are not there any more.
        const exported = state.exported + there.filter(Boolean).length;
        const last = rows.at(-1)?.record;
        state = {
          ...state,
          exported,
          ...(last && { after: { series: last.series, instance: last.instance } }),
        };
      };

      while (state.at < identifiers.length && !isFull()) {
        const identifier = identifiers[state.at];
        if (identifier === undefined) break;
        let waiting: InstanceRow[] = [];
        let isThrough = true;
        for await (const row of instancesOf(archive, partition, identifier, state.after)) {
          waiting.push(row);
          instances += 1;
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
        if (!isThrough) break;
        const isMissing = state.after === undefined;
        if (isMissing) {
          failures.push({ identifier: textOf(identifier), error: missing(identifier) });
          instances += 1;
        }
        const { at, exported, errorHref } = state;
        const skipped = state.skipped + (isMissing ? 1 : 0);
        state = { at: at + 1, exported, skipped, errorHref };
      }
      if (failures.length > 0) await destination.append(errorLogName(id), logLines(failures));
      const isDone = state.at >= identifiers.length;
      return { state: JSON.stringify(state), ...(isDone && { end: 'succeeded' }) };
    },
  };
}
