/** Remembers, from run to run, how far a migration has come: one JSON line for each thing done. */
import { open, readFile } from 'node:fs/promises';
import { nameOf, type PlacedInstance } from './addresses.js';
import type { Position } from './feed.js';

/** An instance as of a change of the feed; 0 where there is none. */
export interface Dated extends PlacedInstance {
  readonly sequence: number;
}

/** The journal was written for other services; shown as it is. */
export class OtherJournal extends Error {
  override readonly name = 'OtherJournal';
}

export interface MigrationJournal {
  /** Where the feed is read on. */
  readonly position: Position | undefined;
  /** Those that failed in earlier runs, and have not been done since. */
  failed(): readonly Dated[];
  /** The change as of which an instance was copied; `undefined` when it was not, or was deleted since. */
  copied(instance: PlacedInstance): number | undefined;
  note(what: 'copied' | 'deleted' | 'failed', instances: readonly Dated[]): Promise<void>;
  moveTo(position: Position): Promise<void>;
  close(): Promise<void>;
}

type Line =
  | readonly ['migration', string, string]
  | readonly ['copied' | 'deleted' | 'failed', Dated]
  | readonly ['position', Position];

async function linesOf(path: string): Promise<readonly Line[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line];
    } catch {
      // It broke off when a run died: what it told of is done again.
      return [];
    }
  });
}

/**
 * Opens the journal of a migration, or begins one.
 *
 * @throws OtherJournal when it is of a migration between other services.
 */
export async function openMigrationJournal(
  path: string,
  from: string,
  to: string,
): Promise<MigrationJournal> {
  const lines = await linesOf(path);
  const copied = new Map<string, number>();
  const failed = new Map<string, Dated>();
  let position: Position | undefined;
  const take = (line: Line): void => {
    switch (line[0]) {
      case 'migration':
        if (line[1] === from && line[2] === to) return;
        throw new OtherJournal(
          `${path} is the journal of a migration from ${line[1]} to ${line[2]}.`,
        );
      case 'position':
        position = line[1];
        return;
      case 'failed':
        failed.set(nameOf(line[1]), line[1]);
        return;
      case 'copied':
        failed.delete(nameOf(line[1]));
        copied.set(nameOf(line[1]), line[1].sequence);
        return;
      case 'deleted':
        failed.delete(nameOf(line[1]));
        copied.delete(nameOf(line[1]));
    }
  };
  for (const line of lines) take(line);
  const handle = await open(path, 'a');
  const write = async (added: readonly Line[]): Promise<void> => {
    for (const line of added) take(line);
    await handle.appendFile(added.map((line) => `${JSON.stringify(line)}\n`).join(''));
  };
  // Begins on a line of its own, whatever came before.
  await handle.appendFile(lines.length === 0 ? '' : '\n');
  if (lines.length === 0) await write([['migration', from, to]]);
  return {
    get position() {
      return position;
    },
    failed: () => [...failed.values()],
    copied: (instance) => copied.get(nameOf(instance)),
    note: async (what, instances) => {
      if (instances.length === 0) return;
      await write(
        instances.map(({ partition, study, series, instance, sequence }) => [
          what,
          { ...(partition !== undefined && { partition }), study, series, instance, sequence },
        ]),
      );
    },
    moveTo: async (to) => {
      await write([['position', to]]);
    },
    close: async () => {
      await handle.close();
    },
  };
}
