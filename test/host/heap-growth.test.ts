import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const runner = path.join(__dirname, '../support/run-typescript.mjs');
/** A generation of young objects, for which V8 adds room. */
const youngKiB = 16 * 1024;

describe('letHeapGrow', () => {
  it('lets three times of what was in use gather before V8 looks through the heap', () => {
    // V8 tells the limit that it sets itself after a full collection.
    const options = ['--expose-gc', '--trace-gc-verbose'];
    const script = path.join(__dirname, 'grown-heap.ts');
    const { stdout } = spawnSync(process.execPath, [...options, runner, script], {
      encoding: 'utf8',
    });
    const limits = [...stdout.matchAll(/Limit: old size: (\d+) KB, new limit: (\d+) KB/g)];
    const [, inUse, limit] = limits.at(-1)?.map(Number) ?? [];
    if (inUse === undefined || limit === undefined) throw new Error(`No limit in: ${stdout}`);
    expect(inUse).toBeGreaterThan(youngKiB);
    expect((limit - youngKiB) / inUse).toBeCloseTo(3, 1);
  });
});
