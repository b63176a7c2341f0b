/** The rooms of `src/`: lint has a rule for each, and the map of the code names those that everything stands in. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = path.join(__dirname, '../..');
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');

function roomsIn(folder: string): readonly string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${folder}/${name}`);
}

const houses = roomsIn('src');
/** Folders whose own folders are not alike: each may import others. */
const divided = [
  'src/dicom',
  'src/dicomweb/search',
  'src/host',
  'src/storage',
  'src/storage/archive',
];
const rules = textOf('eslint.config.mjs');
const map = textOf('docs/architecture.md');

/** The last of its house: it may import all others. */
const last = 'src/dicomweb/search/results';

describe('the import rules', () => {
  it.each([...houses, ...divided.flatMap(roomsIn)].filter((room) => room !== last))(
    'say what %s may import',
    (room) => {
      expect(rules).toContain(`'${room}/**'`);
    },
  );

  it('name folders that there are', () => {
    const named = [...rules.matchAll(/'(src\/[\w/-]+)\/\*\*'/g)].map(([, folder = '']) => folder);
    for (const folder of named) expect(readdirSync(path.join(root, folder))).not.toEqual([]);
  });
});

describe('the map of the code', () => {
  it.each(houses)('tells of %s, and whom it may import', (house) => {
    const name = path.basename(house);
    expect(map).toMatch(new RegExp(`^ {2}${name}/ `, 'm'));
    expect(map).toMatch(new RegExp(`^\\| \`${name}\` `, 'm'));
  });
});
