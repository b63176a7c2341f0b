/** The rows of one study as the check reads them, without the data sets. */
import type { SeriesInstanceUID, StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import type { Entity, RowRange, TableStore } from '../../table-store.js';
import {
  parseCatalogRowKey,
  parseStudyPartitionKey,
  studyPartitionKey,
  studyRowKey,
  type Partition,
} from '../keys.js';
import {
  decodeGuard,
  decodeInstance,
  decodeSeries,
  decodeStudyRow,
  guardProperties,
  instanceProperties,
  type InstanceRecord,
  type SeriesRecord,
  type StudyGuard,
  type StudyRecord,
} from '../records.js';
import { versioned } from '../catalog.js';
import type { Versioned } from '../study-state.js';
import { rowsInRange, tablePages } from './pages.js';

/** An instance row, and which blobs it has beside its file. */
export interface CheckedInstance extends InstanceRecord {
  readonly metadataInBlob: boolean;
  readonly indexInBlob: boolean;
}

export interface CheckedStudy {
  readonly partition: Partition;
  readonly study: StudyInstanceUID;
  /** What the row of the study is guarded by, whether the study is there or gone. */
  readonly guard: StudyGuard;
  readonly row: Versioned<StudyRecord> | undefined;
  readonly series: ReadonlyMap<SeriesInstanceUID, Versioned<SeriesRecord>>;
  readonly instances: readonly CheckedInstance[];
  /** The rows of instances as they were before their first update. */
  readonly originals: readonly CheckedInstance[];
  /** Keys of rows that cannot be read. */
  readonly unreadable: readonly string[];
}

/** The properties that are read of every row of the catalog. */
export const checkedProperties = [
  ...instanceProperties,
  'metadataInBlob',
  'indexInBlob',
  'attributes',
  'state',
  'gone',
  ...guardProperties,
] as const;

function readable<Record>(read: () => Record): Record | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ServiceError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** An instance row with the names of its blobs; `undefined` when it cannot be read. */
export function checkedInstanceOf(
  uids: Parameters<typeof decodeInstance>[0],
  entity: Entity,
): CheckedInstance | undefined {
  const record = decodeInstance(uids, entity);
  const { version, sequence, length } = record;
  if (typeof version !== 'string' || Number.isNaN(sequence) || Number.isNaN(length)) {
    return undefined;
  }
  const { metadataInBlob, indexInBlob } = entity.properties;
  return {
    ...record,
    metadataInBlob: metadataInBlob === true,
    indexInBlob: indexInBlob === true,
  };
}

/** Makes the rows of one partition of the catalog, all of them, into the study that they are. */
function collect(partitionKey: string, entities: readonly Entity[]): CheckedStudy {
  const { partition, study } = parseStudyPartitionKey(partitionKey);
  let row: Versioned<StudyRecord> | undefined;
  let guard = decodeGuard(undefined);
  const series = new Map<SeriesInstanceUID, Versioned<SeriesRecord>>();
  const instances: CheckedInstance[] = [];
  const originals: CheckedInstance[] = [];
  const unreadable: string[] = [];
  for (const entity of entities) {
    const { rowKey } = entity;
    const key = parseCatalogRowKey(rowKey);
    let found: unknown;
    if (key.level === 'study') {
      guard = decodeGuard(entity);
      found = readable(() => {
        const record = decodeStudyRow(entity);
        if (record !== undefined) row = versioned(record, entity);
        return { record };
      });
    } else if (key.level === 'series') {
      const record = readable(() => decodeSeries(entity));
      if (record !== undefined) series.set(key.series, versioned(record, entity));
      found = record;
    } else {
      const instance = checkedInstanceOf({ study, ...key }, entity);
      const kind = key.level === 'original' ? originals : instances;
      if (instance !== undefined) kind.push(instance);
      found = instance;
    }
    if (found === undefined) unreadable.push(rowKey);
  }
  return { partition, study, guard, row, series, instances, originals, unreadable };
}

/** Every study of the catalog, from one pass over the table. */
export async function* studiesOf(
  tables: TableStore,
): AsyncGenerator<CheckedStudy, void, undefined> {
  let entities: Entity[] = [];
  for await (const page of tablePages(tables, 'catalog', checkedProperties)) {
    for (const entity of page) {
      const [first] = entities;
      if (first !== undefined && first.partitionKey !== entity.partitionKey) {
        yield collect(first.partitionKey, entities);
        entities = [];
      }
      entities.push(entity);
    }
  }
  const [first] = entities;
  if (first !== undefined) yield collect(first.partitionKey, entities);
}

/** The rows of one study, read page by page: of one moment only if nobody writes meanwhile. */
export async function readStudy(
  tables: TableStore,
  partition: Partition,
  study: StudyInstanceUID,
): Promise<CheckedStudy> {
  const partitionKey = studyPartitionKey(partition, study);
  const entities: Entity[] = [];
  for await (const entity of rowsInRange(tables, 'catalog', { partitionKey }, checkedProperties)) {
    entities.push(entity);
  }
  return collect(partitionKey, entities);
}

/** Whether nobody has changed the study since its rows were read. */
export async function isUnchanged(tables: TableStore, rows: CheckedStudy): Promise<boolean> {
  const partitionKey = studyPartitionKey(rows.partition, rows.study);
  const now = await tables.get('catalog', partitionKey, studyRowKey, { select: [] });
  // Every change of a study writes its row.
  return now?.etag === rows.guard.etag;
}

/** Whether a range of the catalog has any row. */
export async function hasRows(tables: TableStore, range: RowRange): Promise<boolean> {
  let continuation: string | undefined;
  do {
    const page = await tables.query('catalog', range, {
      limit: 1,
      select: [],
      ...(continuation !== undefined && { continuation }),
    });
    if (page.entities.length > 0) return true;
    continuation = page.continuation;
  } while (continuation !== undefined);
  return false;
}
