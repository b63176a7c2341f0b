/** The templates and the code: each names what the other does, and nothing that it does not. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import hostJson from '../../host.json';
import memoryJson from '../../infra/memory.json';
import packageJson from '../../package.json';
import { environments, everyVariable } from '../../scripts/infra/environments.js';
import { builtInRoles } from '../../scripts/infra/summary.js';
import { appRoles } from '../../src/auth/roles.js';
import type { Route } from '../../src/dicomweb/route.js';
import { routes } from '../../src/dicomweb/routes.js';
import { readConfig, settings } from '../../src/host/config.js';
import { importQueueName } from '../../src/host/jobs/import-job.js';
import { jobQueueName } from '../../src/host/jobs/job-runner.js';
import { containerNames } from '../../src/storage/blob-store.js';
import { tableNames } from '../../src/storage/table-store.js';
import { tableRows } from '../docs/markdown.js';
import {
  declared,
  infra,
  member,
  readTemplates,
  readVariable,
  type Properties,
  type Template,
  type Value,
} from './bicep.js';

const root = path.join(infra, '..');
let templates: ReadonlyMap<string, Template>;

beforeAll(async () => {
  templates = new Map((await readTemplates()).map((template) => [template.file, template]));
});

function template(file: string): Template {
  const found = templates.get(file);
  if (found === undefined) throw new Error(`There is no ${file}.`);
  return found;
}

const valueIn = (file: string, name: string): Value | undefined =>
  declared(template(file), name).value;

const namesIn = (file: string, name: string): readonly string[] =>
  Object.keys(valueIn(file, name) as Properties);

const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

const mebibyte = 1024 ** 2;
const memory = memoryJson;

/** The environments whose deployments have been evaluated. */
const evaluated = readdirSync(path.join(root, 'test/infra/summaries')).map((file) =>
  path.basename(file, '.txt'),
);

/** What follows a word in the summary of an evaluated deployment. */
function summaryOf(environment: string, word: string): string | undefined {
  const text = read(`test/infra/summaries/${environment}.txt`);
  const start = text.indexOf(word);
  return start === -1 ? undefined : text.slice(start + word.length).split(/\s/)[0];
}

describe('app settings', () => {
  /** Settings of the code that the function app must not have, and why. */
  const localOnly: Readonly<Record<string, string>> = {
    DicomStorage: 'a connection string holds a key, and keys are off',
    PORT: 'of the local server',
    DICOMWEB_HOST: 'of the local server',
    DICOMWEB_DATA_DIR: 'of the local server',
    DICOM_AUTH_MODE: 'opens the service to everyone',
    DICOMWEB_TRUST_FORWARDED_HEADERS: 'the public URL is set, and comes first',
  };
  /** Settings that the platform reads, and not the code. */
  const platform = [
    'AzureWebJobsStorage__credential',
    'AzureWebJobsStorage__clientId',
    'AzureWebJobsStorage__blobServiceUri',
    'APPLICATIONINSIGHTS_CONNECTION_STRING',
    'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
    'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  ];
  const known = Object.values(settings).map(({ variable }) => variable);

  it('are those that the code reads, each one, and none that it does not know', () => {
    const set = [
      ...namesIn('modules/function-app.bicep', 'settings'),
      ...namesIn('settings.bicep', 'furtherSettings'),
    ];
    const needed = known.filter((name) => !Object.hasOwn(localOnly, name));
    expect([...set].sort()).toEqual([...needed, ...platform].sort());
  });

  it('have none that glibc or Node read when a process starts: the platform gives them to one that runs', () => {
    const set = namesIn('modules/function-app.bicep', 'settings');
    const atStart = /^(?:MALLOC_|GLIBC_|NODE_|UV_|LD_|languageWorkers)/;
    expect(set.filter((name) => atStart.test(name))).toEqual([]);
  });

  it('leave out only what the code has', () => {
    expect(known).toEqual(expect.arrayContaining(Object.keys(localOnly)));
  });

  it('have the types that the code expects', () => {
    for (const [name, given] of Object.entries(
      valueIn('settings.bicep', 'furtherSettings') as Properties,
    )) {
      const setting = Object.values(settings).find(({ variable }) => variable === name);
      const expected = setting?.expected ?? '';
      const type = expected.startsWith('a whole number')
        ? 'int?'
        : expected === 'true or false'
          ? 'bool?'
          : 'string?';
      expect({ name, type: given }).toEqual({ name, type: { expression: type } });
    }
  });

  it('make a service that is locked, with storage by identity and a queue', () => {
    const samples: Readonly<Record<string, string>> = {
      DicomStorage__blobServiceUri: 'https://account.blob.core.windows.net/',
      DicomStorage__tableServiceUri: 'https://account.table.core.windows.net/',
      DicomStorage__queueServiceUri: 'https://account.queue.core.windows.net/',
      DicomStorage__clientId: 'b0a4f2de-0b1f-4a53-8a3b-2ef1b7a1ad4f',
      DICOM_AUTH_TENANT_ID: 'c11c6f26-54b6-4a0c-b1ea-93a59a0a4a07',
      DICOM_AUTH_AUDIENCE: '0f3e5d5b-7a52-4c49-9f0e-0d3a6c0c8f11,api://c11c6f26/dicomweb-x',
      DICOMWEB_ALLOWED_ORIGINS: 'https://func-dicomweb-x.azurewebsites.net',
      // As Resource Manager spells them.
      DICOMWEB_PARTITIONS: 'False',
      DICOMWEB_IMPORT_KEEP_FILES: 'False',
      DICOMWEB_MAX_REQUEST_BYTES: '59768832',
      // Parameters that are empty unless given.
      DICOM_AUTH_ISSUER: '',
      DICOMWEB_PUBLIC_URL: 'https://func-dicomweb-x.azurewebsites.net',
    };
    const environment = Object.entries(
      valueIn('modules/function-app.bicep', 'settings') as Properties,
    )
      .filter(([name]) => known.includes(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value : samples[name]]);
    expect(environment.filter(([, value]) => value === undefined)).toEqual([]);
    const config = readConfig(Object.fromEntries(environment) as Record<string, string>);
    expect(config.auth.kind).toBe('tokens');
    expect(config.storage).toEqual({
      kind: 'identity',
      blobServiceUri: 'https://account.blob.core.windows.net',
      tableServiceUri: 'https://account.table.core.windows.net',
      queueServiceUri: 'https://account.queue.core.windows.net',
      clientId: 'b0a4f2de-0b1f-4a53-8a3b-2ef1b7a1ad4f',
    });
    expect(config.allowedOrigins).toEqual(['https://func-dicomweb-x.azurewebsites.net']);
  });

  it('let the host take a little more than the service, which alone answers 413', () => {
    for (const { same, refused, name } of environments) {
      if (same !== undefined || refused !== undefined) continue;
      const bytes = (setting: string) => Number(summaryOf(name, `  setting  ${setting}=`));
      expect(bytes('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT')).toBe(
        bytes('DICOMWEB_MAX_REQUEST_BYTES') + memory.aboveServiceMiB * mebibyte,
      );
    }
  });

  it('let no more into the memory than fits beside the process, as evaluated by Bicep', () => {
    for (const { same, refused, name } of environments) {
      if (same !== undefined || refused !== undefined) continue;
      const host = Number(summaryOf(name, '  setting  FUNCTIONS_REQUEST_BODY_SIZE_LIMIT='));
      const scale = 'functionAppConfig.scaleAndConcurrency';
      const requests = Number(summaryOf(name, `${scale}.triggers.http.perInstanceConcurrency=`));
      const megabytes = Number(summaryOf(name, `${scale}.instanceMemoryMB=`));
      expect(host).toBeGreaterThan(0);
      expect(host * memory.timesBody * requests + memory.besideMiB * mebibyte).toBeLessThanOrEqual(
        megabytes * mebibyte,
      );
    }
  });

  it('tell the service under which URL it is reached', () => {
    const url = /^https:\/\/func-dicomweb-\w+\.azurewebsites\.net$/;
    expect(summaryOf('nothing-set', '  setting  DICOMWEB_PUBLIC_URL=')).toMatch(url);
    const given = everyVariable['DICOMWEB_PUBLIC_URL'];
    expect(summaryOf('everything-set', '  setting  DICOMWEB_PUBLIC_URL=')).toBe(given);
  });
});

describe('storage', () => {
  it('has the containers, tables and queues of the code', () => {
    const data = 'modules/data-storage.bicep';
    expect(valueIn(data, 'containerNames')).toEqual([...containerNames]);
    expect(valueIn(data, 'tableNames')).toEqual([...tableNames]);
    expect(valueIn(data, 'queueNames')).toEqual([
      importQueueName,
      `${importQueueName}-poison`,
      jobQueueName,
      `${jobQueueName}-poison`,
    ]);
  });

  it('creates them', () => {
    const loops = [...template('modules/data-storage.bicep').text.matchAll(/for \w+ in (\w+)/g)];
    expect(loops.map(([, list]) => list)).toEqual(['containerNames', 'tableNames', 'queueNames']);
  });

  it('is in the summaries as it is in the templates: npm run check:infra -- --write', () => {
    const summary = read('test/infra/summaries/nothing-set.txt');
    for (const name of [...containerNames, ...tableNames]) {
      expect(summary).toMatch(
        new RegExp(`/(?:containers|tables) {2}stdicom\\w+/default/${name}\n`),
      );
    }
  });

  it('announces uploads where the code waits for them', () => {
    const events = 'modules/import-events.bicep';
    expect(valueIn(events, 'importQueue')).toBe(importQueueName);
    expect(containerNames).toContain(valueIn(events, 'importContainer'));
  });

  it('moves no blobs but instances to cooler tiers', () => {
    const prefixes = template('modules/data-storage.bicep').text.match(/prefixMatch: \[.*\]/g);
    expect(prefixes).toEqual(["prefixMatch: ['instances/']"]);
    expect(containerNames).toContain('instances');
  });

  it.each(['modules/data-storage.bicep', 'modules/host-storage.bicep'])(
    '%s opens to identities over TLS 1.2 only',
    (file) => {
      expect(member(valueIn(file, 'account'), 'properties')).toMatchObject({
        allowSharedKeyAccess: false,
        allowBlobPublicAccess: false,
        minimumTlsVersion: 'TLS1_2',
        supportsHttpsTrafficOnly: true,
      });
    },
  );
});

describe('roles', () => {
  function expressionOf(value: Value | undefined): string {
    const text = member(value, 'expression');
    return typeof text === 'string' ? text : 'no expression';
  }

  /** `principal: role on scope` of every assignment in all templates. */
  function assignments(): readonly string[] {
    return [...templates.values()].flatMap(({ file, declarations }) =>
      declarations
        .filter(({ of = '' }) => of.startsWith('Microsoft.Authorization/roleAssignments@'))
        .map(({ node, value }) => {
          const [, list, key = ''] =
            /roleDefinitions',\s*(?:(\w+)\.)?(\w+)\s*\)/.exec(node.text) ?? [];
          const id = list === undefined ? valueIn(file, key) : member(valueIn(file, list), key);
          const principal = expressionOf(member(value, 'properties', 'principalId'));
          const role = typeof id === 'string' ? builtInRoles[id] : undefined;
          return `${principal}: ${role ?? 'unknown role'} on ${expressionOf(member(value, 'scope'))}`;
        }),
    );
  }

  it('are those that the code and its host need, and no other', () => {
    // The code has containers, tables and a queue, all in the one account.
    const ofTheCode = [
      'Storage Blob Data Contributor',
      'Storage Table Data Contributor',
      'Storage Queue Data Contributor',
    ];
    expect([...assignments()].sort()).toEqual(
      [
        ...ofTheCode.map((role) => `principalId: ${role} on dataAccount`),
        // Direct uploads sign for one blob with a key of the account.
        'principalId: Storage Blob Delegator on dataAccount',
        'principalId: Storage Blob Data Owner on hostAccount',
        'principalId: Monitoring Metrics Publisher on insights',
        'topic.identity.principalId: Storage Queue Data Message Sender on account::queueService::queue',
      ].sort(),
    );
  });

  it('of apps are those of the code, word for word', () => {
    const roles = valueIn('modules/app-registration.bicep', 'roles');
    expect(roles).toEqual(
      appRoles.map(({ value, displayName, description, perPartition }) => ({
        value,
        displayName,
        description,
        perPartition,
      })),
    );
    // The template lets every role be given to both.
    for (const { members } of appRoles) expect(members).toEqual(['User', 'Application']);
  });

  it('that a tester is given are roles of the code', () => {
    const names = appRoles.map(({ value }) => value);
    const given = valueIn('modules/app-registration.bicep', 'rolesOfTester') as readonly string[];
    expect(names).toEqual(expect.arrayContaining([...given]));
  });
});

describe('the function app', () => {
  it('runs a version of Node that the code runs on', () => {
    const [, least = ''] = /^>=(\d+)\.\d+$/.exec(packageJson.engines.node) ?? [];
    const { node } = declared(template('main.bicep'), 'nodeVersion');
    const decorators = node.previousNamedSibling?.text ?? '';
    const [, list = ''] = /@allowed\(\[(.*?)\]\)/.exec(decorators) ?? [];
    const [empty, ...allowed] = list.split(', ').map((text) => Number(text.replaceAll("'", '')));
    expect(empty).toBe(0);
    const byDefault = valueIn('settings.bicep', 'defaultNodeVersion');
    expect(allowed).toContain(Number(byDefault));
    const version = 'functionAppConfig.runtime.version=';
    expect(summaryOf('nothing-set', version)).toBe(byDefault);
    expect(summaryOf('everything-set', version)).toBe(everyVariable['DICOM_NODE_VERSION']);
    for (const version of allowed) expect(version).toBeGreaterThanOrEqual(Number(least));
  });

  it('answers at the URLs that the outputs tell, without a prefix', () => {
    expect(hostJson.extensions.http.routePrefix).toBe('');
  });

  it('is the service of azure.yaml, deployed as npm run package leaves it', () => {
    const yaml = read('azure.yaml');
    const tags = template('modules/function-app.bicep').text;
    const [, service = ''] = /'azd-service-name': '(\w+)'/.exec(tags) ?? [];
    expect(yaml).toMatch(new RegExp(`^services:\\n {2}${service}:$`, 'm'));
    expect(yaml).toMatch(/^ {4}dist: \.package\/app$/m);
    expect(yaml).toMatch(/^ {4}remoteBuild: false$/m);
    expect(read('scripts/package/run-package.ts')).toContain("path.join(root, '.package')");
  });

  it('is surrounded by hooks that exist', () => {
    const commands = [...read('azure.yaml').matchAll(/^ +run: (.*)$/gm)].map(([, run = '']) => run);
    expect(new Set(commands)).toEqual(
      new Set(['npm run package', 'node scripts/preflight.mjs', 'npm run smoke -- --lend-roles']),
    );
    for (const command of commands) {
      const [, script] = /^npm run ([\w:]+)(?: -- .*)?$/.exec(command) ?? [];
      const [, file = ''] = /^node (\S+)$/.exec(command) ?? [];
      if (script === undefined) expect(existsSync(path.join(root, file))).toBe(true);
      else expect(packageJson.scripts).toHaveProperty([script]);
    }
  });
});

describe('the environments of the check', () => {
  it('set every variable of the parameters once', () => {
    const asked = template('main.bicepparam')
      .declarations.map(({ node }) => readVariable(node.text)?.name ?? '')
      .filter((name) => !name.startsWith('AZURE_'));
    expect(Object.keys(everyVariable).sort()).toEqual([...asked].sort());
  });

  it('are five at least, each with a summary or the name of the one that it equals', () => {
    expect(environments.length).toBeGreaterThanOrEqual(5);
    for (const { name, same = name, refused } of environments) {
      if (refused !== undefined) continue;
      expect(read(`test/infra/summaries/${same}.txt`)).toContain('Microsoft.Web/sites  ');
    }
  });
});

describe('telemetry', () => {
  it('has no dependencies of the host: they would hold the query of every request', () => {
    expect(hostJson.logging.applicationInsights.enableDependencyTracking).toBe(false);
  });

  it('has no URL of tables, and of blobs only where it is asked for', () => {
    const logs = (name: string) =>
      [...read(`test/infra/summaries/${name}.txt`).matchAll(/^.*diagnosticSettings {2}.*$/gm)].map(
        ([line]) => line.replace(/^.*\/(\w+Services)\/default(?: {2})?/, '$1 ').trim(),
      );
    expect(logs('nothing-set')).toEqual([
      'blobServices logs=',
      'queueServices logs=StorageWrite',
      'tableServices',
      expect.stringMatching(/metrics {2}on Microsoft\.Web\/sites\//),
    ]);
    expect(evaluated).toContain('everything-set');
    for (const environment of evaluated) {
      const tables = logs(environment).filter((line) => line.startsWith('table'));
      // Their queries have what is sought in them: no parameter may turn logs of them on.
      expect({ environment, tables }).toEqual({ environment, tables: ['tableServices'] });
    }
    expect(logs('everything-set')).toContainEqual(expect.stringMatching(/^blobServices logs=\w/));
  });
});

describe('the archive on Azure', () => {
  const lineOf = (environment: string, type: string): string =>
    new RegExp(`^${type} .*stdicom.*$`, 'm').exec(
      read(`test/infra/summaries/${environment}.txt`),
    )?.[0] ?? '';

  it('asks for an identity wherever it can be reached, and by one parameter answers its app alone', () => {
    for (const environment of evaluated) {
      const line = lineOf(environment, 'Microsoft.Storage/storageAccounts');
      expect(line).toContain('allowSharedKeyAccess=false  allowBlobPublicAccess=false');
    }
    expect(lineOf('private-network', 'Microsoft.Storage/storageAccounts')).toMatch(
      /publicNetworkAccess=Disabled .*networkAcls\.defaultAction=Deny/,
    );
  });

  it('is locked against deletion, and goes back to a moment, by parameters', () => {
    const blobs = 'Microsoft.Storage/storageAccounts/blobServices';
    expect(lineOf('nothing-set', blobs)).toMatch(/deleteRetentionPolicy\.days=[1-9]/);
    expect(lineOf('everything-set', 'Microsoft.Authorization/locks')).toContain('CanNotDelete');
    expect(lineOf('everything-set', blobs)).toMatch(/restorePolicy\.days=[1-9]/);
  });
});

describe('the second lock', () => {
  it('leaves open what is open to everyone, in each version, and nothing else', () => {
    const open = Object.values<Route>(routes).filter(
      ({ permission }) => permission === 'anonymous',
    );
    const paths = ['', '/v1', '/v2'].flatMap((version) =>
      open.map(({ path: route }) => `${version}/${route}`),
    );
    const excluded = valueIn('modules/function-app.bicep', 'anonymousPaths') as readonly string[];
    expect([...excluded].sort()).toEqual(paths.sort());
  });

  it('is there only by parameter', () => {
    expect(read('test/infra/summaries/nothing-set.txt')).not.toContain('authsettingsV2');
    expect(read('test/infra/summaries/everything-set.txt')).toContain('authsettingsV2');
  });
});

describe('uploads from browsers', () => {
  it('may be sent by pages of the allowed origins, and by no other', () => {
    expect(summaryOf('nothing-set', 'cors.corsRules=')).toBe('');
    expect(read('test/infra/summaries/everything-set.txt')).toContain(
      `cors.corsRules=PUT from ${(everyVariable['DICOMWEB_ALLOWED_ORIGINS'] ?? '').replace(',', ', ')}\n`,
    );
  });
});

describe('monitoring', () => {
  it('shows fields that the log has', () => {
    const fields = new Set(
      [...read('src/host/pipeline/log.ts').matchAll(/^ {2}readonly (\w+)/gm)].map(
        ([, field]) => field,
      ),
    );
    const workbook = JSON.parse(read('infra/workbook.json')) as {
      readonly items: readonly unknown[];
    };
    expect(workbook.items.length).toBeGreaterThan(5);
    const used = [...read('infra/workbook.json').matchAll(/\bentry\.(\w+)/g)].map(
      ([, field]) => field,
    );
    expect(used.filter((field) => !fields.has(field))).toEqual([]);
    expect(read('src/host/jobs/import-job.ts')).toContain(
      'Import: a file of ${bytes} bytes is ${outcome}',
    );
  });
});

describe('docs/deploy.md', () => {
  it('has every variable with its default', () => {
    const columns = ['Variable', 'Default', 'Effect'];
    const documented = tableRows('docs/deploy.md', columns);
    const asked = template('main.bicepparam')
      .declarations.map(({ node }) => readVariable(node.text))
      .filter((variable) => variable?.name.startsWith('AZURE_') === false);
    expect(documented.map(([variable, value]) => [variable, value])).toEqual(
      asked.map((variable) => [variable?.name, variable?.fallback || '–']),
    );
  });

  it('counts its costs right', () => {
    const rows = tableRows('docs/deploy.md', ['What', 'Quantity', 'Price', 'Dollars']);
    let sum = 0;
    let sums = 0;
    for (const [what = '', quantity = '', price = '', dollars = ''] of rows) {
      if (quantity === '') {
        expect(`${what} ${dollars}`).toBe(`**together** **${sum.toFixed(2)}**`);
        sum = 0;
        sums += 1;
      } else {
        expect(`${what} ${dollars}`).toBe(
          `${what} ${(Number(quantity) * Number(price)).toFixed(2)}`,
        );
        sum += Number(dollars);
      }
    }
    expect(sums).toBe(2);
  });

  it('has every output', () => {
    const rows = tableRows('docs/deploy.md', ['Output', 'Is']).map(([name]) => name);
    const outputs = template('main.bicep').declarations.filter(({ kind }) => kind === 'output');
    expect(rows).toEqual(outputs.map(({ name }) => name));
  });
});
