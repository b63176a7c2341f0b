/** Jobs over one query tag that meet: canceled, asked for twice, and begun anew while a slice is under way. */
import { describe, expect, it } from '@jest/globals';
import type { TableStore } from '../../../src/storage/table-store.js';
import { inProcess, withJson } from '../../support/in-process.js';
import { WatchedTables } from '../../storage/archive/support/watched-tables.js';
import { there, add, expectedOf, file, findings, indexed } from './tagged-world.js';
import { store, tags, world } from './tagged-world.js';

/** Tables that hold the first write of an index row until they are let go. */
function heldTables(inner: TableStore) {
  let reach = (): void => undefined;
  let letGo = (): void => undefined;
  const reached = new Promise<void>((resolve) => (reach = resolve));
  const released = new Promise<void>((resolve) => (letGo = resolve));
  const tables = new WatchedTables(inner);
  tables.around = async ({ operation, table }, act) => {
    if (operation === 'transact' && table === 'searchindex') {
      reach();
      await released;
    }
    return await act();
  };
  return { tables, reached, letGo: () => letGo() };
}

/** Tables that tell when a job was looked at for the second time. */
function askingTables(inner: TableStore) {
  let asked = 0;
  let tell = (): void => undefined;
  const askedTwice = new Promise<void>((resolve) => (tell = resolve));
  const tables = new WatchedTables(inner);
  tables.around = async ({ operation, table }, act) => {
    const answer = await act();
    if (operation === 'get' && table === 'operations' && ++asked > 2) tell();
    return answer;
  };
  return { tables, askedTwice };
}

async function filled() {
  const { tables, process } = world();
  const files = Array.from({ length: 6 }, (_, number) => file(number));
  const first = process();
  for (const one of files) await store(first, one);
  await first.archive.close();
  return { tables, process, files, first };
}

const [name, , acquisition] = tags;
const added = tags.map(({ tag, level }) => ({ path: tag, level }));

describe('jobs over one query tag', () => {
  it('leave no row of one whose operation was canceled, and that was removed, while a slice was under way', async () => {
    const { tables, process, first } = await filled();
    const held = heldTables(tables);
    const indexer = process(held.tables);
    const id = await add(first);
    const running = indexer.jobs.run(id, Infinity);
    await held.reached;
    expect(await first.jobs.cancel(id)).toBe(true);
    const asking = askingTables(tables);
    const send = inProcess(process(asking.tables));
    const removing = send('DELETE', `/extendedquerytags/${acquisition.tag}`);
    await Promise.race([removing, asking.askedTwice]);
    held.letGo();
    await running;
    expect((await removing).status).toBe(204);
    for (const { tag } of tags) await send('DELETE', `/extendedquerytags/${tag}`);
    expect(await indexed(first)).toEqual([]);
    expect(await findings(first)).toEqual([]);
  });

  it('do not begin before a canceled one has ended its slice', async () => {
    const { tables, process, first, files } = await filled();
    const held = heldTables(tables);
    const id = await add(first);
    const running = process(held.tables).jobs.run(id, Infinity);
    await held.reached;
    const send = inProcess(first);
    expect((await send('DELETE', `/operations/${id}`)).status).toBe(204);
    const busy = await send('POST', '/extendedquerytags', withJson(added));
    expect(busy.status).toBe(409);
    expect(busy.headers.get('location')).toContain(id);
    held.letGo();
    expect(await running).toBe('elsewhere');
    const started = await send('POST', '/extendedquerytags', withJson(added));
    expect(started.status).toBe(202);
    const { id: next } = (await started.json()) as { id: typeof id };
    expect(await first.jobs.run(next, Infinity)).toBe('over');
    expect(await indexed(first)).toEqual(expectedOf(files));
  });

  it('remove it once, however often it is asked for, and nothing of the one that is added next', async () => {
    const { tables, process, first, files } = await filled();
    const send = inProcess(first);
    expect(await first.jobs.run(await add(first, [name]), Infinity)).toBe('over');
    const held = heldTables(tables);
    const path = `/extendedquerytags/${name.tag}`;
    const slow = inProcess(process(held.tables))('DELETE', path);
    await held.reached;
    expect((await send('DELETE', path)).status).toBe(204);
    expect((await send('POST', '/extendedquerytags', withJson([added[0]]))).status).toBe(409);
    held.letGo();
    expect((await slow).status).toBe(204);
    expect((await send('GET', path)).status).toBe(404);
    expect(await indexed(first)).toEqual([]);
    const again = (await (
      await send('POST', '/extendedquerytags', withJson([added[0]]))
    ).json()) as {
      readonly id: Parameters<typeof first.jobs.run>[0];
    };
    expect(await first.jobs.run(again.id, Infinity)).toBe('over');
    const ofName = expectedOf(files).filter((row) => row.startsWith(name.tag));
    expect(await indexed(first)).toEqual(ofName);
    expect(await findings(first)).toEqual([]);
  });

  it('wait for the slice of a removal that was canceled before they remove the same tag', async () => {
    const { tables, process, first } = await filled();
    expect(await first.jobs.run(await add(first, [name]), Infinity)).toBe('over');
    const held = heldTables(tables);
    const path = `/extendedquerytags/${name.tag}`;
    const slow = inProcess(process(held.tables))('DELETE', path);
    await held.reached;
    const [removal] = await first.jobs.newest(1, ({ type }) => type === 'untag');
    expect(await first.jobs.cancel(there(removal).id)).toBe(true);
    const asking = askingTables(tables);
    const again = inProcess(process(asking.tables))('DELETE', path);
    await Promise.race([again, asking.askedTwice]);
    expect((await first.archive.queryTags.read()).tags).toHaveLength(1);
    held.letGo();
    expect((await slow).status).toBe(204);
    expect((await again).status).toBe(204);
    expect((await first.archive.queryTags.read()).tags).toEqual([]);
    expect(await indexed(first)).toEqual([]);
  });
});
