/** The documents as such: what they point at is there, and what they tell to run can be run. */
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import packageJson from '../../package.json';
import { sampleInstances } from '../../scripts/sample/instances.js';
import { containerNames } from '../../src/storage/blob-store.js';
import { tableNames } from '../../src/storage/table-store.js';
import { anchorsOf, documents, localLinks, prose, readDocument, root } from './markdown.js';

describe.each(documents)('%s', (document) => {
  it('links to files and headings that exist', () => {
    const broken = localLinks(document).filter((link) => {
      const [target = '', anchor] = link.split('#');
      const file = target === '' ? document : path.join(path.dirname(document), target);
      if (!existsSync(path.join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).has(anchor);
    });
    expect(broken).toEqual([]);
  });

  it('names files of the repository that exist', () => {
    const named = prose(readDocument(document)).matchAll(
      /`((?:src|test|docs|scripts|functions|infra|bench)\/[\w./-]*)`/g,
    );
    const missing = [...named]
      .map(([, file = '']) => file)
      .filter((file) => !existsSync(path.join(root, file)));
    expect(missing).toEqual([]);
  });

  it('tells to run npm scripts that exist', () => {
    const commands = readDocument(document).matchAll(/\bnpm (?:run ([\w:-]+)|(start|test)\b)/g);
    const unknown = [...commands]
      .map(([, script, short = '']) => script ?? short)
      .filter((script) => !Object.hasOwn(packageJson.scripts, script));
    expect(unknown).toEqual([]);
  });
});

describe('README.md', () => {
  it('walks through the sample that is stored', () => {
    const uids = new Set(readDocument('README.md').match(/\d+(?:\.\d+){8,}/g));
    const circle = sampleInstances.find(({ name }) => name === 'blue-circle');
    expect([...uids]).toEqual([circle?.study, circle?.series, circle?.instance]);
  });

  it.each([
    ['a frame is cut out of a blob', 'src/dicomweb/retrieve/open-frame.ts', 'openFrame'],
    [
      'a search key becomes a range of rows',
      'src/dicomweb/search/walk/choose-index.ts',
      'chooseIndex',
    ],
    ['a token is refused', 'src/host/pipeline/authenticator.ts', 'bearer'],
  ])('leads in one click to where %s', (_, file, name) => {
    expect(localLinks('README.md')).toContain(file);
    expect(readDocument(file)).toMatch(new RegExp(`^export (?:async )?function ${name}\\b`, 'm'));
  });

  it('needs the version of Node that package.json needs', () => {
    const [, version] = /Node ([\d.]+) or newer/.exec(readDocument('README.md')) ?? [];
    expect(`>=${version ?? ''}`).toBe(packageJson.engines.node);
  });
});

describe('SECURITY.md', () => {
  it('names tests that there are', () => {
    const pattern = /(?:`(test\/[\w./-]+\.test\.ts)`|the same): "([^"]+)"/g;
    const named = [...readDocument('SECURITY.md').matchAll(pattern)];
    let file = '';
    const missing = named.filter(([, own = file, title = '']) => {
      file = own;
      return !readDocument(file).includes(title);
    });
    expect(named.length).toBeGreaterThan(20);
    expect(missing.map(([text]) => text)).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  it.each([...tableNames, ...containerNames])('says what is in %s', (name) => {
    expect(readDocument('docs/architecture.md')).toMatch(
      new RegExp(`(Table|Container) \`${name}\``),
    );
  });
});

describe('docs/decisions', () => {
  const records = readdirSync(path.join(root, 'docs/decisions')).sort();

  it('are numbered without gaps', () => {
    const numbers = records.map((name) => Number(name.slice(0, 4)));
    expect(numbers).toEqual(records.map((_, index) => index + 1));
  });

  it.each(records)('%s has its number, and says when to revisit', (name) => {
    const text = readDocument(`docs/decisions/${name}`);
    expect(text).toMatch(new RegExp(`^# ${String(Number(name.slice(0, 4)))}\\. `));
    expect(text.match(/^## .*$/gm)).toEqual([
      '## Context',
      '## Decision',
      '## Consequences',
      '## When to revisit',
    ]);
  });
});
