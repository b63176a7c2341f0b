/** The worker for large headers, from its source. */
import path from 'node:path';
import { Worker, type ResourceLimits } from 'node:worker_threads';

const runner = path.join(__dirname, '../run-typescript.mjs');
const argv = [path.join(__dirname, '../../../src/host/workers/header-worker.ts')];

/** What `startHeaderWorker` does for the build. */
export function startHeaderWorkerFromSource(resourceLimits: ResourceLimits): Worker {
  return new Worker(runner, { argv, resourceLimits });
}
