/** The check of the templates: that it fails when there is something to find, or nobody to look. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { checkInfra } from '../../scripts/infra/check.js';
import { compilerAtHand, faultsOf } from '../../scripts/infra/compiler.js';

const root = path.join(__dirname, '../..');
const cache = path.join(root, 'node_modules/.cache/bicep');
const folder = mkdtempSync(path.join(tmpdir(), 'dicomweb-check-infra-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

// As Bicep 0.49.2 says it.
const withoutRegistry = `/x/infra/modules/app-registration.bicep(3,11) : Error BCP192: Unable to restore the artifact with reference "br:mcr.microsoft.com/bicep/extensions/microsoftgraph/v1.0:1.0.0": Retry failed after 4 tries. [https://aka.ms/bicep/core-diagnostics#BCP192]
/x/infra/modules/app-registration.bicep(90,22) : Error BCP029: The resource type is not valid. Specify a valid resource type of format "<type-name>@<apiVersion>". [https://aka.ms/bicep/core-diagnostics#BCP029]
/x/infra/modules/app-registration.bicep(145,26) : Error BCP062: The referenced declaration with name "application" is not valid. [https://aka.ms/bicep/core-diagnostics#BCP062]
/x/infra/main.bicepparam(3,7) : Error BCP104: The referenced module has errors. [https://aka.ms/bicep/core-diagnostics#BCP104]
`;
const badNumber =
  '/x/infra/main.bicepparam(25,26) : Error BCP033: Expected a value of type "2048 | 4096" but the provided value is of type "int". [https://aka.ms/bicep/core-diagnostics#BCP033]\n';

const run = (stderr: string, status = 1) => ({ status, stderr, stdout: '' });

describe('what the compiler says', () => {
  it('is passed over where it follows from the registry that is out of reach', () => {
    expect(faultsOf(run(withoutRegistry))).toEqual([]);
  });

  it('is a fault beside that', () => {
    expect(faultsOf(run(withoutRegistry + badNumber))).toEqual([
      expect.stringMatching(/^main\.bicepparam:25 Error BCP033: Expected/),
    ]);
  });

  it('is a fault without that, for each code', () => {
    const alone = withoutRegistry.split('\n').filter((line) => !line.includes('BCP192'));
    expect(faultsOf(run(alone.join('\n')))).toHaveLength(3);
  });

  it('is a fault in another file', () => {
    const elsewhere = withoutRegistry.replace(
      'modules/app-registration.bicep(90',
      'service.bicep(90',
    );
    expect(faultsOf(run(elsewhere))).toEqual([
      expect.stringMatching(/^service\.bicep:90 .*BCP029/),
    ]);
  });

  it('is a fault as a warning, too, and when another artifact is out of reach', () => {
    const warning =
      '/x/a.bicep(3,7) : Warning no-unused-params: Parameter "b" is unused. [https://x]';
    expect(faultsOf(run(warning, 0))).toHaveLength(1);
    const other = withoutRegistry.replaceAll('microsoftgraph', 'another');
    expect(faultsOf(run(other))).toHaveLength(4);
  });

  it('is a fault when it ends badly without a word', () => {
    expect(faultsOf(run(''))).toEqual(['the compiler ended with 1: ']);
    expect(faultsOf(run('Unhandled exception: too large'))).toEqual([
      'the compiler ended with 1: Unhandled exception: too large',
    ]);
  });
});

/** Templates in miniature. */
function ground(name: string, files: Readonly<Record<string, string>>) {
  const infra = path.join(folder, name);
  mkdirSync(infra);
  const all = {
    'bicepconfig.json': '{ "extensions": { "microsoftGraphV1": "./graph.tgz" } }\n',
    'main.bicep': `@allowed([2048, 4096])
param memory int

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-\${memory}'
  location: resourceGroup().location
}
`,
    'main.bicepparam': `using './main.bicep'

param memory = any(int(readEnvironmentVariable('MEMORY', '2048')))
`,
    ...files,
  };
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(infra, file), text);
  return { infra, summaries: infra, cache, environments: [{ name: 'one', variables: {} }] };
}

function check(
  args: readonly string[],
  where: ReturnType<typeof ground>,
  environment = process.env,
) {
  const said: string[] = [];
  const output = { write: (text: string) => said.push(text) };
  const code = checkInfra(args, environment, where, { stdout: output, stderr: output });
  return { code, said: said.join('') };
}

describe('npm run check:infra', () => {
  it('fails where there is no compiler, and says what is missing', () => {
    const { code, said } = check([], ground('no-compiler', {}), { BICEP: '/nowhere/bicep' });
    expect(code).toBe(3);
    expect(said).toMatch(/There is no Bicep compiler: nothing was built.*NuGet/);
  });

  it('refuses arguments that it does not know', () => {
    expect(check(['--nonsense'], ground('arguments', {})).code).toBe(2);
  });
});

const compiler = compilerAtHand(process.env, cache);
const withCompiler = compiler === undefined ? describe.skip : describe;
if (compiler === undefined) {
  console.log('There is no Bicep compiler here: npm run check:infra restores one.');
}

withCompiler('npm run check:infra, with the compiler', () => {
  it('passes templates that are clean, and fails when what they make is not as it was', () => {
    const clean = ground('clean', {});
    expect(check(['--write'], clean)).toMatchObject({ code: 0 });
    const summary = path.join(clean.infra, 'one.txt');
    expect(readFileSync(summary, 'utf8')).toBe(
      'Microsoft.ManagedIdentity/userAssignedIdentities  id-2048\n',
    );
    writeFileSync(summary, 'Microsoft.Network/publicIPAddresses  ip\n');
    const { code, said } = check([], clean);
    expect(code).toBe(1);
    expect(said).toMatch(/- Microsoft.Network\/publicIPAddresses {2}ip\n {2}\+ .* {2}id-2048/);
  }, 120_000);

  it('fails on a template that is broken, whatever is the matter', () => {
    const { code, said } = check(
      [],
      ground('broken', {
        'main.bicep': `@allowed([2048, 4096])
param memory int
param   unused string = ''
resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: 'id-\${memory}'
  location: resourceGroup().location
  colour: 'red'
}
`,
        'main.bicepparam': `using './main.bicep'

param memory = int(readEnvironmentVariable('MEMORY', '2048'))
`,
      }),
    );
    expect(code).toBe(1);
    expect(said).toContain('main.bicep is not as `bicep format` leaves it');
    expect(said).toMatch(/main\.bicep:\d+ Error BCP037: The property "colour"/);
    expect(said).toMatch(/main\.bicep:\d+ Warning no-unused-params/);
    expect(said).toMatch(/environment one: not clean[^]*main\.bicepparam:3 Error BCP033/);
  }, 120_000);
});
