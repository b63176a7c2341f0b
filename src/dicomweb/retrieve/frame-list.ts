/** The frame list of a path (PS3.18 §10.1.5). */
import { ServiceError } from '../../errors.js';

const mostFrames = 10_000;

/**
 * Reads frame numbers, counted from 1, separated by commas.
 *
 * @throws ServiceError `invalid-frame-list`.
 */
export function parseFrameList(text: string): readonly number[] {
  const items = text.split(',').map((item) => item.trim());
  const valid = items.every((item) => /^\d{1,9}$/.test(item) && Number(item) >= 1);
  if (!valid || items.length > mostFrames) {
    throw new ServiceError(
      'invalid-frame-list',
      `The frame list must be frame numbers from 1 on, separated by commas, at most ${mostFrames}.`,
      { parameter: 'frames' },
    );
  }
  return items.map(Number);
}
