/** What is exported: the studies, series and instances that were named, or every study of a partition. */
import {
  parseUid,
  type SeriesInstanceUID,
  type SOPInstanceUID,
  type StudyInstanceUID,
} from '../../dicom/uid.js';
import type { Archive } from '../../storage/archive/archive.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import type { Partition } from '../../storage/archive/keys.js';

/** A study, a series or an instance. */
export interface Identifier {
  readonly study: StudyInstanceUID;
  readonly series?: SeriesInstanceUID;
  readonly instance?: SOPInstanceUID;
}

/** What one export is of. */
export interface ExportSource {
  readonly partition: Partition;
  /** Everything of the partition when left out. */
  readonly identifiers?: readonly Identifier[];
}

/** Where an export is among its targets. */
export interface TargetPlace {
  /** How many are done. */
  readonly at: number;
  /** Of everything: the place of the study that was done last in the study list. */
  readonly place?: string;
}

/** One that is next. */
export interface ExportTarget {
  readonly identifier: Identifier;
  /** Where it is in the study list. */
  readonly place?: string;
  /** Whether it is missed when it is not there: it was asked for. */
  readonly isNamed: boolean;
}

/** The instance of a target that was exported last. */
export type After =
  { readonly series: SeriesInstanceUID; readonly instance: SOPInstanceUID } | undefined;

/** As the client names it. */
export function identifierText({ study, series, instance }: Identifier): string {
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
export function missingText({ series, instance }: Identifier): string {
  if (instance !== undefined) return notFound.instance;
  return series === undefined ? notFound.study : notFound.series;
}

/**
 * What is left to be exported. Of everything, the studies are taken newest first: those that are stored meanwhile come before
 * the place, and are not part of it.
 */
export async function* targetsFrom(
  archive: Archive,
  { partition, identifiers }: ExportSource,
  { at, place }: TargetPlace,
): AsyncGenerator<ExportTarget, void, undefined> {
  if (identifiers !== undefined) {
    for (const identifier of identifiers.slice(at)) yield { identifier, isNamed: true };
    return;
  }
  const walk = archive.browse.walk(partition, place === undefined ? {} : { after: place });
  for await (const copy of walk) {
    // A study that was stored anew may stand there twice for a moment.
    const isThere =
      !copy.unsure ||
      (await archive.browse.confirm(archive.catalog, partition, copy)) !== undefined;
    if (!isThere) continue;
    yield { identifier: { study: copy.record.study }, place: copy.rowKey, isNamed: false };
  }
}

/** The instances of a target behind the one that was exported last, in order of their UIDs. */
export async function* instancesOf(
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
