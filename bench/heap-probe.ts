/**
 * Loaded into a measured process before its own code (`--require`, with `--expose-gc`): at SIGUSR2 it
 * collects all garbage and writes the bytes of heap in use to the file that `HEAP_PROBE` names.
 */
import { renameSync, writeFileSync } from 'node:fs';

const file = process.env['HEAP_PROBE'] ?? '';

async function probe(): Promise<void> {
  for (let round = 0; round < 4; round += 1) {
    // Finalizers and listeners that a collection calls may let go of more.
    await new Promise(setImmediate);
    globalThis.gc?.();
  }
  writeFileSync(`${file}.new`, String(process.memoryUsage().heapUsed));
  renameSync(`${file}.new`, file);
}

process.on('SIGUSR2', () => void probe());
