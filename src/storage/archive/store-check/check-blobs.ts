/** The third pass: blobs of studies that have no rows at all, and blobs of nobody. */
import { namedContainers, parseBlobName, studyPrefix } from './blob-path.js';
import type { CheckContext } from './check-context.js';
import { hasStudy } from './confirm-index-key.js';
import { placeOf, type Finding } from './finding.js';
import { judgeOrphan } from './judge-blobs.js';
import { blobsBelow } from './pages.js';

/** Blobs between two reports of progress. */
const reportEvery = 1000;

/** What is amiss among the blobs outside the studies of the catalog. */
export async function* checkBlobs(context: CheckContext): AsyncGenerator<Finding> {
  let done = 0;
  for (const container of namedContainers) {
    // Blobs of a study lie together.
    let known = { prefix: '', hasRows: true };
    for await (const { name } of blobsBelow(context.blobs, container)) {
      done += 1;
      if (done % reportEvery === 0) context.progress('blobs', done);
      const path = parseBlobName(container, name);
      if (path === undefined) {
        const where = placeOf(container, name);
        yield { kind: 'blob-unknown', where, detail: '', target: { kind: 'none' } };
        continue;
      }
      const orphan = judgeOrphan(context, container, name);
      if (orphan === undefined) continue;
      const prefix = studyPrefix(path.partition, path.study);
      if (prefix !== known.prefix) {
        known = { prefix, hasRows: await hasStudy(context, path.partition, path.study) };
      }
      // Those of studies with rows were judged with them.
      if (!known.hasRows) yield orphan;
    }
  }
  context.progress('blobs', done);
}
