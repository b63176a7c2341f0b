/**
 * Updates instances: their files are written anew while they stream past, and committed together as new versions of
 * just the versions that were read.
 */
import { changeAttributes, stringifyChanged } from '../../dicom/write/change-attributes.js';
import type { DataSet } from '../../dicom/data-set.js';
import type { Part10Limits } from '../../dicom/part10/part10.js';
import { formatTag } from '../../dicom/tag.js';
import { editedPart10, type Move } from '../../dicom/write/edit-part10.js';
import { movedIndex } from '../../dicom/write/moved-index.js';
import { ServiceError, type ErrorCode } from '../../errors.js';
import type { Archive, FileUpdate, StoredFile } from '../../storage/archive/archive.js';
import type { InstanceRow } from '../../storage/archive/catalog.js';
import type { Partition } from '../../storage/archive/keys.js';
import { compressMetadata } from '../../storage/archive/records.js';
import { listed, readAhead } from '../read-ahead.js';

/** What became of an instance. */
export type UpdateOutcome =
  /** By this job, now or before. */
  | { readonly kind: 'updated' }
  /** Deleted meanwhile. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** It may do better later. */
  | { readonly kind: 'late'; readonly reason: string; readonly error: unknown };

export interface UpdateTask {
  readonly partition: Partition;
  readonly changes: DataSet;
  /** Names the job in what it has updated. */
  readonly job: string;
}

/** A new version whose file is written. */
interface Written {
  readonly kind: 'written';
  readonly file: StoredFile;
  readonly update: FileUpdate;
}

const filesAtOnce = 8;
/** An instance that others change each time is left to the next slice. */
const mostTries = 8;

/** Errors of one file. */
const lasting: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'storage-corrupt',
  'dicom-limit-exceeded',
]);

function failed(reason: string): UpdateOutcome {
  return { kind: 'failed', reason };
}

/** What an error says of the instance that it struck. */
function outcomeOf(error: unknown): UpdateOutcome {
  if (error instanceof ServiceError) {
    if (lasting.has(error.code)) return failed(error.message);
    return { kind: 'late', reason: error.message, error };
  }
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'string' && code.startsWith('Z_')) {
    return failed('The stored file cannot be inflated.');
  }
  return { kind: 'late', reason: 'The instance could not be updated.', error };
}

export class InstanceUpdater {
  readonly #archive: Archive;
  readonly #limits: Part10Limits;
  readonly #task: UpdateTask;

  constructor(archive: Archive, limits: Part10Limits, task: UpdateTask) {
    this.#archive = archive;
    this.#limits = limits;
    this.#task = task;
  }

  /**
   * Updates instances of one study, read with all their properties; answers what became of each. Nothing is thrown for one of
   * them alone.
   */
  async update(rows: readonly InstanceRow[]): Promise<readonly UpdateOutcome[]> {
    const written: { readonly row: InstanceRow; readonly one: UpdateOutcome | Written }[] = [];
    const writing = readAhead(
      listed(...rows),
      filesAtOnce,
      async (row) => await this.#write(row),
      (one) => this.#discard(one),
    );
    for await (const one of writing) {
      const row = rows[written.length];
      if (row !== undefined) written.push({ row, one });
    }
    // At once: so they share transactions.
    return await Promise.all(
      written.map(async ({ row, one }) =>
        one.kind === 'written' ? await this.#commit(row, one) : one,
      ),
    );
  }

  #discard(one: UpdateOutcome | Written): void {
    if (one.kind === 'written') this.#archive.discardFiles(this.#task.partition, [one.file]);
  }

  /** Commits a new version; where another one has come meanwhile, one of that. */
  async #commit(row: InstanceRow, first: Written): Promise<UpdateOutcome> {
    const { partition } = this.#task;
    let written: UpdateOutcome | Written = first;
    try {
      for (let attempt = 0; written.kind === 'written'; attempt++) {
        const { file, update } = written;
        const result = await this.#archive.store(partition, file, 'replace', update);
        if (result === 'stored') return { kind: 'updated' };
        if (result === 'no-room')
          return failed('The rows of the study have no room for the values.');
        if (attempt === mostTries) {
          throw new ServiceError('storage-unavailable', 'The instance changes all the time.');
        }
        const now = await this.#archive.catalog.instance(partition, row.record);
        written = now === undefined ? { kind: 'gone' } : await this.#write(now);
      }
      return written;
    } catch (error) {
      return outcomeOf(error);
    }
  }

  /** Writes the file of a new version of an instance, unless this job has updated it already. */
  async #write(row: InstanceRow): Promise<UpdateOutcome | Written> {
    if (row.record.update === this.#task.job) return { kind: 'updated' };
    try {
      return await this.#writeFile(row);
    } catch (error) {
      return outcomeOf(error);
    }
  }

  async #writeFile(row: InstanceRow): Promise<UpdateOutcome | Written> {
    const archive = this.#archive;
    const { partition, changes, job } = this.#task;
    const { study, series, instance, sopClass, transferSyntax } = row.record;
    const { json, spelling } = await archive.files.metadata(partition, row);
    const changed = changeAttributes(JSON.parse(json) as DataSet, spelling(), changes);
    if (changed.kind === 'unwritable') {
      const tag = formatTag(changed.tag);
      return failed(`The character set of the instance does not have the characters of ${tag}.`);
    }
    const places = await archive.files.index(partition, row);
    const stored = await archive.files.open(partition, row.record);
    if (stored === undefined) {
      const now = await archive.catalog.instance(partition, row.record);
      if (now === undefined) return { kind: 'gone' };
      if (now.record.version !== row.record.version) return await this.#write(now);
      return failed('The stored file is missing.');
    }
    const uids = { study, series, instance };
    const version = archive.newVersion();
    const moves: Move[] = [];
    try {
      const body = editedPart10(stored.body, changed.values, this.#limits, (move) =>
        moves.push(move),
      );
      const length = await archive.putFile(partition, uids, version, body);
      const index = movedIndex(places, moves, changed.changed);
      const metadata = compressMetadata(stringifyChanged(changed));
      const described = { sopClass, transferSyntax, length, dataSet: changed.dataSet };
      return {
        kind: 'written',
        file: { uids, version, ...described, metadata, index },
        update: { of: row, changed: changed.changed, job },
      };
    } finally {
      stored.cancel();
    }
  }
}
