import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { azuritePreload, azuriteScript } from '../../../src/host/local/azurite.js';

const script = azuriteScript();

/** Removes all rows but those of the last letter one by one, then two of those at once. */
const removals = `
  const Loki = require('node:module').createRequire(process.argv[1])('lokijs');
  const rows = new Loki('test').addCollection('rows', { indices: ['name', 'letter'] });
  for (let at = 0; at < 100; at += 1) {
    rows.insert({ name: String((at * 37) % 100).padStart(2, '0'), letter: 'abcd'[at % 4] });
  }
  rows.find({ name: '50' });
  let sorted = 0;
  const { ensureIndex } = rows;
  rows.ensureIndex = (...parameters) => {
    sorted += 1;
    return ensureIndex.apply(rows, parameters);
  };
  const find = (query) => rows.find(query).map(({ name }) => name);
  for (const name of find({ letter: { $ne: 'd' } })) rows.findAndRemove({ name });
  rows.findAndRemove({ name: 'none' });
  const sortedForOne = sorted;
  const left = find({ letter: 'd' });
  rows.findAndRemove({ name: { $in: left.slice(0, 2) } });
  const leftThen = find({ letter: 'd' });
  console.log(JSON.stringify({
    sortedForOne,
    left: left.length,
    isLeftThen: JSON.stringify(leftThen.sort()) === JSON.stringify(left.slice(2).sort()),
    found: leftThen.every((name) => find({ name }).length === 1),
    broken: rows.checkAllIndexes(),
    count: rows.count(),
  }));`;

/** Writes rows in no order, and reads ranges of them page by page, and rows by their keys. */
const readings = `
  const load = require('node:module').createRequire(process.argv[1]);
  const Store = load('./table/persistence/LokiTableMetadataStore.js').default;
  const { prototype } = load('lokijs').Collection;
  const { chain } = prototype;
  let scans = 0;
  prototype.chain = function (...parameters) {
    scans += 1;
    return chain.apply(this, parameters);
  };
  let seed = 7;
  const random = (below) => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return Math.floor((seed / 2147483648) * below);
  };
  const any = (of) => of[random(of.length)];
  const partitions = ["a", "a'b", 'b', 'bb'];
  const keys = ["'", 'é', 'a', 'a b', 'b', 'B', '~', '|', '0', '00', '1', 'ab', 'aba', '\\ud83d\\ude00'];
  const quoted = (text) => "'" + text.replaceAll("'", "''") + "'";
  async function main() {
    const store = new Store('unused', true);
    await store.init();
    const context = { contextID: 'test' };
    await store.createTable(context, { account: 'me', table: 'rows' });
    const answers = [];
    const note = async (act) => {
      try {
        answers.push(await act());
      } catch (error) {
        answers.push(error.storageErrorCode ?? error.message);
      }
    };
    for (let turn = 0; turn < 400; turn++) {
      const [PartitionKey, RowKey] = [any(partitions), any(keys) + any(keys)];
      const row = { PartitionKey, RowKey, properties: { turn }, lastModifiedTime: '', eTag: String(turn) };
      const deed = random(5);
      if (deed < 3) await note(async () => void (await store.insertTableEntity(context, 'rows', 'me', row)));
      else if (deed === 3) {
        await note(async () => void (await store.insertOrUpdateTableEntity(context, 'rows', 'me', row)));
      } else {
        await note(
          async () => void (await store.deleteTableEntity(context, 'rows', 'me', PartitionKey, RowKey, '*')),
        );
      }
      await note(async () => {
        const found = await store.queryTableEntitiesWithPartitionAndRowKey(
          context, 'rows', 'me', any(partitions), RowKey,
        );
        return found?.properties.turn ?? null;
      });
      const filter =
        'PartitionKey eq ' + quoted(any(partitions)) +
        (random(3) > 0 ? ' and RowKey ge ' + quoted(any(keys)) : '') +
        (random(3) > 0 ? ' and RowKey lt ' + quoted(any(keys)) : '');
      let next = [];
      for (let page = 0; page < 3; page++) {
        await note(async () => {
          const [rows, ...others] = await store.queryTableEntities(
            context, 'me', 'rows', { filter, top: 1 + random(4) }, ...next,
          );
          next = others;
          return [...rows.map(({ RowKey, properties }) => RowKey + properties.turn), ...others];
        });
        if (next[0] === undefined) break;
      }
    }
    await note(async () => (await store.queryTableEntities(context, 'me', 'rows', { filter: 'turn ge 390' }))[0].length);
    console.log(JSON.stringify({ answers, scans }));
  }
  void main();`;

/** Loads what the emulator begins with, and names the packages that it never uses here and has loaded all the same. */
const beginning = `
  const load = require('node:module').createRequire(process.argv[1]);
  for (const part of ['./blob/BlobServerFactory.js', './common/Telemetry.js']) load(part);
  const file = /node_modules.(sequelize|applicationinsights).(?:lib|out)./;
  const loaded = Object.values(require.cache).filter(({ children }) => children.length > 0);
  console.log(JSON.stringify([...new Set(loaded.map(({ id }) => file.exec(id)?.[1] ?? ''))].filter(Boolean).sort()));`;

async function run(...options: readonly string[]): Promise<unknown> {
  const parameters = [...options, '-e', removals, script];
  const { stdout } = await promisify(execFile)(process.execPath, parameters);
  return JSON.parse(stdout);
}

describe('azuritePreload', () => {
  it('lets the emulator remove rows one by one without sorting its indexes', async () => {
    const wanted = { left: 25, isLeftThen: true, found: true, broken: [], count: 23 };
    expect(await run('--import', azuritePreload(script))).toEqual({ ...wanted, sortedForOne: 0 });
    // Once for each of two indexes, 75 rows and a row that is not there: the reason for it.
    expect(await run()).toEqual({ ...wanted, sortedForOne: 152 });
  });

  it('lets the emulator begin without its telemetry and its store in SQL databases', async () => {
    const loaded = async (...options: readonly string[]) => {
      const parameters = [...options, '-e', beginning, script];
      return JSON.parse(
        (await promisify(execFile)(process.execPath, parameters)).stdout,
      ) as unknown;
    };
    expect(await loaded()).toEqual(['applicationinsights', 'sequelize']);
    expect(await loaded('--import', azuritePreload(script))).toEqual([]);
  });

  it('lets the emulator read ranges and rows in order, with the answers that it gives without', async () => {
    const parameters = ['-e', readings, script];
    const { stdout: without } = await promisify(execFile)(process.execPath, parameters);
    const preload = ['--import', azuritePreload(script)];
    const { stdout: withIt } = await promisify(execFile)(process.execPath, [
      ...preload,
      ...parameters,
    ]);
    const answers = (stdout: string) =>
      JSON.parse(stdout) as { readonly answers: readonly unknown[]; readonly scans: number };
    expect(answers(withIt).answers).toEqual(answers(without).answers);
    expect(answers(without).answers.length).toBeGreaterThan(1000);
    // Nothing is looked for among all rows but what is not asked in our words.
    expect([answers(without).scans > 500, answers(withIt).scans <= 2]).toEqual([true, true]);
  });
});
