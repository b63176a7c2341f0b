/** Huffman codes for JPEG: from how often each symbol occurs to a table that a DHT segment can say. */

/** A code of at most 16 bits per symbol, of which none is all ones (ISO/IEC 10918-1 annexes C and K.2). */
export interface HuffmanCode {
  /** How many codes there are of 1 to 16 bits. */
  readonly lengthCounts: readonly number[];
  /** Symbols by ascending code. */
  readonly symbols: readonly number[];
  /** By symbol: its code, and the bits in it; 0 for a symbol that does not occur. */
  readonly codes: readonly number[];
  readonly lengths: readonly number[];
}

interface Node {
  readonly weight: number;
  readonly symbols: readonly number[];
}

const longest = 16;

/**
 * Makes the code by Huffman's procedure. With at most 17 symbols a tree can still be deeper than 16;
 * rare symbols are then counted as less rare until it is not.
 *
 * @param counts occurrences by symbol, at least one of them above zero; at most 255 symbols.
 */
export function huffmanCode(counts: readonly number[]): HuffmanCode {
  let weights = counts;
  let lengths = codeLengths(weights);
  while (Math.max(...lengths) > longest) {
    weights = weights.map((weight) => Math.ceil(weight / 2));
    lengths = codeLengths(weights);
  }

  const symbols = counts
    .map((_, symbol) => symbol)
    .filter((symbol) => (lengths[symbol] ?? 0) > 0)
    .sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const lengthCounts = new Array<number>(longest).fill(0);
  const codes = new Array<number>(counts.length).fill(0);
  let next = 0;
  let length = 0;
  for (const symbol of symbols) {
    const own = lengths[symbol] ?? 0;
    next <<= own - length;
    length = own;
    codes[symbol] = next;
    next += 1;
    lengthCounts[own - 1] = (lengthCounts[own - 1] ?? 0) + 1;
  }
  return { lengthCounts, symbols, codes, lengths: lengths.slice(0, counts.length) };
}

/**
 * Length of each symbol's code. One more symbol of the least weight takes part: it gets one of the
 * longest codes and, being the last of its length, the one that is all ones, which stays unused.
 */
function codeLengths(counts: readonly number[]): number[] {
  const reserved = counts.length;
  const lengths = new Array<number>(reserved + 1).fill(0);
  let nodes: Node[] = [
    { weight: 0, symbols: [reserved] },
    ...counts.flatMap((weight, symbol) => (weight > 0 ? [{ weight, symbols: [symbol] }] : [])),
  ];
  while (nodes.length > 1) {
    // The sort is stable, so the reserved symbol stays among the first and sinks deepest.
    nodes = nodes.toSorted((a, b) => a.weight - b.weight);
    const [first, second, ...others] = nodes;
    if (first === undefined || second === undefined) break;
    const symbols = [...first.symbols, ...second.symbols];
    for (const symbol of symbols) lengths[symbol] = (lengths[symbol] ?? 0) + 1;
    nodes = [{ weight: first.weight + second.weight, symbols }, ...others];
  }
  return lengths;
}
