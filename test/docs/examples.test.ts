/**
 * Examples are run: those that speak to a service, against one that holds the samples. Others, which speak to
 * Azure or take minutes, are held against the grammar of their language.
 */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { runSample } from '../../scripts/sample/run-sample.js';
import { startService, type Service } from '../support/service.js';
import { codeBlocks, documents, type CodeBlock } from './markdown.js';

const run = promisify(execFile);

/** The address that examples use. */
const address = 'http://localhost:7071';
const spokenTo: ReadonlySet<string> = new Set(['docs/clients.md']);
/** Of these, the blocks under one heading speak to a service. */
const partly: ReadonlyMap<string, string> = new Map([['README.md', 'Five minutes']]);
/** Whether a command is there, and works: not every machine has each. */
const has = (command: string, ...args: string[]) => spawnSync(command, args).status === 0;
const python = '/usr/bin/python3';
/** Compiling takes seconds, so it is asked for (`.ci/run` does). */
const withDotnet = process.env['EXAMPLES'] === 'dotnet' && has('dotnet', '--version');

const blocks = documents.flatMap(codeBlocks);
const runs = ({ document, heading }: CodeBlock) =>
  spokenTo.has(document) || partly.get(document) === heading;

interface Runner {
  /** Why the block is not run on this machine. */
  readonly missing: string | undefined;
  readonly run: (code: string, folder: string) => Promise<string>;
}

async function runFile(command: string, args: readonly string[], folder: string): Promise<string> {
  const { stdout } = await run(command, [...args], { cwd: folder });
  return stdout;
}

function written(folder: string, name: string, code: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, code);
  return file;
}

const runners: Readonly<Record<string, Runner>> = {
  bash: {
    missing: has('bash', '-c', 'curl --version') ? undefined : 'no bash with curl',
    run: async (code, folder) => await runFile('bash', ['-euc', code], folder),
  },
  python: {
    missing: has(python, '-c', 'import pydicom') ? undefined : 'no Python with pydicom',
    run: async (code, folder) => await runFile(python, ['-c', code], folder),
  },
  csharp: {
    missing: withDotnet ? undefined : 'EXAMPLES=dotnet runs it, with .NET 10 or newer',
    run: async (code, folder) =>
      await runFile('dotnet', ['run', written(folder, 'example.cs', code)], folder),
  },
  js: {
    missing: undefined,
    run: async (code, folder) =>
      await runFile(process.execPath, [written(folder, 'example.mjs', code)], folder),
  },
};

/** Checks a block that is not run here. */
const grammars: Readonly<Record<string, (code: string) => void>> = {
  bash: (code) => {
    const { status, stderr } = spawnSync('bash', ['-n'], { input: code, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  },
  json: (code) => {
    JSON.parse(code);
  },
};

/** Drawings, and languages that nothing here reads. */
const shown = ['', 'text', 'kusto', 'bicep'];

describe('examples that speak to a service', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-examples-'));
  let service: Service;

  beforeAll(async () => {
    service = await startService({ host: 'local' });
    mkdirSync(path.join(folder, 'samples'));
  });

  // An example may have deleted them.
  beforeEach(async () => {
    const args = ['--url', service.baseUrl, '--out', path.join(folder, 'samples')];
    const output = { stdout: { write: () => true }, stderr: { write: () => true } };
    expect(await runSample(args, {}, output)).toBe(0);
  });

  afterAll(async () => {
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  // What an example sets, those after it use.
  const settings = new Map<string, string>();

  for (const block of blocks.filter(runs)) {
    const { document, language, code, line } = block;
    const runner = runners[language];
    const name = `${document}:${line} (${language})`;
    if (language === 'js' && code.includes('window.config')) {
      it(`${name} names the roots of the service`, () => {
        const window: { config?: { dataSources: { configuration: object }[] } } = {};
        runInNewContext(code, { window });
        expect(window.config?.dataSources[0]?.configuration).toMatchObject({
          qidoRoot: address,
          wadoRoot: address,
          wadoUriRoot: `${address}/wado`,
        });
      });
    } else if (runner?.missing !== undefined) {
      it.skip(`${name} is run: ${runner.missing}`, () => undefined);
    } else if (runner !== undefined) {
      it(`${name} is run`, async () => {
        const here = code.replaceAll(address, service.baseUrl);
        const known = language === 'bash' ? [...settings.values()].join('\n') : '';
        for (const [set, variable = ''] of here.matchAll(/^([A-Z]+)=\S+/gm)) {
          settings.set(variable, set);
        }
        // Samples are there already.
        const text = `${known}\n${here.replace(/^npm run sample.*$/gm, '')}`;
        const output = await runner.run(text, folder);
        expect(output).not.toMatch(/"status":\s*(4(?!09)|5)\d\d/);
      });
    }
  }
});

describe('examples', () => {
  const readable = blocks.filter((block) => !runs(block) && block.language in grammars);
  it.each(readable.map((block) => [`${block.document}:${String(block.line)}`, block] as const))(
    '%s can be read',
    (_, { language, code }) => {
      grammars[language]?.(code);
    },
  );

  it('are in languages that are run or read', () => {
    const known = new Set([...Object.keys(runners), ...Object.keys(grammars), ...shown]);
    const unknown = blocks.filter(({ language }) => !known.has(language));
    expect(unknown.map(({ document, line, language }) => [document, line, language])).toEqual([]);
  });
});
