/**
 * `npm run simulate:mutants [-- --schedules 3000 --only 'text']`: plays schedules on each mutant of the
 * protocol until one fails, and prints the table of docs/reliability.md. Exits 1 when one is not noticed.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { mutants, type Mutant } from './mutants.js';

const runner = path.join(__dirname, '../../../support/run-typescript.mjs');
const script = path.join(__dirname, 'main.ts');

interface Notice {
  readonly seed: string;
  readonly why: string;
}

/** The first schedule that fails on a mutant; `undefined` when none does. */
async function noticeOf(mutant: Mutant, schedules: string): Promise<Notice | undefined> {
  const args = [runner, script, '--from', '1', '--schedules', schedules, '--until-failure'];
  const env = { ...process.env, SOURCE_MUTATION: JSON.stringify(mutant) };
  try {
    await promisify(execFile)(process.execPath, args, { env, maxBuffer: 16 * 1024 ** 2 });
    return undefined;
  } catch (error) {
    const { stderr = '' } = error as { readonly stderr?: string };
    const [, seed, why] = /Schedule (\d+) fails: (?:\w*Error[^:]*: )?(.*)/.exec(stderr) ?? [];
    if (seed === undefined || why === undefined) throw error;
    return { seed, why: why.replaceAll(/\d{10,}/g, 'n').slice(0, 60) };
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      schedules: { type: 'string', default: '3000' },
      only: { type: 'string', default: '' },
    },
  });
  console.log('| What is wrong | first schedule that fails | what it says |\n| --- | ---: | --- |');
  for (const mutant of mutants.filter(({ name }) => name.includes(values.only))) {
    const notice = await noticeOf(mutant, values.schedules);
    const why = notice?.why ?? mutant.test ?? '';
    console.log(`| ${mutant.name} | ${notice?.seed ?? 'none'} | ${why} |`);
    if (notice === undefined && mutant.test === undefined) process.exitCode = 1;
  }
}

void main();
