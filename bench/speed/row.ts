/** What a row of the speed table is: our rate beside that of something else, taken in turns in one run. */

/** One figure of a row: more is better, unless the row says otherwise. */
export interface Row {
  /** Of the table in docs/performance.md. */
  readonly number: string;
  readonly work: string;
  readonly against: string;
  readonly unit: string;
  /** Medians of the rounds. */
  readonly ours: number;
  readonly theirs: number;
  /** Ours to theirs: the median of the ratios of the rounds. */
  readonly ratio: number;
  readonly goal: { readonly atLeast: number } | { readonly atMost: number };
  /** Calls to storage per transaction, where the service tells them. */
  readonly storageCalls?: number;
  readonly note?: string;
}

export interface Comparison {
  readonly ours: number;
  readonly theirs: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** Medians of ours, theirs, and of the ratio within each round. */
export function summarise(rounds: readonly Comparison[]): Pick<Row, 'ours' | 'theirs' | 'ratio'> {
  return {
    ours: median(rounds.map(({ ours }) => ours)),
    theirs: median(rounds.map(({ theirs }) => theirs)),
    ratio: median(rounds.map(({ ours, theirs }) => ours / theirs)),
  };
}

/** Takes both figures, in turns: `rounds` times after one round that warms both up. */
export async function inTurns<Figure>(
  rounds: number,
  ours: (round: number) => Promise<Figure>,
  theirs: (round: number) => Promise<Figure>,
): Promise<readonly { readonly ours: Figure; readonly theirs: Figure }[]> {
  const all: { readonly ours: Figure; readonly theirs: Figure }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const figures = { ours: await ours(round), theirs: await theirs(round) };
    if (round > 0) all.push(figures);
  }
  return all;
}

export function passes({ ratio, goal }: Row): boolean {
  return 'atLeast' in goal ? ratio >= goal.atLeast : ratio <= goal.atMost;
}
