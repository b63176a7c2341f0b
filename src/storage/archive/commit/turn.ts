/**
 * Turns of the writers of a crowded study: a row in the table `registry` that one of them gets in at a time. It saves
 * attempts that would be in vain, and proves nothing: row `0` judges, whoever has the turn.
 */
import type { StudyInstanceUID } from '../../../dicom/uid.js';
import { ServiceError } from '../../../errors.js';
import type { TableOperation, TableStore } from '../../table-store.js';
import type { Runtime } from '../../runtime.js';
import type { Background } from '../background.js';
import { turnPartitionKey, turnRowKey, type Partition } from '../keys.js';

interface TurnParts {
  readonly tables: TableStore;
  readonly runtime: Runtime;
  readonly background: Background;
}

/** Milliseconds between two tries, at most: as long as an attempt takes here, within these. */
const pauses = { shortest: 50, longest: 2000 } as const;
/**
 * Milliseconds after which whoever waits looks who has the turn: from one who has it at two looks it is taken. He is dead,
 * or so slow that to race him costs less than to wait.
 */
const lookEvery = 2500;

export class Turn {
  readonly #parts: TurnParts;
  readonly #partitionKey: string;
  #isMine = false;

  constructor(parts: TurnParts, partition: Partition, study: StudyInstanceUID) {
    this.#parts = parts;
    this.#partitionKey = turnPartitionKey(partition, study);
  }

  /**
   * Resolves when this process has the turn. Before each try it waits for a random part of what an attempt takes: so who
   * has just had the turn leaves it to others.
   *
   * @param attempt - milliseconds that an attempt takes here.
   * @returns whether another process had it.
   */
  async take(attempt: number): Promise<boolean> {
    const { runtime, tables } = this.#parts;
    const most = Math.min(Math.max(attempt, pauses.shortest), pauses.longest);
    let seen: string | undefined;
    let looked = tables.now();
    let hasWaited = false;
    while (!this.#isMine) {
      await runtime.sleep(runtime.random() * most);
      let kind: 'insert' | 'upsert' = 'insert';
      if (tables.now() - looked >= lookEvery) {
        const whose = await this.#whose();
        if (whose === seen) kind = 'upsert';
        seen = whose;
        looked = tables.now();
      }
      this.#isMine = await this.#send({ kind, rowKey: turnRowKey, properties: {} });
      hasWaited ||= !this.#isMine;
    }
    return hasWaited;
  }

  /** Tells one turn from another, by the ETag; `undefined` when it is free, or storage does not say. */
  async #whose(): Promise<string | undefined> {
    try {
      return (await this.#parts.tables.get('registry', this.#partitionKey, turnRowKey))?.etag;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return undefined;
    }
  }

  /** Leaves the turn to others. */
  end(): void {
    if (!this.#isMine) return;
    this.#isMine = false;
    this.#parts.background.run(this.#send({ kind: 'delete', rowKey: turnRowKey }));
  }

  /** Whether an operation was carried out, or may have been. */
  async #send(operation: TableOperation): Promise<boolean> {
    try {
      const { tables } = this.#parts;
      return (await tables.transact('registry', this.#partitionKey, [operation])).committed;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return true;
    }
  }
}
