/**
 * Azurite, the storage emulator, as a child process: the storage of the local server and of the
 * tests. It listens on loopback only and never outlives the process that started it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface AzuriteOptions {
  /** Where data is kept from run to run; in memory when left out. Created when absent. */
  readonly dataDir?: string;
  /** PEM files with which it speaks HTTPS; it then takes tokens of Entra ID as well as its key. */
  readonly tls?: { readonly certificateFile: string; readonly keyFile: string };
}

export interface Azurite {
  readonly connectionString: string;
  readonly blobUrl: string;
  readonly queueUrl: string;
  readonly tableUrl: string;
  /** The process of the emulator. */
  readonly pid: number;
  /** Ends the emulator; resolves when its data is on disk and the process is gone. */
  stop(): Promise<void>;
}

const host = '127.0.0.1';
/** The account and key that every Azurite has; published by its makers, and no secret. */
const account = 'devstoreaccount1';
const accountKey =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';

const attempts = 5;
const startSeconds = 60;
/** Tables start last, so this line means that everything listens. */
const ready = 'Table service is successfully listening';

/** Flushing an archive of a million rows takes a while; only after this is the emulator killed. */
const stopSeconds = 120;

/**
 * Runs inside the emulator, before it: when the channel to the parent closes, because it is asked to
 * stop or because the parent is gone, even by SIGKILL, it ends as on SIGTERM, flushing its data. Nobody
 * hears it then, and what it says into the closed pipe must not end it before that.
 */
const leash = `
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
    process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));`;

/**
 * Runs there too. LokiJS, in which Azurite keeps its rows, sorts its indexes anew whenever
 * `findAndRemove` is called, even for one row, which takes milliseconds among thousands. Azurite's
 * sweep of unused blobs, every ten minutes, removes thousands one by one and answers nobody for half
 * a minute meanwhile. `remove` takes one row out of the sorted indexes.
 */
function removeOneAtATime(script: string): string {
  return `
    import { createRequire } from 'node:module';
    const { prototype } = createRequire(${JSON.stringify(script)})('lokijs').Collection;
    const { removeBatchByPositions } = prototype;
    prototype.removeBatchByPositions = function (positions) {
      if (positions.length > 1) return removeBatchByPositions.call(this, positions);
      if (positions.length === 1) this.remove(this.data[positions[0]]);
    };`;
}

/**
 * Nor does it load there what it never uses here: telemetry, and its store in SQL databases. Both come to a third of its start.
 */
function leaveOut(script: string): string {
  return `
    import Module from 'node:module';
    const unused = { applicationinsights: {}, sequelize: { Model: class {} } };
    for (const [name, exports] of Object.entries(unused)) {
      const file = createRequire(${JSON.stringify(script)}).resolve(name);
      Module._cache[file] = Object.assign(new Module(file), { filename: file, loaded: true, exports });
    }
    Module.enableCompileCache?.();`;
}

/**
 * And there, too. Azurite looks at every row of a table for a range of one partition, and through a whole
 * partition for one row, so that ten thousand studies are a hundred times slower in it than a hundred. This
 * reads tables in the order of their keys; what is stored and answered stays as it is
 * (docs/decisions/0017-azurite-reads-in-order.md).
 */
function readTablesInOrder(script: string): string {
  return `
    {
      const load = createRequire(${JSON.stringify(script)});
      const { prototype: collections } = load('lokijs').Collection;
      const { prototype: store } = load('./table/persistence/LokiTableMetadataStore.js').default;

      // The rows of each partition by RowKey, of every table that has been asked for some.
      const tables = new WeakMap();

      const placeOf = (rows, rowKey) => {
        let [low, high] = [0, rows.length];
        while (low < high) {
          const middle = (low + high) >>> 1;
          if (rows[middle].RowKey < rowKey) low = middle + 1;
          else high = middle;
        }
        return low;
      };

      class OrderedTable {
        partitions = new Map();
        size = 0;

        constructor(collection) {
          for (const row of collection.data) this.rowsOf(row.PartitionKey).push(row);
          for (const rows of this.partitions.values()) {
            rows.sort((a, b) => (a.RowKey < b.RowKey ? -1 : 1));
          }
          this.size = collection.data.length;
          collection.on('insert', (row) => this.put(row));
          collection.on('update', (row) => this.put(row));
          collection.on('delete', (row) => this.remove(row));
        }

        rowsOf(partitionKey) {
          const known = this.partitions.get(partitionKey);
          if (known !== undefined) return known;
          const rows = [];
          this.partitions.set(partitionKey, rows);
          return rows;
        }

        put(row) {
          const rows = this.rowsOf(row.PartitionKey);
          const place = placeOf(rows, row.RowKey);
          if (rows[place]?.RowKey === row.RowKey) rows[place] = row;
          else {
            rows.splice(place, 0, row);
            this.size++;
          }
        }

        remove({ PartitionKey, RowKey }) {
          const rows = this.partitions.get(PartitionKey) ?? [];
          const place = placeOf(rows, RowKey);
          if (rows[place]?.RowKey !== RowKey) return;
          rows.splice(place, 1);
          this.size--;
          if (rows.length === 0) this.partitions.delete(PartitionKey);
        }

        get(partitionKey, rowKey) {
          const rows = this.partitions.get(partitionKey) ?? [];
          const row = rows[placeOf(rows, rowKey)];
          return row?.RowKey === rowKey ? row : null;
        }

        range(partitionKey, from, to, most) {
          const rows = this.partitions.get(partitionKey) ?? [];
          const start = from === undefined ? 0 : placeOf(rows, from);
          const end = to === undefined ? rows.length : placeOf(rows, to);
          return rows.slice(start, Math.max(start, Math.min(end, start + most)));
        }
      }

      const orderOf = (collection) => {
        const known = tables.get(collection);
        // Whatever changed the rows without a word is seen by their number.
        if (known !== undefined && known.size === collection.data.length) return known;
        const ordered = new OrderedTable(collection);
        tables.set(collection, ordered);
        return ordered;
      };

      const { findOne } = collections;
      collections.findOne = function (query) {
        const names = Object.keys(query ?? {});
        const { PartitionKey, RowKey } = query ?? {};
        const isOfRow =
          names.length === 2 && typeof PartitionKey === 'string' && typeof RowKey === 'string';
        return isOfRow ? orderOf(this).get(PartitionKey, RowKey) : findOne.call(this, query);
      };

      const text = "'((?:[^']|'')*)'";
      const range = new RegExp(
        '^PartitionKey eq ' + text + '(?: and RowKey ge ' + text + ')?(?: and RowKey lt ' + text + ')?$',
      );
      const plain = (quoted) => quoted?.replaceAll("''", "'");

      const { queryTableEntities } = store;
      store.queryTableEntities = async function (context, account, table, options, ...next) {
        const [, partition, from, to] = range.exec(options.filter ?? '') ?? [];
        if (partition === undefined) {
          return await queryTableEntities.call(this, context, account, table, options, ...next);
        }
        const [nextPartition, nextRow] = next.map((one) => this.decodeContinuationHeader(one));
        const partitionKey = plain(partition);
        const most = this.getMaxResultsOption(options);
        const isPast = nextPartition !== undefined && nextPartition > partitionKey;
        const start = nextRow !== undefined && nextRow > (plain(from) ?? '') ? nextRow : plain(from);
        const rows = isPast
          ? []
          : orderOf(this.getEntityCollection(account, table, context)).range(
              partitionKey,
              start,
              plain(to),
              most + 1,
            );
        const { nextPartitionKeyResponse, nextRowKeyResponse } = this.adjustQueryResultforTop(rows, most);
        return [rows, nextPartitionKeyResponse, nextRowKeyResponse];
      };
    }`;
}

/**
 * URL of an ES module for the emulator to import before it begins.
 *
 * @param script path of Azurite's main script, whose packages are meant.
 */
export function azuritePreload(script: string): string {
  const source = leash + removeOneAtATime(script) + leaveOut(script) + readTablesInOrder(script);
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/**
 * Path of Azurite's main script.
 *
 * @throws Error when the package is not installed.
 */
export function azuriteScript(): string {
  try {
    return path.join(path.dirname(require.resolve('azurite/package.json')), 'dist/src/azurite.js');
  } catch (cause) {
    throw new Error(
      'Azurite is not installed. It is a development dependency: run "npm install" without --omit=dev, or set a storage account.',
      { cause },
    );
  }
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, host, resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return ports;
}

/** Resolves when everything listens; rejects with what the emulator said when it ends before. */
async function untilReady(child: ChildProcess): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      fail(`did not start within ${startSeconds} s`);
    }, startSeconds * 1000);
    const fail = (why: string) => {
      clearTimeout(timer);
      reject(new Error(`Azurite ${why}: ${output.slice(-2000)}`));
    };
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (!output.includes(ready)) return;
      clearTimeout(timer);
      child.stdout?.off('data', read).resume();
      child.stderr?.off('data', read).resume();
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('error', (error) => {
      fail(error.message);
    });
    // Not on 'exit': what it said last may not have arrived then.
    child.once('close', () => {
      fail('ended');
    });
  });
}

function launch(
  script: string,
  ports: readonly number[],
  dataDir: string | undefined,
  tls: AzuriteOptions['tls'],
) {
  const [blobPort, queuePort, tablePort] = ports;
  // Either variable would give the emulator other accounts or another store.
  const env = { ...process.env, AZURITE_ACCOUNTS: undefined, AZURITE_DB: undefined };
  return spawn(
    process.execPath,
    [
      '--import',
      azuritePreload(script),
      script,
      ...(dataDir === undefined ? ['--inMemoryPersistence'] : ['--location', dataDir]),
      ...(tls === undefined
        ? []
        : ['--oauth', 'basic', '--cert', tls.certificateFile, '--key', tls.keyFile]),
      '--skipApiVersionCheck',
      '--silent',
      '--disableTelemetry',
      ...['--blobHost', host, '--blobPort', String(blobPort)],
      ...['--queueHost', host, '--queuePort', String(queuePort)],
      ...['--tableHost', host, '--tablePort', String(tablePort)],
    ],
    // Detached: a process group of its own, so that Ctrl-C in the terminal is ours to handle.
    { cwd: tmpdir(), env, detached: true, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
}

/** Lets our process end while the emulator runs; the emulator then ends as well. */
function unref(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref();
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const exit = once(child, 'exit');
  const timer = setTimeout(() => child.kill('SIGKILL'), stopSeconds * 1000);
  if (child.connected) child.disconnect();
  await exit;
  clearTimeout(timer);
}

/**
 * Starts Azurite on free ports of the loopback interface and waits until it answers.
 *
 * @throws Error when the package is not installed, as in a production install, or does not start.
 */
export async function startAzurite(options: AzuriteOptions = {}): Promise<Azurite> {
  const script = azuriteScript();
  const dataDir = options.dataDir === undefined ? undefined : path.resolve(options.dataDir);
  if (dataDir !== undefined) await mkdir(dataDir, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const ports = await freePorts(3);
    const child = launch(script, ports, dataDir, options.tls);
    try {
      await untilReady(child);
    } catch (error) {
      child.kill('SIGKILL');
      // Someone else took one of the ports in between.
      if (attempt < attempts && String(error).includes('EADDRINUSE')) continue;
      throw error;
    }
    unref(child);
    const [blobPort, queuePort, tablePort] = ports;
    const scheme = options.tls === undefined ? 'http' : 'https';
    const blobUrl = `${scheme}://${host}:${String(blobPort)}/${account}`;
    const queueUrl = `${scheme}://${host}:${String(queuePort)}/${account}`;
    const tableUrl = `${scheme}://${host}:${String(tablePort)}/${account}`;
    return {
      connectionString: [
        `DefaultEndpointsProtocol=${scheme}`,
        `AccountName=${account}`,
        `AccountKey=${accountKey}`,
        `BlobEndpoint=${blobUrl}`,
        `QueueEndpoint=${queueUrl}`,
        `TableEndpoint=${tableUrl}`,
        '',
      ].join(';'),
      blobUrl,
      queueUrl,
      tableUrl,
      pid: child.pid ?? -1,
      stop: async () => {
        await stop(child);
      },
    };
  }
}
