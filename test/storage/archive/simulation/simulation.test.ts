/**
 * Schedules in a process of their own: jest makes them three times as slow. A failure names its seed, and
 * `npm run simulate -- --from SEED --schedules 1` plays it again. Continuous integration plays ten thousand.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { mutants } from './mutants.js';

const runner = path.join(__dirname, '../../../support/run-typescript.mjs');
const main = path.join(__dirname, 'main.ts');

const schedules = 400;

async function play(): Promise<string> {
  const args = [runner, main, '--from', '1', '--schedules', String(schedules)];
  try {
    return (await promisify(execFile)(process.execPath, args)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    return stdout + stderr;
  }
}

describe('the archive, with every storage call in an order of chance', () => {
  it('keeps its invariants, whatever the schedule', async () => {
    expect(await play()).toMatch(/^400 schedules of \d+ steps .* in .*, 0 failed\.\n$/);
  }, 300_000);
});

describe('the table of mutations', () => {
  it.each(mutants)('fits the protocol: $name', async ({ file, find }) => {
    expect((await readFile(file, 'utf8')).split(find)).toHaveLength(2);
  });
});
