import { describe, expect, it } from '@jest/globals';
import { Effort } from '../../../../src/dicomweb/search/walk/effort.js';

function times(count: number, act: () => void): void {
  for (let time = 0; time < count; time++) act();
}

describe('Effort', () => {
  it.each([
    ['pages', 25, (effort: Effort) => effort.onPage()],
    ['entries', 100, (effort: Effort) => effort.onEntry()],
    ['lookups', 2000, (effort: Effort) => effort.onLookups(1)],
  ])('is spent by %s in vain, %i of them', (_what, most, act) => {
    const effort = new Effort();
    times(most - 1, () => act(effort));
    expect(effort.spent).toBe(false);
    act(effort);
    expect(effort.spent).toBe(true);
  });

  it('is not spent by what brings matches', () => {
    const effort = new Effort();
    times(100_000, () => {
      effort.onEntry();
      effort.onEntry();
      effort.onLookups(2);
      effort.onMatch();
    });
    expect(effort.spent).toBe(false);
  });
});
