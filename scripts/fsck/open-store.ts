/** Opens the store that the local server would open, and makes sure that it is not in use. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { startAzurite } from '../../src/host/local/azurite.js';
import { loadConfig, type StorageSettings } from '../../src/host/config.js';
import { describeStorage } from '../../src/host/local/local-host.js';
import { openServices } from '../../src/host/composition.js';
import type { Archive } from '../../src/storage/archive/archive.js';

/** Why a store cannot be opened, for the one who asked. */
export class StoreNotOpened extends Error {
  override readonly name = 'StoreNotOpened';
}

export interface OpenedStore {
  readonly archive: Archive;
  /** Where the data is, in words, without secrets. */
  readonly where: string;
  close(): Promise<void>;
}

/** Takes the port of the local server, which is how that keeps a second one from its data. */
async function takePort(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((listening, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', listening);
  });
  return server;
}

/**
 * Whether an Azurite of this machine works on a folder: two on one folder would spoil it. The local
 * server may run on another port than ours, so the list of processes is asked as well, where there is
 * one.
 */
async function isServed(dataDirectory: string): Promise<boolean> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args'], {
      maxBuffer: 64 * 1024 * 1024,
    });
    return stdout.includes(` --location ${resolve(dataDirectory)} `);
  } catch {
    return false;
  }
}

function inUse(what: string): StoreNotOpened {
  return new StoreNotOpened(
    `${what}. Stop the local server and try again; or name the storage account to be checked with DicomStorage.`,
  );
}

/**
 * Opens the storage account that the settings name, in use or not; without one, the data directory of
 * the local server, which must not be running.
 *
 * @throws StoreNotOpened, SettingError.
 */
export async function openStore(): Promise<OpenedStore> {
  const config = loadConfig();
  const where = describeStorage(config);
  const open = async (settings: StorageSettings, stop: () => Promise<void>) => {
    try {
      const { archive } = await openServices(settings, config);
      return {
        archive,
        where,
        close: async () => {
          await archive.close();
          await stop();
        },
      };
    } catch (error) {
      await stop();
      throw error;
    }
  };
  if (config.storage !== undefined) return await open(config.storage, () => Promise.resolve());

  const { dataDirectory, port } = config;
  if (!existsSync(dataDirectory)) {
    throw new StoreNotOpened(
      `There is no store: ${dataDirectory} does not exist. Name a storage account with DicomStorage, or another folder with DICOMWEB_DATA_DIR.`,
    );
  }
  if (await isServed(dataDirectory)) throw inUse(`An Azurite is running on ${dataDirectory}`);
  let guard: Server;
  try {
    guard = await takePort(port);
  } catch {
    throw inUse(`Port ${port} is in use, it seems by the local server`);
  }
  try {
    const azurite = await startAzurite({ dataDir: dataDirectory });
    const { connectionString } = azurite;
    return await open({ kind: 'connection-string', connectionString }, async () => {
      await azurite.stop();
      guard.close();
    });
  } catch (error) {
    guard.close();
    throw error;
  }
}
