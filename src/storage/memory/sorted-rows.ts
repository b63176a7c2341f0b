/**
 * Rows in order of their keys, held in blocks of bounded size: inserting among a million rows moves
 * a few hundred, not all.
 */

const largestBlock = 512;

/** Order of RowKeys: by UTF-16 code units. */
function firstAtOrAfter<T>(items: readonly T[], key: string, keyOf: (item: T) => string): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle];
    if (item !== undefined && keyOf(item) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** An ordered map from RowKey to row; every operation costs O(log n) plus one block. */
export class SortedRows<Row extends { readonly rowKey: string }> {
  /** Never an empty block. */
  readonly #blocks: Row[][] = [];

  /** The block that holds the key, or would. */
  #blockIndex(rowKey: string): number {
    const after = firstAtOrAfter(this.#blocks, rowKey, (block) => block.at(-1)?.rowKey ?? '');
    return Math.min(after, Math.max(this.#blocks.length - 1, 0));
  }

  /** The row of that key. */
  get(rowKey: string): Row | undefined {
    const block = this.#blocks[this.#blockIndex(rowKey)];
    if (block === undefined) return undefined;
    const row = block[firstAtOrAfter(block, rowKey, (candidate) => candidate.rowKey)];
    return row?.rowKey === rowKey ? row : undefined;
  }

  /** Adds the row, or puts it in the place of the one with the same key. */
  set(row: Row): void {
    const blockIndex = this.#blockIndex(row.rowKey);
    const block = this.#blocks[blockIndex];
    if (block === undefined) {
      this.#blocks.push([row]);
      return;
    }
    const index = firstAtOrAfter(block, row.rowKey, (candidate) => candidate.rowKey);
    const replaced = block[index]?.rowKey === row.rowKey ? 1 : 0;
    block.splice(index, replaced, row);
    if (block.length > largestBlock) {
      // Rows mostly arrive in order: leave the left block nearly full then.
      const cut = index === block.length - 1 ? block.length - 1 : block.length >>> 1;
      this.#blocks.splice(blockIndex + 1, 0, block.splice(cut));
    }
  }

  /** Removes the row of that key, if there is one. */
  delete(rowKey: string): void {
    const blockIndex = this.#blockIndex(rowKey);
    const block = this.#blocks[blockIndex];
    if (block === undefined) return;
    const index = firstAtOrAfter(block, rowKey, (candidate) => candidate.rowKey);
    if (block[index]?.rowKey !== rowKey) return;
    block.splice(index, 1);
    if (block.length === 0) this.#blocks.splice(blockIndex, 1);
  }

  /** The rows from a key on, in order. Do not change the rows meanwhile. */
  *from(rowKey: string): Generator<Row, void, undefined> {
    for (let b = this.#blockIndex(rowKey); b < this.#blocks.length; b += 1) {
      const block = this.#blocks[b] ?? [];
      for (let r = firstAtOrAfter(block, rowKey, (row) => row.rowKey); r < block.length; r += 1) {
        const row = block[r];
        if (row !== undefined) yield row;
      }
    }
  }
}
