/**
 * Builds and lints the Bicep files with the real compiler where there is one, and fails on any
 * warning: the second half of `npm run check:infra`. `BICEP` names the compiler; else `bicep` on the
 * path is taken, and else that of the Azure CLI.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const infra = fileURLToPath(new URL('../infra', import.meta.url));
const shell = process.platform === 'win32';

/** Whose extension or module a registry would have to give. */
const needsRegistry = /\bBCP(?:190|192|204|205|400)\b|restore/i;

const candidates = [
  ...(process.env.BICEP ? [{ command: process.env.BICEP, prefix: [], file: [] }] : []),
  { command: 'bicep', prefix: [], file: [] },
  { command: 'az', prefix: ['bicep'], file: ['--file'] },
];

const compiler = candidates.find(({ command, prefix }) => {
  const args = prefix.length === 0 ? ['--version'] : [...prefix, 'version'];
  return spawnSync(command, args, { shell }).status === 0;
});

function run(action, file, ...more) {
  const args = [...compiler.prefix, action, ...compiler.file, path.join(infra, file), ...more];
  const { status, stderr } = spawnSync(compiler.command, args, { encoding: 'utf8', shell });
  // What it says of a file has a code; the rest is about itself, such as that it is not the newest.
  const said = stderr.split('\n').filter((line) => /\b(?:BCP\d+|Warning|Error)\b/.test(line));
  return { failed: status !== 0 || said.length > 0, said };
}

let failed = false;

/** Builds and lints one entry; what is not there for want of a registry is said, and is no fault. */
function check(file, action, ...more) {
  const { failed: bad, said } = run(action, file, ...more);
  if (bad && said.length > 0 && said.some((line) => needsRegistry.test(line))) {
    console.log(`${action} ${file}: the Graph extension could not be fetched, not checked`);
    return;
  }
  console.log(`${action} ${file}: ${bad ? 'not clean' : 'clean'}`);
  for (const line of said) console.log(`  ${line}`);
  failed ||= bad;
}

if (compiler === undefined) {
  console.log(
    'There is no Bicep compiler here: the templates were parsed and compared, not built.',
  );
} else {
  for (const file of ['service.bicep', 'main.bicep']) {
    check(file, 'build', '--stdout');
    check(file, 'lint');
  }
  check('main.bicepparam', 'build-params', '--stdout');
}
process.exitCode = failed ? 1 : 0;
