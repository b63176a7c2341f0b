/**
 * Links that let whoever has one read one study or series, in the table `registry`: a row each, found by a
 * hash of the secret in the link. The secret itself is kept nowhere.
 */
import { createHash, randomBytes } from 'node:crypto';
import { BoundedCache } from '../bounded-cache.js';
import { parseUid, type SeriesInstanceUID, type StudyInstanceUID } from '../dicom/uid.js';
import type { Partition } from './archive/keys.js';
import { rowPages } from './row-pages.js';
import type { Entity, Properties, TableStore } from './table-store.js';

/** The longest that a link can be made for. */
export const mostShareDays = 90;
/** How long a process trusts what it has read of a link: a withdrawn one serves no longer than that. */
export const shareCacheMilliseconds = 5_000;
/** Links that a process remembers, those that do not exist among them. */
const mostRemembered = 2000;

/** The one study or series that a link lets its bearer read. */
export interface SharedResource {
  readonly study: StudyInstanceUID;
  /** The whole study when left out. */
  readonly series?: SeriesInstanceUID;
}

/** A link, without its secret. */
export interface Share extends SharedResource {
  readonly id: string;
  readonly partition: Partition;
  readonly created: Date;
  readonly expires: Date;
  /** Object id and client id of its maker, as far as the token told. */
  readonly createdBy: { readonly objectId?: string; readonly appId?: string };
}

const secretForm = /^share_[\w-]{43}$/;
const idForm = /^[\da-f]{32}$/;
const keyPrefix = 'shares|';

function keyOf(partition: Partition): string {
  return keyPrefix + partition;
}

function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The id under which a secret is known: the first half of its hash, which leads nobody back to it. */
function idOf(digest: string): string {
  return digest.slice(0, 32);
}

/** A link read from its row; `undefined` for a row that is none. */
function readRow(partition: Partition, { rowKey, properties }: Entity): Share | undefined {
  const study = parseUid<StudyInstanceUID>(String(properties['study']));
  const series = parseUid<SeriesInstanceUID>(String(properties['series'] ?? ''));
  // Of a whole study only where the row says so: one that cannot be read opens nothing.
  if (study === undefined) return undefined;
  if (properties['series'] !== undefined && series === undefined) return undefined;
  const { objectId, appId } = properties;
  return {
    id: rowKey,
    partition,
    study,
    ...(series !== undefined && { series }),
    created: new Date(Number(properties['created'])),
    expires: new Date(Number(properties['expires'])),
    createdBy: {
      ...(typeof objectId === 'string' && { objectId }),
      ...(typeof appId === 'string' && { appId }),
    },
  };
}

interface Known {
  readonly share: Share | undefined;
  readonly digest: string;
  readonly readAt: number;
}

export class ShareRegistry {
  readonly #tables: TableStore;
  readonly #now: () => number;
  /** By partition and id. */
  readonly #known = new BoundedCache<Known>(mostRemembered);

  /** @param now milliseconds of a clock. */
  constructor(tables: TableStore, now: () => number = Date.now) {
    this.#tables = tables;
    this.#now = now;
  }

  /**
   * Makes a link: one call.
   *
   * @param days that it works.
   * @returns the link, and its secret for the only time.
   * @throws ServiceError `storage-unavailable`.
   */
  async create(
    partition: Partition,
    { study, series }: SharedResource,
    days: number,
    createdBy: Share['createdBy'],
  ): Promise<{ readonly share: Share; readonly secret: string }> {
    const secret = `share_${randomBytes(32).toString('base64url')}`;
    const digest = digestOf(secret);
    const created = this.#now();
    const expires = created + days * 24 * 3600_000;
    const properties: Properties = {
      digest,
      study,
      ...(series !== undefined && { series }),
      created,
      expires,
      ...createdBy,
    };
    await this.#tables.transact('registry', keyOf(partition), [
      { kind: 'insert', rowKey: idOf(digest), properties },
    ]);
    const share: Share = {
      ...{ id: idOf(digest), partition, study, createdBy },
      ...(series !== undefined && { series }),
      created: new Date(created),
      expires: new Date(expires),
    };
    this.#known.delete(`${partition}|${share.id}`);
    return { share, secret };
  }

  /**
   * The link that has a secret and works now: a point read, unless this process has looked within the last
   * {@link shareCacheMilliseconds}.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async find(partition: Partition, secret: string): Promise<Share | undefined> {
    if (!secretForm.test(secret)) return undefined;
    const digest = digestOf(secret);
    const key = `${partition}|${idOf(digest)}`;
    let known = this.#known.get(key);
    if (known?.digest !== digest || this.#now() - known.readAt >= shareCacheMilliseconds) {
      const readAt = this.#now();
      const row = await this.#tables.get('registry', keyOf(partition), idOf(digest));
      known = {
        share: row?.properties['digest'] === digest ? readRow(partition, row) : undefined,
        digest,
        readAt,
      };
      this.#known.set(key, known, 1);
    }
    const { share } = known;
    return share !== undefined && this.#now() < share.expires.getTime() ? share : undefined;
  }

  /** The links of a partition that work, the newest first. @throws ServiceError `storage-unavailable`. */
  async list(partition: Partition): Promise<readonly Share[]> {
    const found: Share[] = [];
    for await (const { rows } of rowPages(this.#tables, 'registry', {
      partitionKey: keyOf(partition),
    })) {
      found.push(
        ...rows.map((row) => readRow(partition, row)).filter((share) => share !== undefined),
      );
    }
    return found
      .filter(({ expires }) => this.#now() < expires.getTime())
      .sort((one, other) => other.created.getTime() - one.created.getTime());
  }

  /**
   * Withdraws a link; other processes take it for up to {@link shareCacheMilliseconds}.
   *
   * @returns whether there was one.
   * @throws ServiceError `storage-unavailable`.
   */
  async withdraw(partition: Partition, id: string): Promise<boolean> {
    if (!idForm.test(id)) return false;
    const outcome = await this.#tables.transact('registry', keyOf(partition), [
      { kind: 'delete', rowKey: id },
    ]);
    this.#known.delete(`${partition}|${id}`);
    return outcome.committed;
  }

  /** Removes the rows of links that have expired, in the partitions named. @returns how many. */
  async sweep(partitions: readonly Partition[]): Promise<number> {
    let count = 0;
    for (const partition of partitions) {
      const range = { partitionKey: keyOf(partition) };
      for await (const { rows } of rowPages(this.#tables, 'registry', range)) {
        const over = rows.filter(({ properties }) => Number(properties['expires']) <= this.#now());
        for (const { rowKey } of over) if (await this.withdraw(partition, rowKey)) count += 1;
      }
    }
    return count;
  }
}
