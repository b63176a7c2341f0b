/**
 * Intents: the rows of the log. Each says what one write is about to do to one study, and stays as the
 * record of what it did. What it did not do is void.
 */
import type {
  InstanceUids,
  SeriesInstanceUID,
  SOPInstanceUID,
  StudyInstanceUID,
} from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import type { Entity, Properties } from '../../table-store.js';
import type { Partition } from '../keys.js';
import { decodeText, encodeText } from '../long-properties.js';
import type { IndexRow } from '../index/search-index.js';
import { sequenceStride } from './sequence.js';
import { decodeTotals, encodeTotals, isNone, type Totals } from './totals.js';
import type { Ulid } from '../ulid.js';

export type ChangeAction = 'Create' | 'Update' | 'Delete';

/** What is to become of one instance of the study. */
export interface Change extends Omit<InstanceUids, 'study'> {
  readonly action: ChangeAction;
  /** The version that is created, or the one that is deleted. */
  readonly version: Ulid;
  /** Of an update: the version that is replaced. */
  readonly previous?: Ulid;
  /** The versions whose files go; that one, or the one that is deleted, when left out. */
  readonly files?: readonly Ulid[];
}

/** The versions whose files are to be removed some time after a change was carried out. */
export function filesLeftBy({ action, version, previous, files }: Change): readonly Ulid[] {
  if (files !== undefined) return files;
  return action === 'Delete' ? [version] : previous === undefined ? [] : [previous];
}

export interface Intent {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  /** Tells it from another writer's that has, or was to have, the same place in the log. */
  readonly id: Ulid;
  /** Of a delete: when the study was made; else the write, which names what it leaves behind. */
  readonly write: Ulid;
  /** The revision of the study row under whose ETag it is committed, and under no other. */
  readonly base: number;
  /** At least one, at most 99; they have sequences in this order. */
  readonly changes: readonly Change[];
  /**
   * Index rows that do not follow from the changes, which are put down before the commit or taken away after
   * it: those above the instances, and those of query tags.
   */
  readonly rows: readonly IndexRow[];
  /** What the partition has more or fewer of when it is carried out. */
  readonly totals: Totals;
}

/** An intent as the log has it. */
export interface LoggedIntent extends Intent {
  /** The sequence of its last change, which names it. */
  readonly sequence: number;
  /** Its changes never happened, and never will. */
  readonly isVoid: boolean;
  /** When it was appended or noted as void, by the clock of storage. */
  readonly timestamp: number;
  readonly entity: Entity;
}

/** The sequence of the first of some changes, of which the last has another. */
export function firstOf(sequence: number, count: number): number {
  return sequence - (count - 1) * sequenceStride;
}

/** What a reader needs of an intent to count its changes. */
export const intentCountProperties = [
  'partition',
  'study',
  'base',
  'count',
  'void',
] as const satisfies readonly string[];

/** What a reader needs of an intent to tell what it makes more or fewer. */
export const intentTotalsProperties = [
  'partition',
  'study',
  'base',
  'totals',
] as const satisfies readonly string[];

/** Where files are told, the version that is replaced comes last: programs of old, which do not know them, remove none. */
type Line =
  | readonly [SOPInstanceUID, ChangeAction, Ulid, Ulid?]
  | readonly [SOPInstanceUID, ChangeAction, Ulid, null, readonly Ulid[], Ulid?];

/** Changes as text, in which the UID of a series stands once for all that follow each other. */
function encodeChanges(changes: readonly Change[]): string {
  const groups: { readonly series: SeriesInstanceUID; readonly lines: Line[] }[] = [];
  for (const { series, instance, action, version, previous, files } of changes) {
    let group = groups.at(-1);
    if (group?.series !== series) groups.push((group = { series, lines: [] }));
    const line = [instance, action, version] as const;
    const last = previous === undefined ? ([] as const) : ([previous] as const);
    group.lines.push(files === undefined ? [...line, ...last] : [...line, null, files, ...last]);
  }
  return JSON.stringify(groups.map(({ series, lines }) => [series, lines]));
}

function decodeChanges(text: unknown): readonly Change[] {
  if (typeof text !== 'string') return [];
  const groups = JSON.parse(text) as readonly (readonly [SeriesInstanceUID, readonly Line[]])[];
  return groups.flatMap(([series, lines]) =>
    lines.map(([instance, action, version, replaced, files, last]) => {
      const previous = replaced ?? last;
      return {
        ...{ series, instance, action, version },
        ...(previous !== undefined && { previous }),
        ...(files !== undefined && { files }),
      };
    }),
  );
}

function decodeRows(properties: Properties): readonly IndexRow[] {
  const text = decodeText('rows', properties);
  return text === undefined ? [] : (JSON.parse(text) as readonly IndexRow[]);
}

/** Whether files are to be removed some time after the intent was carried out. */
function leavesFiles({ changes }: Intent): boolean {
  return changes.some((change) => filesLeftBy(change).length > 0);
}

export function encodeIntent(intent: Intent): Properties {
  const { partition, study, id, write, base, changes, rows, totals } = intent;
  return {
    ...{ partition, study, id, write, base },
    count: changes.length,
    changes: encodeChanges(changes),
    ...(rows.length > 0 && encodeText('rows', JSON.stringify(rows))),
    ...(!isNone(totals) && { totals: encodeTotals(totals) }),
    ...(leavesFiles(intent) && { clear: true }),
  };
}

/** The properties of an intent that is noted as void: what it leaves behind is to be cleared away. */
export function asVoid({ properties }: Entity): Properties {
  return { ...properties, void: true, clear: true };
}

/** How many changes a row of the log stands for, also when it was read in part. */
export function countOf({ properties }: Pick<Entity, 'properties'>): number {
  return Number(properties['count'] ?? 0);
}

/**
 * Reads an intent, as far as it was selected.
 *
 * @throws ServiceError `storage-corrupt`.
 */
export function decodeIntent(entity: Entity): LoggedIntent {
  const { rowKey, timestamp, properties } = entity;
  try {
    return {
      partition: properties['partition'] as Partition,
      study: properties['study'] as StudyInstanceUID,
      id: properties['id'] as Ulid,
      write: properties['write'] as Ulid,
      base: Number(properties['base']),
      changes: decodeChanges(properties['changes']),
      rows: decodeRows(properties),
      totals: decodeTotals(properties['totals']),
      sequence: Number(rowKey),
      isVoid: properties['void'] === true,
      timestamp,
      entity,
    };
  } catch (error) {
    throw new ServiceError('storage-corrupt', `Entry ${rowKey} of the log is damaged.`, {}, error);
  }
}
