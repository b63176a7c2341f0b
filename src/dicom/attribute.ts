/** Tags by keyword for code and tables that name attributes. */
import { tagOf } from './dictionary.js';
import type { Tag } from './tag.js';

/**
 * The tag of a standard attribute.
 *
 * @throws RangeError for a keyword that PS3.6 does not have: a slip of ours, found when a module loads.
 */
export function attribute(keyword: string): Tag {
  const tag = tagOf(keyword);
  if (tag === undefined) throw new RangeError(`${keyword} is not in the data dictionary`);
  return tag;
}
