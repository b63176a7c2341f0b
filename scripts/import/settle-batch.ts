/**
 * Stores a few files until each has its fate: what failed for a passing reason is sent again, what is
 * there already is compared.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { compareStored } from './compare-stored.js';
import type { LocalFile } from './local-files.js';
import { storeBatch, type Target } from './store-batch.js';
import type { Result } from './tally.js';

async function judgeStored(target: Target, file: LocalFile, replace: boolean): Promise<Result> {
  const compared = await compareStored(target, file);
  if (compared === 'same') return { file: file.path, outcome: 'there' };
  if (compared !== 'different') {
    const why = `an instance with its UIDs is there, and whether it is the same is not known: ${compared.unknown}`;
    return { file: file.path, outcome: 'failed', why };
  }
  if (!replace) {
    const why = 'an instance with its UIDs and another content is there; --replace puts this one';
    return { file: file.path, outcome: 'conflict', why };
  }
  const [put] = await storeBatch(target, [file], 'PUT');
  if (put === undefined) throw new RangeError('a file was stored without a result');
  return put.outcome === 'stored' ? { file: file.path, outcome: 'replaced' } : put;
}

/**
 * @param replace - whether a file takes the place of another content under its UIDs.
 * @returns a result for each file, in order.
 * @throws ServiceUnreachable, StoreDenied as of `storeBatch`.
 */
export async function settleBatch(
  target: Target,
  batch: readonly LocalFile[],
  replace: boolean,
): Promise<readonly Result[]> {
  const settled = new Map<string, Result>();
  let left = batch;
  for (const pause of [...target.pauses, undefined]) {
    for (const result of await storeBatch(target, left)) settled.set(result.file, result);
    left = batch.filter(({ path }) => settled.get(path)?.passing === true);
    if (left.length === 0 || pause === undefined) break;
    await sleep(pause);
  }
  const results: Result[] = [];
  for (const file of batch) {
    const result = settled.get(file.path);
    if (result === undefined) throw new RangeError('a file was stored without a result');
    const isThere = result.outcome === 'there';
    results.push(isThere ? await judgeStored(target, file, replace) : result);
  }
  return results;
}
