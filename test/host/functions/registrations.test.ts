/** The registration contract: `functions/` is the route table, no more and no less. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import hostJson from '../../../host.json';
import packageJson from '../../../package.json';
import { urlForms, type Route } from '../../../src/dicomweb/route.js';
import { routes } from '../../../src/dicomweb/routes.js';
import { FunctionsCore } from '../../support/host/functions-core.js';
import { functionsApp } from '../../support/service.js';

const kebabCase = (name: string) =>
  name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace(/^-/, '');

const catchAllFiles = [
  'attend-jobs.ts',
  'run-job.ts',
  'cors-preflight.ts',
  'import-file.ts',
  'recover-archive.ts',
  'sweep-archive.ts',
  'unknown-route.ts',
];
const catchAlls = [
  'corsPreflight OPTIONS {*path}',
  'unknownRoute GET,HEAD,POST,PUT,PATCH,DELETE {*path}',
];

const table = Object.values<Route>(routes);

describe('functions/', () => {
  it('has one file per route, named after it', () => {
    const files = readdirSync(path.join(__dirname, '../../../functions'));
    const wanted = [...table.map(({ name }) => `${kebabCase(name)}.ts`), ...catchAllFiles];
    const advice = [
      ...wanted
        .filter((file) => !files.includes(file))
        .map((file) => {
          const route = table.find(({ name }) => `${kebabCase(name)}.ts` === file);
          const call = route === undefined ? 'see git' : `register(routes.${route.name});`;
          return `add functions/${file}: ${call}`;
        }),
      ...files
        .filter((file) => !wanted.includes(file))
        .map((file) => `remove functions/${file}: routes.ts has no such route`),
    ];
    expect(advice).toEqual([]);
  });

  it('registers every URL form of every route, and the two catch-alls', async () => {
    const core = await functionsApp();
    const registered = core.functions.map((value) => {
      const [, { route, methods }] = FunctionsCore.trigger(value);
      return `${value.metadata.name} ${methods?.join() ?? ''} ${route ?? ''}`;
    });
    const wanted = table.flatMap((route) =>
      urlForms(route).map((form) => {
        const methods = route.method === 'GET' ? 'GET,HEAD' : route.method;
        return `${form.functionName} ${methods} ${form.template}`;
      }),
    );
    expect(registered.toSorted()).toEqual([...wanted, ...catchAlls].toSorted());
  });

  it('registers recovery, the sweep and the inspection of jobs on timers', async () => {
    const { timers } = await functionsApp();
    const schedules = timers.map(({ metadata: { name, bindings } }) => [
      name,
      ...Object.values(bindings).map((binding) => binding.schedule),
    ]);
    expect(schedules.toSorted()).toEqual([
      ['attendJobs', '30 */5 * * * *'],
      ['recoverArchive', '0 */5 * * * *'],
      ['sweepArchive', '0 17 * * * *'],
    ]);
  });

  it('registers the import and jobs on their queues, in the account of the archive', async () => {
    const { queues } = await functionsApp();
    const triggers = queues.map(({ metadata: { name, bindings } }) => [
      name,
      ...Object.values(bindings)
        .filter(({ direction }) => direction === 'in')
        .map(({ type, queueName, connection }) => ({ type, queueName, connection })),
    ]);
    expect(triggers.toSorted()).toEqual([
      ['importFile', { type: 'queueTrigger', queueName: 'import', connection: 'DicomStorage' }],
      ['runJob', { type: 'queueTrigger', queueName: 'jobs', connection: 'DicomStorage' }],
    ]);
    // The queue trigger is not built into the host.
    expect(hostJson.extensionBundle.id).toBe('Microsoft.Azure.Functions.ExtensionBundle');
  });

  it('leaves the checking of tokens to the pipeline', async () => {
    const core = await functionsApp();
    const levels = core.functions.map((value) => FunctionsCore.trigger(value)[1].authLevel);
    expect(new Set(levels)).toEqual(new Set(['anonymous']));
  });
});

describe('the app', () => {
  it('serves from the root and loads the functions only', () => {
    expect(hostJson.extensions.http.routePrefix).toBe('');
    expect(packageJson.main).toBe('dist/functions/*.js');
  });
});
