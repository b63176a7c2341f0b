/**
 * The list of extended query tags, one row of the table `registry`. Whoever writes a study has to know it:
 * a change of what is indexed raises its version, and the tails of the log then ask for that version
 * (docs/decisions/0023-query-tags.md).
 */
import type { Runtime } from '../runtime.js';
import type { Entity, TableStore } from '../table-store.js';
import { ServiceError } from '../../errors.js';
import { backOff } from '../back-off.js';
import { noTags, type QueryTag, type TagSet } from './index/query-tags.js';
import { queryTagListKey, queryTagsPartition } from './keys.js';
import { decodeText, encodeText } from './long-properties.js';

/** Being indexed in what is stored already; to be searched; on its way out. */
export type TagStatus = 'adding' | 'ready' | 'deleting';

export interface ListedTag extends QueryTag {
  readonly status: TagStatus;
  /** Whether searches may use it, once it is ready. */
  readonly enabled: boolean;
  /** Values that were met while it was added and cannot be indexed. */
  readonly errors: number;
  /** The job that adds it, until it is ready. */
  readonly operation?: string;
  /** The job that removes it. */
  readonly removal?: string;
}

/** The entry of a tag that a job is about to add. */
export function beingAdded(tag: QueryTag, operation: string): ListedTag {
  return { ...tag, status: 'adding', enabled: true, errors: 0, operation };
}

export interface TagList {
  readonly version: number;
  /** In order of creation. */
  readonly tags: readonly ListedTag[];
}

function decodeList(row: Entity | undefined): TagList {
  if (row === undefined) return { version: 0, tags: [] };
  const tags = JSON.parse(decodeText('tags', row.properties) ?? '[]') as readonly ListedTag[];
  return { version: Number(row.properties['version']), tags };
}

/** What every write keeps and indexes, according to a list. */
export function tagSetOf({ version, tags }: TagList): TagSet {
  return {
    version,
    tags: tags
      .filter(({ status }) => status !== 'deleting')
      .map(({ tag, vr, level, creator }) => ({
        tag,
        vr,
        level,
        ...(creator !== undefined && { creator }),
      })),
  };
}

export async function readTagList(tables: TableStore): Promise<TagList> {
  return decodeList(await tables.get('registry', queryTagsPartition, queryTagListKey));
}

function isSame(one: TagSet, other: TagSet): boolean {
  return JSON.stringify(one.tags) === JSON.stringify(other.tags);
}

export class QueryTagList {
  readonly #tables: TableStore;
  readonly #runtime: Runtime;
  #known: TagSet = noTags;

  constructor(tables: TableStore, runtime: Runtime) {
    this.#tables = tables;
    this.#runtime = runtime;
  }

  /** The tags as this process knows them: perhaps no longer as they are, which the log tells whoever writes. */
  get known(): TagSet {
    return this.#known;
  }

  /** The list as it is: one point read. @throws ServiceError `storage-unavailable`. */
  async read(): Promise<TagList> {
    const list = await readTagList(this.#tables);
    this.#learn(list);
    return list;
  }

  /**
   * Reads the list because the log has a later version than one that was used.
   *
   * @throws ServiceError `storage-corrupt` when the list is behind the log; `storage-unavailable`.
   */
  async catchUp({ version }: TagSet): Promise<void> {
    if (this.#known.version <= version) await this.read();
    if (this.#known.version > version) return;
    throw new ServiceError('storage-corrupt', 'The list of query tags is behind the change log.');
  }

  /**
   * Changes the list as it is by then; asked again when another process was faster.
   *
   * @param change - answers the tags as they shall be, or `undefined` when nothing is to change.
   * @throws what `change` throws; ServiceError `storage-unavailable`: the change may have happened.
   */
  async change(change: (list: TagList) => readonly ListedTag[] | undefined): Promise<TagList> {
    for (let attempt = 0; ; attempt++) {
      const row = await this.#tables.get('registry', queryTagsPartition, queryTagListKey);
      const list = decodeList(row);
      const tags = change(list);
      if (tags === undefined) return list;
      const isOther = !isSame(tagSetOf(list), tagSetOf({ ...list, tags }));
      const changed = { version: list.version + (isOther ? 1 : 0), tags };
      const { version } = changed;
      const properties = { version, ...encodeText('tags', JSON.stringify(tags)) };
      const outcome = await this.#tables.transact('registry', queryTagsPartition, [
        row === undefined
          ? { kind: 'insert', rowKey: queryTagListKey, properties }
          : { kind: 'replace', rowKey: queryTagListKey, properties, etag: row.etag },
      ]);
      if (outcome.committed) {
        this.#learn(changed);
        return changed;
      }
      await backOff(this.#runtime, attempt);
    }
  }

  #learn(list: TagList): void {
    if (list.version >= this.#known.version) this.#known = tagSetOf(list);
  }
}
