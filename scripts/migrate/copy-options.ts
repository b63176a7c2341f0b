/** What `npm run export` and `npm run migrate` share of their arguments, their terminal and their times. */
import type { ProgressOutput } from '../support/progress.js';

export interface Terminal {
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

/** For `parseArgs`. */
export const copyOptions = {
  'token-command': { type: 'string' },
  by: { type: 'string' },
  parallel: { type: 'string', default: '4' },
  again: { type: 'boolean', default: false },
} as const;

const mostParallel = 64;

/** Reads those that are not any text; `undefined` when one is not as it must be. */
export function readCopyOptions(values: { readonly by?: string; readonly parallel: string }) {
  const by = (['feed', 'search'] as const).find((way) => way === values.by);
  const parallel = Number(values.parallel);
  if (values.by !== undefined && by === undefined) return undefined;
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > mostParallel) return undefined;
  return { by, parallel };
}

export interface CopyTiming {
  /** Milliseconds before each further attempt while a service is busy or away. */
  readonly pauses: readonly number[];
  /** Milliseconds before the newest change of a feed in which others may still come in. */
  readonly settling: number;
}

export const defaultTiming: CopyTiming = {
  pauses: [1000, 2000, 4000, 8000, 16_000, 32_000],
  settling: 60_000,
};
