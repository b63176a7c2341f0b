/** The templates and the code: each names what the other does, and nothing that it does not. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import hostJson from '../../host.json';
import packageJson from '../../package.json';
import { environments, everyVariable } from '../../scripts/infra/environments.js';
import { builtInRoles } from '../../scripts/infra/summary.js';
import { appRoles } from '../../src/auth/roles.js';
import { defaultLimits } from '../../src/dicomweb/limits.js';
import { urlForms, type Route } from '../../src/dicomweb/route.js';
import { routes } from '../../src/dicomweb/routes.js';
import type { Services } from '../../src/dicomweb/services.js';
import { readConfig, settings } from '../../src/host/config.js';
import { importQueueName } from '../../src/host/import-job.js';
import type { LogEntry } from '../../src/host/log.js';
import { runRecovery } from '../../src/host/recovery-job.js';
import { containerNames } from '../../src/storage/blob-store.js';
import { tableNames } from '../../src/storage/table-store.js';
import { tableRows } from '../docs/markdown.js';
import { deployedEnvironment } from '../support/deployed-environment.js';
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
    ...Object.keys(deployedEnvironment),
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

  it('give glibc what long tests of the service give it', () => {
    expect(valueIn('modules/function-app.bicep', 'settings')).toMatchObject(deployedEnvironment);
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
      DICOMWEB_MAX_REQUEST_BYTES: '4294967296',
      // Parameters that are empty unless given.
      DICOM_AUTH_ISSUER: '',
      DICOMWEB_PUBLIC_URL: '',
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
    expect(valueIn('main.bicep', 'maxRequestBytes')).toBe(defaultLimits.requestBytes);
    const host = member(
      valueIn('modules/function-app.bicep', 'settings'),
      'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
    );
    expect(host).toEqual({ expression: 'string(maxRequestBytes + 1048576)' });
  });
});

describe('storage', () => {
  it('has the containers, tables and queues of the code', () => {
    const data = 'modules/data-storage.bicep';
    expect(valueIn(data, 'containerNames')).toEqual([...containerNames]);
    expect(valueIn(data, 'tableNames')).toEqual([...tableNames]);
    expect(valueIn(data, 'queueNames')).toEqual([importQueueName, `${importQueueName}-poison`]);
  });

  it('creates them', () => {
    const loops = [...template('modules/data-storage.bicep').text.matchAll(/for \w+ in (\w+)/g)];
    expect(loops.map(([, list]) => list)).toEqual(['containerNames', 'tableNames', 'queueNames']);
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

  it('that the smoke test is given are roles of the code', () => {
    const names = appRoles.map(({ value }) => value);
    const given = valueIn('modules/app-registration.bicep', 'rolesOfTester') as readonly string[];
    expect(names).toEqual(expect.arrayContaining([...given]));
  });
});

describe('the function app', () => {
  it('runs a version of Node that the code runs on', () => {
    const [, least = ''] = /^>=(\d+)\.\d+$/.exec(packageJson.engines.node) ?? [];
    const { node, value } = declared(template('main.bicep'), 'nodeVersion');
    const decorators = node.previousNamedSibling?.text ?? '';
    const [, list = ''] = /@allowed\(\[(.*?)\]\)/.exec(decorators) ?? [];
    const allowed = list.split(', ').map((text) => Number(text.replaceAll("'", '')));
    expect(allowed).toContain(Number(value));
    for (const version of allowed) expect(version).toBeGreaterThanOrEqual(Number(least));
    expect(member(valueIn('modules/function-app.bicep', 'app'), 'properties')).toMatchObject({
      functionAppConfig: { runtime: { name: 'node', version: { expression: 'nodeVersion' } } },
    });
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
      new Set(['npm run package', 'node scripts/preflight.mjs', 'npm run smoke']),
    );
    for (const command of commands) {
      const [, script] = /^npm run ([\w:]+)$/.exec(command) ?? [];
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
    for (const { name, same = name } of environments) {
      expect(read(`test/infra/summaries/${same}.txt`)).toContain('Microsoft.Web/sites  ');
    }
  });
});

describe('monitoring', () => {
  it('reads of recovery what recovery writes', async () => {
    const entries: LogEntry[] = [];
    const report = { finished: 12, undone: 3 };
    const services = { archive: { recover: async () => await Promise.resolve(report) } };
    await runRecovery(
      async () => await Promise.resolve(services as unknown as Services),
      (entry) => entries.push(entry),
    );
    const [, kql = ''] =
      /\| parse message with (.*)/.exec(read('infra/queries/recovery-backlog.kql')) ?? [];
    const pattern = kql.replaceAll(/ ?(\w+): long ?/g, '(\\d+)').replaceAll('"', '');
    expect(entries).toEqual([
      { event: 'notice', message: expect.stringMatching(new RegExp(`^${pattern}$`)) },
    ]);
  });

  it('knows the fault that recovery writes when it fails', async () => {
    const entries: LogEntry[] = [];
    await runRecovery(
      async () => await Promise.reject(new Error('storage is away')),
      (entry) => entries.push(entry),
    );
    const kql = read('infra/queries/recovery-failures.kql');
    const [, event = ''] = /entry\.event\) == "(\w+)"/.exec(kql) ?? [];
    const [, route = ''] = /entry\.route\) == "(\w+)"/.exec(kql) ?? [];
    expect(entries).toMatchObject([{ event, route }]);
  });

  it('measures functions that there are', () => {
    const names = Object.values<Route>(routes).flatMap((route) =>
      urlForms(route).map(({ functionName }) => functionName),
    );
    const kql = read('infra/queries/slow-requests.kql');
    const [, start = '?', part = '?'] =
      /startswith "(\w+)" or Name contains "(\w+)"/.exec(kql) ?? [];
    for (const { name } of Object.values<Route>(routes)) {
      const isFirstThing = /^searchFor|Metadata$/.test(name);
      expect(name.startsWith(start) || name.includes(part)).toBe(isFirstThing);
    }
    expect(names.filter((name) => name.startsWith(start)).length).toBeGreaterThan(6);
  });

  it('watches the queue where poison messages go', () => {
    expect(read('infra/queries/poison-messages.kql')).toContain(`/${importQueueName}-poison/`);
  });

  it('shows fields that the log has', () => {
    const fields = new Set(
      [...read('src/host/log.ts').matchAll(/^ {2}readonly (\w+)/gm)].map(([, field]) => field),
    );
    const workbook = JSON.parse(read('infra/workbook.json')) as {
      readonly items: readonly unknown[];
    };
    expect(workbook.items.length).toBeGreaterThan(5);
    const used = [...read('infra/workbook.json').matchAll(/\bentry\.(\w+)/g)].map(
      ([, field]) => field,
    );
    expect(used.filter((field) => !fields.has(field))).toEqual([]);
    expect(read('src/host/import-job.ts')).toContain(
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
