/** How the import stands: how many files wait, and which were refused, with their reports. */
import { jsonReply } from '../../http/reply.js';
import { listPageBlobs, type BlobStore, type ContainerName } from '../../storage/blob-store.js';
import { readJsonBlob } from '../json-blob.js';
import { jsonOffers } from '../negotiation.js';
import { answering } from '../route.js';
import { reportName, type ImportReport } from './import-report.js';

/** Refused files that are told of one by one. */
export const mostToldOf = 100;

/** One page: of more files than that it is told that they are at least so many. */
async function filesIn(store: BlobStore, container: ContainerName) {
  const { blobs, continuation } = await store.list(container, { limit: listPageBlobs });
  return { blobs, count: blobs.length, isAtLeast: continuation !== undefined };
}

/** The report on a refused file; its name and length where that is gone. */
async function reportOn(
  blobs: BlobStore,
  file: Pick<ImportReport, 'name' | 'bytes'>,
): Promise<Partial<ImportReport>> {
  const report = await readJsonBlob<ImportReport>(blobs, 'import-reports', reportName(file.name));
  return report?.outcome === 'refused' ? report : file;
}

/**
 * `GET imports`: how many files are in the container `import` and in `import-refused`, and the reports on the first
 * {@link mostToldOf} of the latter, in order of their names. Two calls, and one for each report.
 *
 * @throws ServiceError `storage-unavailable`.
 */
export const listImports = answering({ answers: jsonOffers }, async ({ services }) => {
  const { blobs } = services.archive;
  const [waiting, refused] = await Promise.all([
    filesIn(blobs, 'import'),
    filesIn(blobs, 'import-refused'),
  ]);
  const told = refused.blobs.slice(0, mostToldOf);
  const reports = await Promise.all(
    told.map(async ({ name, length }) => await reportOn(blobs, { name, bytes: length })),
  );
  return jsonReply(
    {
      waiting: { count: waiting.count, isAtLeast: waiting.isAtLeast },
      refused: { count: refused.count, isAtLeast: refused.isAtLeast, files: reports },
    },
    { headers: { 'Cache-Control': 'no-store' } },
  );
});
