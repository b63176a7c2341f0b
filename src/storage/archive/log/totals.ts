/**
 * How many studies, series and instances a partition has, and their bytes: kept in the tails of the log, each of which
 * counts what the intents that have left it as carried out made more or fewer. An intent leaves a tail
 * once, in one transaction, so each counts once; stores of different studies share nothing new.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Properties } from '../../table-store.js';
import type { Partition } from '../keys.js';
import { joinChunks, toChunks } from '../long-properties.js';

export interface Totals {
  readonly studies: number;
  readonly series: number;
  readonly instances: number;
  /** Of the files of the instances; `undefined` where not all of them were counted. */
  readonly bytes: number | undefined;
}

export const noTotals: Totals = { studies: 0, series: 0, instances: 0, bytes: 0 };

/** Bytes of the files of instances, and of those that are kept as originals. */
export function bytesOf(
  files: readonly { readonly length: number; readonly originalLength?: number }[],
): number {
  return files.reduce((sum, { length, originalLength = 0 }) => sum + length + originalLength, 0);
}

export type PartitionTotals = ReadonlyMap<Partition, Totals>;

export function isNone({ studies, series, instances, bytes }: Totals): boolean {
  return studies === 0 && series === 0 && instances === 0 && bytes === 0;
}

export function plus(a: Totals, b: Totals): Totals {
  return {
    studies: a.studies + b.studies,
    series: a.series + b.series,
    instances: a.instances + b.instances,
    bytes: a.bytes === undefined || b.bytes === undefined ? undefined : a.bytes + b.bytes,
  };
}

/** The totals with what is more of some partitions, or fewer; partitions without anything go. */
export function added(
  totals: PartitionTotals,
  changes: Iterable<readonly [Partition, Totals]>,
): PartitionTotals {
  const sums = new Map(totals);
  for (const [partition, change] of changes) {
    const sum = plus(sums.get(partition) ?? noTotals, change);
    if (isNone(sum)) sums.delete(partition);
    else sums.set(partition, sum);
  }
  return sums;
}

/** `studies series instances bytes`, or without the last where bytes are not known. */
export function encodeTotals({ studies, series, instances, bytes }: Totals): string {
  const counts = `${studies} ${series} ${instances}`;
  return bytes === undefined ? counts : `${counts} ${bytes}`;
}

/** None where nothing is told. */
export function decodeTotals(text: unknown): Totals {
  if (typeof text !== 'string') return noTotals;
  const [studies = 0, series = 0, instances = 0, bytes] = text.split(' ').map(Number);
  return { studies, series, instances, bytes };
}

/** A property holds 32 Ki characters; what is longer is compressed into as many as it takes. */
const textCharacters = 30_000;

/** The properties of a tail, whose names begin with `totals`; none where totals are not kept. */
export function encodePartitionTotals(totals: PartitionTotals | undefined): Properties {
  if (totals === undefined) return {};
  const lines = [...totals].map(([partition, one]) => `${partition} ${encodeTotals(one)}`);
  const text = lines.join('\n');
  return text.length <= textCharacters ? { totals: text } : toChunks('totals', gzipSync(text));
}

export function decodePartitionTotals(properties: Properties): PartitionTotals | undefined {
  const chunks = joinChunks('totals', properties);
  const text = chunks.length === 0 ? properties['totals'] : gunzipSync(chunks).toString();
  if (typeof text !== 'string') return undefined;
  const lines = text === '' ? [] : text.split('\n');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(' ');
      return [line.slice(0, at) as Partition, decodeTotals(line.slice(at + 1))];
    }),
  );
}
