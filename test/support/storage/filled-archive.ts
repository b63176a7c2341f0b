/**
 * An archive of any number of studies, with the rows that stores would leave, and the calls and rows that
 * searches cost it. All of it follows from the numbers of the studies and is made when it is read, so that a
 * million studies cost no more than one.
 */
import { attribute } from '../../../src/dicom/attribute.js';
import type { Tag } from '../../../src/dicom/tag.js';
import { normalisedValues } from '../../../src/dicom/normalise.js';
import type { SOPClassUID, TransferSyntaxUID } from '../../../src/dicom/uid.js';
import { indexedAttributes } from '../../../src/storage/archive/index/attributes.js';
import { planStore } from '../../../src/storage/archive/commit/catalog-plan.js';
import { emptyState } from '../../../src/storage/archive/study-state.js';
import {
  browsePartitionKey,
  browseRowKey,
  defaultPartition,
  instanceRowKey,
  seriesRowKey,
  studyPartitionKey,
  studyRowKey,
} from '../../../src/storage/archive/keys.js';
import {
  compressIndex,
  compressMetadata,
  encodeInstance,
  encodeSeries,
  encodeStudy,
  encodeStudyRow,
} from '../../../src/storage/archive/records.js';
import {
  addressesOf,
  indexedValue,
  type Address,
  type IndexRow,
} from '../../../src/storage/archive/index/search-index.js';
import { invertUlid } from '../../../src/storage/archive/ulid.js';
import { checkQuery } from '../../../src/storage/table-limits.js';
import { MemoryTableStore } from '../../../src/storage/memory/memory-table-store.js';
import {
  tableLimits,
  type Entity,
  type Page,
  type Properties,
  type QueryOptions,
  type RowRange,
  type TableName,
  type TableOperation,
} from '../../../src/storage/table-store.js';
import { groupBy } from '../../../src/group-by.js';
import { NumberedRows, type Run } from './numbered-rows.js';
import {
  dataSetOf,
  descriptions,
  families,
  modalities,
  studiesPerDay,
  ulidOf,
  uidsOf,
} from './numbered-studies.js';

const partition = defaultPartition;

const modalitiesInStudy = attribute('ModalitiesInStudy');
const modality = attribute('Modality');

/** The index rows of a study for an attribute, spelled without the records that a store makes on the way to them. */
function indexRows(
  study: number,
  { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
): readonly IndexRow[] {
  const all = uidsOf(study);
  const dataSet = dataSetOf(study);
  const write = ulidOf(study + 1);
  const uids = {
    study: { study: all.study },
    series: { study: all.study, series: all.series },
    instance: all,
  } as const;
  return normalisedValues(dataSet[tag === modalitiesInStudy ? modality : tag]).map((text) => {
    const value = indexedValue(tag, text);
    return { partition, level, tag, value, created: write, uids: uids[level], write };
  });
}

/** Studies whose numbers leave the same rest have the same value, or so many that follow each other. */
interface Sharing {
  readonly every?: number;
  readonly together?: number;
}

/** How studies share the values of an attribute; each has its own where nothing is said. */
const sharing: Readonly<Record<Tag, Sharing | undefined>> = {
  [attribute('StudyDate')]: { together: studiesPerDay },
  [attribute('PatientID')]: { together: 2 },
  [attribute('PatientName')]: { every: families },
  [attribute('StudyDescription')]: { every: descriptions },
  [attribute('ModalitiesInStudy')]: { every: modalities.length },
  [attribute('Modality')]: { every: modalities.length },
};

/** The runs of studies with the same value of an attribute, by the number of the first. */
function runsOf(tag: Tag, studies: number): readonly Omit<Run, 'prefix'>[] {
  const { every, together = 1 } = sharing[tag] ?? {};
  if (every !== undefined) {
    const firsts = Array.from({ length: Math.min(every, studies) }, (_, first) => first);
    return firsts.map((first) => ({ first, step: every, end: studies }));
  }
  const count = Math.ceil(studies / together);
  return Array.from({ length: count }, (_, at) => {
    const first = at * together;
    return { first, step: 1, end: Math.min(first + together, studies) };
  });
}

const separator = '|';

/** What stands behind the value in the key of a row. */
function suffixAt(level: IndexRow['level']): (study: number) => string {
  return (study) => {
    const { study: uid, series, instance } = uidsOf(study);
    const write = ulidOf(study + 1);
    const uids = { study: [uid], series: [uid, series], instance: [uid, series, instance] }[level];
    return [invertUlid(write), ...uids, write].join(separator);
  };
}

/** The rows of an attribute in one table, by their partitions. */
function numberedRows(
  { level, tag }: Pick<IndexRow, 'level' | 'tag'>,
  table: Address['table'],
  studies: number,
): ReadonlyMap<string, NumberedRows> {
  const runs = runsOf(tag, studies).flatMap((run) =>
    indexRows(run.first, { level, tag })
      .flatMap(addressesOf)
      .filter((address) => address.table === table)
      .map(({ partitionKey, rowKey }) => {
        const prefix = rowKey.slice(0, rowKey.indexOf(separator) + 1);
        return { partitionKey, run: { ...run, prefix } };
      }),
  );
  return new Map(
    [...groupBy(runs, ({ partitionKey }) => partitionKey)].map(([partitionKey, own]) => {
      const rows = new NumberedRows(
        own.map(({ run }) => run),
        suffixAt(level),
      );
      return [partitionKey, rows] as const;
    }),
  );
}

/** What a store of the study leaves behind. */
function rowsOf(study: number) {
  const uids = uidsOf(study);
  const dataSet = dataSetOf(study);
  const write = ulidOf(study + 1);
  const record = {
    ...uids,
    version: write,
    sopClass: '1.2.840.10008.5.1.4.1.1.2' as SOPClassUID,
    transferSyntax: '1.2.840.10008.1.2.1' as TransferSyntaxUID,
    length: 1000,
  };
  const instance = { record, dataSet, metadata: new Uint8Array(), index: new Uint8Array() };
  const plan = planStore(partition, emptyState, [instance], new Map(), write);
  const { study: row, added } = plan;
  const [series] = plan.series.values();
  if (row === undefined || series === undefined) throw new RangeError('no rows');
  return { uids, dataSet, row, series, added, record };
}

const noIndex = compressIndex({ frames: undefined, bulk: [] });

function catalogRows(study: number): readonly TableOperation[] {
  const { uids, dataSet, row, series, record } = rowsOf(study);
  const instance = encodeInstance({
    record: { ...record, sequence: study + 1 },
    metadata: compressMetadata(JSON.stringify(dataSet)),
    index: noIndex,
  });
  const guard = { revision: row.revision, last: study + 1, commits: [] };
  return [
    { kind: 'insert', rowKey: studyRowKey, properties: encodeStudyRow(row, guard) },
    { kind: 'insert', rowKey: seriesRowKey(uids.series), properties: encodeSeries(series) },
    { kind: 'insert', rowKey: instanceRowKey(uids), properties: instance },
  ];
}

function browseProperties(study: number): Properties {
  const { row } = rowsOf(study);
  return { ...encodeStudy(row), revision: row.revision, unsure: false };
}

/** A row to insert. */
export interface FilledRow {
  readonly table: TableName;
  readonly partitionKey: string;
  readonly operation: TableOperation;
}

/** Every row that a store of the study leaves in the catalog and the indexes. */
export function filledRows(study: number): readonly FilledRow[] {
  const { row, added } = rowsOf(study);
  const browse: TableOperation = {
    kind: 'insert',
    rowKey: browseRowKey(row.created, row.study),
    properties: browseProperties(study),
  };
  return [
    ...catalogRows(study).map((operation) => ({
      table: 'catalog' as const,
      partitionKey: studyPartitionKey(partition, row.study),
      operation,
    })),
    { table: 'searchindex', partitionKey: browsePartitionKey(partition), operation: browse },
    ...added.flatMap(addressesOf).map(({ table, partitionKey, rowKey }) => ({
      table,
      partitionKey,
      operation: { kind: 'insert' as const, rowKey, properties: {} },
    })),
  ];
}

/** The number of a study, from its UID at the end of a key. */
function numberIn(key: string): number {
  return Number(/1\.2\.840\.(\d+)$/.exec(key)?.[1] ?? -1);
}

/** Copies of studies that are kept, as making one takes a store's planning. */
const mostCopies = 10_000;

/** Everything that one search cost. */
export interface Cost {
  readonly calls: number;
  readonly rows: number;
  /** Calls that waited for others: those that were under way together count once. */
  readonly rounds: number;
}

/** A table store with a filled archive in it that counts what is read. */
export class FilledTables extends MemoryTableStore {
  readonly #made = new Set<string>();
  readonly #pageRows: number;
  readonly #copies = new Map<number, Properties>();
  readonly #indexes = new Map<string, ReadonlyMap<string, NumberedRows>>();
  #calls = 0;
  #rows = 0;
  #rounds = 0;
  #underWay = 0;
  #studies = 0;

  /** @param pageRows - most rows on a page of a query. */
  constructor(pageRows: number = tableLimits.pageRows) {
    super();
    this.#pageRows = pageRows;
  }

  get studies(): number {
    return this.#studies;
  }

  /** Adds studies of one series and one instance each, until there are that many. */
  grow(studies: number): void {
    this.#studies = Math.max(this.#studies, studies);
    this.#indexes.clear();
  }

  /** What has been read since the last time. */
  take(): Cost {
    const cost = { calls: this.#calls, rows: this.#rows, rounds: this.#rounds };
    this.#calls = this.#rows = this.#rounds = 0;
    return cost;
  }

  async #count<Result>(read: () => Promise<Result>, rowsIn: (result: Result) => number) {
    this.#calls++;
    if (this.#underWay++ === 0) this.#rounds++;
    // What is asked in one turn is under way together.
    await new Promise(setImmediate);
    const result = await read();
    this.#rows += rowsIn(result);
    this.#underWay--;
    return result;
  }

  async #make(table: TableName, partitionKey: string): Promise<void> {
    const study = numberIn(partitionKey);
    const isThere = table === 'catalog' && study >= 0 && study < this.#studies;
    if (!isThere || this.#made.has(partitionKey)) return;
    this.#made.add(partitionKey);
    await this.transact('catalog', partitionKey, catalogRows(study));
  }

  override async get(
    ...parameters: Parameters<MemoryTableStore['get']>
  ): Promise<Entity | undefined> {
    await this.#make(parameters[0], parameters[1]);
    return await this.#count(
      async () => await super.get(...parameters),
      (row) => (row === undefined ? 0 : 1),
    );
  }

  override async query(table: TableName, range: RowRange, options?: QueryOptions): Promise<Page> {
    await this.#make(table, range.partitionKey);
    checkQuery(range, options ?? {});
    const limit = Math.min(options?.limit ?? this.#pageRows, this.#pageRows);
    const isIndex = table === 'searchindex' || table === 'searchwords';
    return await this.#count(
      async () =>
        isIndex
          ? this.#indexPage(table, range, { ...options, limit })
          : await super.query(table, range, { ...options, limit }),
      ({ entities }) => entities.length,
    );
  }

  #indexPage(
    table: Address['table'],
    { partitionKey, from = '', to }: RowRange,
    { limit, select, continuation = '' }: QueryOptions & { readonly limit: number },
  ): Page {
    const rows = this.#rowsOf(table, partitionKey, from);
    const start = continuation > from ? continuation : from;
    const { keys, next } = rows?.page(start, to, limit) ?? { keys: [], next: undefined };
    const isBrowse = partitionKey === browsePartitionKey(partition);
    const isWhole = select?.every((name) => name === 'unsure') !== true;
    const entities = keys.map(({ key: rowKey, number }): Entity => {
      const properties = isBrowse ? (isWhole ? this.#copyOf(number) : { unsure: false }) : {};
      return { partitionKey, rowKey, etag: 'W/"1"', timestamp: 0, properties };
    });
    return { entities, ...(next !== undefined && { continuation: next }) };
  }

  #copyOf(study: number): Properties {
    const known = this.#copies.get(study) ?? browseProperties(study);
    if (this.#copies.size < mostCopies) this.#copies.set(study, known);
    return known;
  }

  /** The rows that a range is in: those of one attribute, by which the keys of words begin. */
  #rowsOf(table: Address['table'], partitionKey: string, from: string): NumberedRows | undefined {
    const end = this.#studies;
    if (partitionKey === browsePartitionKey(partition)) {
      const run = { prefix: '', first: 0, step: 1, end };
      const browse = (study: number) => browseRowKey(ulidOf(study + 1), uidsOf(study).study);
      return new NumberedRows([run], browse);
    }
    const [, level = '', own = ''] = partitionKey.split(separator);
    const tag = table === 'searchwords' ? from.slice(0, 8) : own;
    const indexed = indexedAttributes.find((one) => one.level === level && one.tag === tag);
    if (indexed === undefined) return undefined;
    const key = `${table} ${level} ${tag}`;
    const known = this.#indexes.get(key) ?? numberedRows(indexed, table, end);
    this.#indexes.set(key, known);
    return known.get(partitionKey);
  }
}
