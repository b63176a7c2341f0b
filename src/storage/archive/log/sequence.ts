/**
 * Sequences of changes: hybrid logical clocks that fit in 2^53. A sequence is milliseconds since 1970, a
 * counter and a shard of the log, so it is unique, grows within a shard and follows time across shards.
 */

/** Most shards that a log can have; a sequence modulo this is its shard. */
export const mostLogShards = 64;
/** Changes of one shard in a millisecond; more of them run ahead of time. */
const countsPerMillisecond = 32;
/** Until the year 2109 a sequence is below 2^53. */
const sequencesPerMillisecond = mostLogShards * countsPerMillisecond;

/** From one sequence of a shard to the next. */
export const sequenceStride = mostLogShards;

export function shardOfSequence(sequence: number): number {
  return sequence % mostLogShards;
}

/** The first sequence of a shard that is greater than another of any shard. */
export function sequenceAfter(sequence: number, shard: number): number {
  const next = sequence - shardOfSequence(sequence) + shard;
  return next > sequence ? next : next + mostLogShards;
}

/** The first sequence, of any shard, that a change of this moment can have. */
export function firstSequenceOf(milliseconds: number): number {
  return Math.ceil(milliseconds) * sequencesPerMillisecond;
}

/** The time that a sequence stands for, in milliseconds since 1970. */
export function timeOfSequence(sequence: number): number {
  return Math.floor(sequence / sequencesPerMillisecond);
}

/** The same in units of 100 ns, different for every two sequences. */
export function ticksOfSequence(sequence: number): bigint {
  return (BigInt(sequence) * 10_000n) / BigInt(sequencesPerMillisecond);
}
