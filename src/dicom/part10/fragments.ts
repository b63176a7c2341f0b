/** The fragments of encapsulated pixel data, as they stream past (PS3.5 §A.4). */
import type { FragmentsLevel } from './levels.js';
import type { FragmentLayout } from './scan.js';
import type { ValueReader } from './value-reader.js';

/** As many bytes of a fragment as tell whether a codestream starts there. */
const headBytes = 12;
/** What it takes to remember a fragment. */
export const bytesOfFragment = 8;

/**
 * Expects a fragment after the offset table, of which the length is noted, and whether it begins a frame.
 *
 * @param startsCodestream - whether the first bytes of a fragment begin a frame.
 */
export function expectFragment(
  values: ValueReader,
  level: FragmentsLevel,
  length: number,
  startsCodestream: (head: Buffer) => boolean,
): void {
  const head: Buffer[] = [];
  let missing = headBytes;
  const write = (bytes: Buffer): void => {
    if (missing === 0) return;
    head.push(Buffer.from(bytes.subarray(0, missing)));
    missing -= Math.min(missing, bytes.length);
  };
  values.expect(level.tag, length, write, () => {
    if (startsCodestream(Buffer.concat(head))) level.starts.push(level.fragments.length);
    level.fragments.push(length);
  });
}

/** What has been noted of the fragments, once the last has passed. */
export function layoutOf(level: FragmentsLevel): FragmentLayout {
  const { offset, fragments, starts, basicOffsetTable } = level;
  return { kind: 'encapsulated', offset, fragments, starts, basicOffsetTable };
}
