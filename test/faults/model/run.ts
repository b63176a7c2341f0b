/** Runs random commands against the service and its model, and shrinks what does not agree. */
import fc from 'fast-check';
import { anyCommand } from './commands.js';
import { ModelledService } from './service.js';
import { StoreModel } from './store.js';

export interface ModelRun {
  readonly runs: number;
  readonly seed?: number;
  /** Of a failure that fast-check has reported. */
  readonly path?: string;
}

/** @throws Error with the shortest series of commands after which service and model differ. */
export async function runModel({ runs, seed, path }: ModelRun): Promise<void> {
  const commands = fc.commands([...anyCommand], { maxCommands: 30, size: 'max' });
  await fc.assert(
    fc.asyncProperty(commands, async (some) => {
      const service = new ModelledService();
      await fc.asyncModelRun(() => ({ model: new StoreModel(), real: service }), some);
      if (service.faults.length > 0) throw new Error(JSON.stringify(service.faults));
    }),
    { numRuns: runs, ...(seed !== undefined && { seed }), ...(path !== undefined && { path }) },
  );
}
