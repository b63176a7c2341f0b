/** What the stores must hold after hostile requests: what was acknowledged, and nothing else. */
import { parseCatalogRowKey } from '../../../src/storage/archive/keys.js';
import type { BlobStore } from '../../../src/storage/blob-store.js';
import type { TableStore } from '../../../src/storage/table-store.js';
import type { RunReport } from './run.js';

export interface Stores {
  readonly tables: TableStore;
  readonly blobs: BlobStore;
}

/** `study/series/instance` of every instance row. */
async function instancesIn({ tables }: Stores): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let continuation: string | undefined;
  do {
    const page = await tables.scan('catalog', {
      select: ['version'],
      ...(continuation !== undefined && { continuation }),
    });
    for (const { partitionKey, rowKey } of page.entities) {
      const key = parseCatalogRowKey(rowKey);
      if (key.level !== 'instance') continue;
      found.add([partitionKey.split('|')[1], key.series, key.instance].join('/'));
    }
    continuation = page.continuation;
  } while (continuation !== undefined);
  return found;
}

/** `study/series/instance` of every blob; more than one of an instance show as such. */
async function blobsIn({ blobs }: Stores): Promise<readonly string[]> {
  const found: string[] = [];
  for (const container of ['instances', 'derived'] as const) {
    let continuation: string | undefined;
    do {
      const page = await blobs.list(container, continuation === undefined ? {} : { continuation });
      found.push(
        ...page.blobs.map(({ name }) => `${container}:${name.split('/').slice(2, 5).join('/')}`),
      );
      continuation = page.continuation;
    } while (continuation !== undefined);
  }
  return found;
}

/** What does not fit, in words; to be asked for when the service has come to rest. */
export async function findingsIn(
  stores: Stores,
  { acknowledged, unanswered }: Pick<RunReport, 'acknowledged' | 'unanswered'>,
): Promise<readonly string[]> {
  const rows = await instancesIn(stores);
  const files = await blobsIn(stores);
  const times = new Map<string, number>();
  for (const file of files) times.set(file, (times.get(file) ?? 0) + 1);
  return [
    ...[...acknowledged].filter((one) => !rows.has(one)).map((one) => `acknowledged, gone: ${one}`),
    ...[...rows]
      .filter((one) => !acknowledged.has(one) && !unanswered.has(one))
      .map((one) => `never acknowledged: ${one}`),
    ...[...rows].filter((one) => !times.has(`instances:${one}`)).map((one) => `no file: ${one}`),
    ...[...times]
      .filter(([file, count]) => count > 1 || !rows.has(file.slice(file.indexOf(':') + 1)))
      .map(([file, count]) => `${count} blobs of ${file}`),
  ];
}
