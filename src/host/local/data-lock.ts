/**
 * One server at a time on a data directory: two emulators on one directory lose what was acknowledged.
 * The lock is a file that names the processes that hold it; it is stale when none of them lives.
 */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  constants,
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { SettingError } from '../settings.js';

const fileName = 'dicomweb.lock';
const pollMs = 100;

/** A process, told from a later one that has its number. */
interface Holder {
  readonly pid: number;
  /** As the system spells it; empty where it does not say. */
  readonly started: string;
}

interface Lock {
  readonly server: Holder;
  /** The emulator, which ends a moment after a server that was killed. */
  readonly emulator?: Holder;
}

export interface DataLock {
  /** Notes the process that writes to the directory. */
  noteEmulator(pid: number): Promise<void>;
  release(): Promise<void>;
}

/** When a process was started; `undefined` when there is none. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      // Behind the name, which may hold spaces: the state is the third field, the start the 22nd.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : (fields[19] ?? '');
    }
    process.kill(pid, 0);
    if (process.platform === 'win32') return '';
    const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim();
  } catch (error) {
    // The process is somebody else's.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? '' : undefined;
  }
}

async function holderOf(pid: number): Promise<Holder> {
  return { pid, started: (await startOf(pid)) ?? '' };
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  return (await startOf(pid)) === started;
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    'pid' in value &&
    typeof value.pid === 'number' &&
    'started' in value &&
    typeof value.started === 'string'
  );
}

/** `undefined` when there is no lock; a file that makes no sense is one of nobody. */
async function readLock(file: string): Promise<Lock | 'nobody' | undefined> {
  try {
    const value = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    const { server, emulator } = value;
    if (!isHolder(server)) return 'nobody';
    return isHolder(emulator) ? { server, emulator } : { server };
  } catch (error) {
    if (error instanceof SyntaxError) return 'nobody';
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What the file system says of the directory, in words that name the setting. */
function unusable(directory: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const wayOut = 'Name a folder that can be written: DICOMWEB_DATA_DIR=~/dicom-archive npm start';
  const setting = `The setting DICOMWEB_DATA_DIR names ${directory}`;
  switch (code) {
    case 'EEXIST':
    case 'ENOTDIR':
      return new SettingError(`${setting}, which is a file or in one. ${wayOut}`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SettingError(`${setting}, which cannot be written (${code}). ${wayOut}`);
    default:
      return error;
  }
}

/** Writes a lock beside its place, so that it is whole wherever it appears; `put` says where that is. */
async function writeWhole(
  file: string,
  lock: Lock,
  put: (whole: string) => Promise<void>,
): Promise<void> {
  const whole = `${file}.${randomUUID()}`;
  try {
    await writeFile(whole, JSON.stringify(lock), { flag: 'wx' });
    await put(whole);
  } finally {
    await rm(whole, { force: true });
  }
}

/** Takes the file; `false` when somebody has it. */
async function take(file: string, lock: Lock): Promise<boolean> {
  try {
    await writeWhole(file, lock, async (whole) => {
      // Of all that copy or rename a file, only this one leaves alone what is there, on every system; FAT has no links.
      await link(whole, file).catch(async (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
        await copyFile(whole, file, constants.COPYFILE_EXCL);
      });
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a stale lock. Only who has a lock on that does it, and looks again before: a lock that another has taken
 * meanwhile is not removed. Who has died at it is passed over; two who see that at once are not told apart.
 */
async function removeStale(file: string, stale: Lock | 'nobody', server: Holder): Promise<void> {
  const taking = `${file}.taking`;
  if (!(await take(taking, { server }))) {
    const other = await readLock(taking);
    if (other === undefined) return;
    if (other === 'nobody' || !(await isAlive(other.server))) await rm(taking, { force: true });
    else await sleep(pollMs);
    return;
  }
  try {
    const found = await readLock(file);
    if (JSON.stringify(found) === JSON.stringify(stale)) await rm(file, { force: true });
  } finally {
    await rm(taking, { force: true });
  }
}

/**
 * Takes the lock of a data directory, which is made when it is not there. Waits for an emulator whose
 * server was killed.
 *
 * @param waitMs how long to wait for such an emulator.
 * @throws SettingError when another server has the directory, or when it cannot be used.
 */
export async function lockDataDirectory(directory: string, waitMs = 130_000): Promise<DataLock> {
  const file = path.join(path.resolve(directory), fileName);
  const server = await holderOf(process.pid);
  try {
    await mkdir(directory, { recursive: true });
    for (let waited = 0; !(await take(file, { server })); waited += pollMs) {
      const lock = await readLock(file);
      if (lock === undefined) continue;
      // Without links it may be about to be written: only one that goes on making no sense is nobody's.
      if (lock === 'nobody' && waited === 0) {
        await sleep(pollMs);
        continue;
      }
      if (lock !== 'nobody') {
        const isServed = await isAlive(lock.server);
        const isWritten = lock.emulator !== undefined && (await isAlive(lock.emulator));
        if (isServed || (isWritten && waited >= waitMs)) {
          const pid = isServed ? lock.server.pid : lock.emulator?.pid;
          throw new SettingError(
            `The data in ${directory} is in use by another server, process ${String(pid)}. Stop that one, or run beside it with data of your own: PORT=7072 DICOMWEB_DATA_DIR=.azurite-7072 npm start`,
          );
        }
        if (isWritten) {
          await sleep(pollMs);
          continue;
        }
      }
      await removeStale(file, lock, server);
    }
  } catch (error) {
    throw unusable(directory, error);
  }
  return {
    noteEmulator: async (pid) => {
      const lock = { server, emulator: await holderOf(pid) };
      await writeWhole(file, lock, async (whole) => {
        await rename(whole, file);
      });
    },
    release: async () => {
      await rm(file, { force: true });
    },
  };
}
