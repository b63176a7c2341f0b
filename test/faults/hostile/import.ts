/** Delivers messages of the import queue that name files they must not reach. */
import type { Services } from '../../../src/dicomweb/services.js';
import { runImport } from '../../../src/host/jobs/import-job.js';
import type { DeliverImport } from './case.js';

/** What every import leaves behind, whatever became of its file. */
const traces = ['import-reports', 'import-refused'] as const;

/**
 * Runs the import job on a message, over stores whose container `import` is empty: any file that it
 * reads is one that it must not. `{blob}` becomes the name of a file that is archived at that moment.
 */
export function importingWith(services: () => Promise<Services>): DeliverImport {
  return async (message) => {
    const { blobs } = (await services()).archive;
    const [archived] = (await blobs.list('instances', { limit: 1 })).blobs;
    const named = message.replaceAll('{blob}', archived?.name ?? 'none');
    let refusal: Error | undefined;
    try {
      await runImport(services, () => undefined, named, { keepFiles: false });
    } catch (error) {
      refusal = error instanceof Error ? error : new Error('not an error');
    }
    for (const container of traces) {
      const { blobs: left } = await blobs.list(container, { limit: 1 });
      if (left.length > 0) return { harm: `imported what ${named} leads to` };
    }
    if (refusal === undefined) return 'nothing';
    if (refusal instanceof TypeError || refusal instanceof RangeError) return 'refused';
    return { harm: `failed on ${named}: ${refusal.message}` };
  };
}
