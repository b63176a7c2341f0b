/** Where frames and bulk values lie in a file after it was edited, without reading it again. */
import type { FrameIndex } from '../frames.js';
import type { BulkValue } from '../part10/scan.js';
import type { Tag } from '../tag.js';
import type { Move } from './edit-part10.js';

interface Places {
  readonly frames: FrameIndex | undefined;
  readonly bulk: readonly BulkValue[];
}

/**
 * The same values in the new file.
 *
 * @param moves - as the edit told of them.
 * @param changed - attributes that have other values now: short text, which is no bulk.
 */
export function movedIndex(
  { frames, bulk }: Places,
  moves: readonly Move[],
  changed: ReadonlySet<Tag>,
): Places {
  const moved = <Place extends { readonly offset: number }>(place: Place): Place => ({
    ...place,
    offset: moves.reduce(
      (offset, { from, by }) => (place.offset >= from ? offset + by : offset),
      place.offset,
    ),
  });
  return {
    frames: frames && moved(frames),
    bulk: bulk.filter(({ path }) => !changed.has(path.slice(0, 8) as Tag)).map(moved),
  };
}
