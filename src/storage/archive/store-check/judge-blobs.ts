/** Whether a study has the blobs that its rows name, and no others. */
import type { ContainerName } from '../../blob-store.js';
import { blobName, type BlobExtension } from '../blob-name.js';
import { timeOf } from '../ulid.js';
import { namedContainers, parseBlobName, studyPrefix } from './blob-path.js';
import type { CheckContext } from './check-context.js';
import { placeOf, type Finding } from './finding.js';
import { blobsBelow } from './pages.js';
import type { CheckedInstance, CheckedStudy } from './checked-study.js';

interface WantedBlob {
  readonly container: ContainerName;
  readonly name: string;
  /** What it must be long, where that is known. */
  readonly length?: number;
}

/** The blobs that an instance row names. */
export function wantedBlobs(
  partition: CheckedStudy['partition'],
  instance: CheckedInstance,
): readonly WantedBlob[] {
  const name = (extension: BlobExtension) =>
    blobName(partition, instance, instance.version, extension);
  return [
    { container: 'instances', name: name('dcm'), length: instance.length },
    ...(instance.metadataInBlob
      ? [{ container: 'derived', name: name('metadata.json.gz') } as const]
      : []),
    ...(instance.indexInBlob
      ? [{ container: 'derived', name: name('index.json.gz') } as const]
      : []),
  ];
}

/** Compares the blobs of a study with its rows, both ways. */
export async function judgeBlobs(
  context: CheckContext,
  rows: CheckedStudy,
): Promise<readonly Finding[]> {
  const { partition, study } = rows;
  const found: Finding[] = [];
  const wanted = new Map(
    [...rows.instances, ...rows.originals].flatMap((instance) =>
      wantedBlobs(partition, instance).map((blob) => [
        `${blob.container}/${blob.name}`,
        { instance, blob },
      ]),
    ),
  );
  for (const container of namedContainers) {
    const prefix = studyPrefix(partition, study);
    for await (const { name, length } of blobsBelow(context.blobs, container, prefix)) {
      const key = `${container}/${name}`;
      const match = wanted.get(key);
      wanted.delete(key);
      if (match === undefined) {
        const orphan = judgeOrphan(context, container, name);
        if (orphan !== undefined) found.push(orphan);
      } else if (match.blob.length !== undefined && match.blob.length !== length) {
        found.push({
          kind: 'blob-length-wrong',
          where: placeOf(container, name),
          detail: `${length} bytes, not ${match.blob.length}`,
          target: { kind: 'none' },
        });
      }
    }
  }
  for (const { instance, blob } of wanted.values()) {
    found.push({
      kind: 'blob-missing',
      where: placeOf(partition, study, instance.series, instance.instance),
      detail: placeOf(blob.container, blob.name),
      target: { kind: 'none' },
    });
  }
  return found;
}

/** A blob that no row names is an orphan once nobody can be about to commit it any more. */
export function judgeOrphan(
  { now, blobAge }: CheckContext,
  container: ContainerName,
  name: string,
): Finding | undefined {
  const path = parseBlobName(container, name);
  // Those are found once, when the whole container is listed.
  if (path === undefined || now() - timeOf(path.version) < blobAge) return undefined;
  const target = { kind: 'blob', container, name } as const;
  return { kind: 'blob-orphaned', where: placeOf(container, name), detail: '', target };
}
