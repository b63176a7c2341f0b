/** A commit whose answer was lost, and of which the study row does not speak any more. */
import { describe, expect, it } from '@jest/globals';
import { readTails } from '../../../../src/storage/archive/log/log-tail.js';
import { openOnMemory, put, settle } from '../support/fixture.js';
import { expectTidy } from '../support/survey.js';
import { unavailable } from '../support/watched-tables.js';

describe('a commit without an answer', () => {
  it('counts as done when others have settled it, and forgotten it, before its writer looks', async () => {
    const shared = openOnMemory(2);
    const [one, other] = shared.archives;
    const [view] = shared.tables;
    if (one === undefined || other === undefined || view === undefined) throw new RangeError();
    let isFirst = true;
    view.around = async (call, act) => {
      const answer = await act();
      if (call.table !== 'catalog' || call.operation !== 'transact' || !isFirst) return answer;
      isFirst = false;
      const [intent = 0] = (await readTails(view)).flatMap((tail) => tail.open);
      await other.settle(intent);
      await put(other, { study: 1, series: 1, instance: 2 });
      const row = (await view.rows('catalog')).find(({ rowKey }) => rowKey === '0');
      expect(String(row?.properties['commits']).split(' ')).not.toContain(String(intent));
      throw unavailable();
    };
    expect(await put(one, { study: 1, series: 1, instance: 1 })).toBe('stored');
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(2);
  });

  it('is sent again, and no more once it is refused for the row of an instance', async () => {
    const shared = openOnMemory(1);
    const [archive] = shared.archives;
    const [view] = shared.tables;
    if (archive === undefined || view === undefined) throw new RangeError();
    const sample = { study: 1, series: 1, instance: 1 };
    await put(archive, sample);
    let sendings = 0;
    view.around = async (call, act) => {
      if (call.table !== 'catalog' || call.operation !== 'transact') return await act();
      sendings += 1;
      if (sendings > 2) throw new RangeError('sent without end');
      if (sendings === 1) throw unavailable();
      return await act();
    };
    expect(await put(archive, sample)).toBe('exists');
    expect(sendings).toBe(2);
    await settle(shared);
    expect((await expectTidy(shared)).instances).toHaveLength(1);
  });
});
