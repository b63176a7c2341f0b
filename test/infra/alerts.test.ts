/** The queries of the alerts, on lines that the service wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import type { Route, RouteDefinition } from '../../src/dicomweb/route.js';
import { routes } from '../../src/dicomweb/routes.js';
import type { Services } from '../../src/dicomweb/services.js';
import { ServiceError } from '../../src/errors.js';
import { openTo } from '../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../src/host/config.js';
import { importQueueName } from '../../src/host/jobs/import-job.js';
import { attendJobs } from '../../src/host/jobs/job-runner.js';
import { logToConsole } from '../../src/host/pipeline/log.js';
import { createPipeline } from '../../src/host/pipeline/pipeline.js';
import { runRecovery } from '../../src/host/jobs/recovery-job.js';
import { infra } from './bicep.js';
import { reply } from '../../src/http/reply.js';
import { asResponse } from '../support/host/web-response.js';
import { evaluateKql, type Row } from './kql.js';

const config = readConfig({ DICOMWEB_ALLOWED_ORIGINS: '*' });
const query = (name: string) => readFileSync(path.join(infra, 'queries', `${name}.kql`), 'utf8');

interface Trace extends Row {
  readonly Message: string;
}

/** What the service writes while `work` is done, as the host passes it on: a row of AppTraces each. */
async function tracesOf(work: () => Promise<unknown>): Promise<readonly Trace[]> {
  const lines: string[] = [];
  const stdout = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(String(line).trimEnd());
    return true;
  });
  try {
    await work();
  } finally {
    stdout.mockRestore();
  }
  return lines.map((Message) => ({ Message }));
}

type Handler = RouteDefinition['handler'];

/** One request to the end of its answer; with `abort` its client goes meanwhile. */
async function request(handler: Handler, { name = 'aRoute', abort = false } = {}) {
  const client = new AbortController();
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: async () => await Promise.resolve({} as Services),
    log: logToConsole,
  });
  const route: Route = { name, method: 'GET', path: 'a/route', permission: 'read', handler };
  const asked = new Request('http://localhost/a/route');
  const answer = asResponse(await pipeline(route, asked, {}, client.signal));
  const reader = answer.body?.getReader();
  if (abort) {
    await reader?.read();
    client.abort();
    await reader?.cancel();
    return;
  }
  try {
    while ((await reader?.read())?.done === false);
  } catch {
    // A body that breaks off is told by the log.
  }
}

const good: Handler = async () => await Promise.resolve(reply('body'));
const unavailable: Handler = async () =>
  await Promise.reject(new ServiceError('storage-unavailable', 'Away.'));
const broken: Handler = async () => await Promise.reject(new Error('a fault of ours'));
const refused: Handler = async () =>
  await Promise.reject(new ServiceError('instance-not-found', 'There is none.'));
/** Two chunks, and then nothing: a download that goes on until somebody ends it. */
const endless: Handler = async () =>
  await Promise.resolve(
    reply(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.enqueue(new Uint8Array(1000));
        },
      }),
    ),
  );
const breaking: Handler = async () =>
  await Promise.resolve(
    reply(
      new ReadableStream<Uint8Array>({
        pull(controller) {
          controller.error(new Error('storage broke off'));
        },
      }),
    ),
  );
/** An upload whose client goes: reading its body fails. */
const upload: Handler = async ({ signal }) =>
  await new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error('socket hang up'));
    });
  });

/** An upload that its client breaks off, to the end of its answer. */
async function abortedUpload(): Promise<void> {
  const client = new AbortController();
  const pipeline = createPipeline({
    config,
    authenticate: openTo(config),
    services: async () => await Promise.resolve({} as Services),
    log: logToConsole,
  });
  const route: Route = {
    name: 'storeInstances',
    method: 'POST',
    path: 'a/route',
    permission: 'write',
    handler: upload,
  };
  const asked = new Request('http://localhost/a/route', { method: 'POST', body: 'x' });
  const answered = pipeline(route, asked, {}, client.signal);
  setImmediate(() => client.abort());
  await asResponse(await answered).text();
}

async function times(count: number, work: () => Promise<unknown>): Promise<void> {
  for (let index = 0; index < count; index += 1) await work();
}

/** A row of the host for a request that it counts as failed. */
const hostFailure: Row = { ResultCode: '500', ItemCount: 1 };
const hostSuccess: Row = { ResultCode: '200', ItemCount: 1 };

describe('dicomweb-failed-requests', () => {
  const value = (traces: readonly Row[], requests: readonly Row[] = []) =>
    evaluateKql(query('failed-requests'), { AppTraces: traces, AppRequests: requests });

  it('is the share of requests that failed by our fault or that of storage', async () => {
    const traces = await tracesOf(async () => {
      await times(16, () => request(good));
      await times(2, () => request(refused));
      await request(unavailable);
      await request(broken);
    });
    // A line per request, and one per fault.
    expect(traces).toHaveLength(22);
    const host = [...Array<Row>(18).fill(hostSuccess), hostFailure, hostFailure];
    expect(value(traces, host)).toEqual([{ value: 10 }]);
  });

  it('counts a body that broke off after its head had been sent', async () => {
    const traces = await tracesOf(async () => {
      await times(19, () => request(good));
      await request(breaking);
    });
    expect(value(traces)).toEqual([{ value: 5 }]);
  });

  it('does not count transfers that clients broke off, though the host does', async () => {
    const traces = await tracesOf(async () => {
      await times(10, () => request(good));
      await times(10, () => request(endless, { abort: true }));
      await times(5, abortedUpload);
    });
    expect(traces.filter(({ Message }) => Message.includes('"aborted"'))).toHaveLength(15);
    expect(value(traces, Array<Row>(15).fill(hostFailure))).toEqual([{ value: 0 }]);
  });

  it('counts what the host answered without us, such as for a worker that ended', async () => {
    const traces = await tracesOf(() => times(15, () => request(good)));
    expect(value(traces, Array<Row>(5).fill(hostFailure))).toEqual([{ value: 25 }]);
  });

  it('says nothing of a few', async () => {
    expect(value(await tracesOf(() => request(broken)))).toEqual([]);
  });
});

describe('dicomweb-slow-requests', () => {
  const value = (traces: readonly Row[]) =>
    evaluateKql(query('slow-requests'), { AppTraces: traces });

  it('is the 95th percentile of searches and metadata, and of nothing else', async () => {
    const traces = await tracesOf(async () => {
      await times(30, () => request(good, { name: 'searchForStudies' }));
      await times(30, () => request(good, { name: 'retrieveStudy' }));
    });
    // The clock is not ours: what took how long is written over the lines.
    const slow = traces.map(({ Message }, index) => ({
      Message: Message.replace(/"milliseconds":\d+/, `"milliseconds":${index + 1}`),
    }));
    expect(value(slow)).toEqual([{ value: 29 }]);
    expect(value(slow.slice(30))).toEqual([]);
  });

  it('looks at the routes that people wait for first', async () => {
    for (const { name } of Object.values<Route>(routes)) {
      const traces = await tracesOf(() => times(20, () => request(good, { name })));
      const isFirstThing = /^searchFor|Metadata$/.test(name);
      expect({ name, rows: value(traces).length }).toEqual({ name, rows: isFirstThing ? 1 : 0 });
    }
  });
});

describe('dicomweb-recovery-backlog and -failures', () => {
  const recovered = (report: object) =>
    runRecovery(
      async () =>
        await Promise.resolve({
          archive: { recover: async () => await Promise.resolve(report) },
          maintenance: { note: async () => await Promise.resolve() },
        } as unknown as Services),
      logToConsole,
    );
  const failed = () =>
    runRecovery(async () => await Promise.reject(new Error('storage is away')), logToConsole);

  it('count what recovery had to do, and how often it could not', async () => {
    const AppTraces = await tracesOf(async () => {
      await recovered({ finished: 12, undone: 3 });
      await recovered({ finished: 30, undone: 7 });
      await recovered({ finished: 0, undone: 0 });
      await times(3, failed);
      await request(broken);
    });
    expect(evaluateKql(query('recovery-backlog'), { AppTraces })).toEqual([{ value: 52 }]);
    expect(evaluateKql(query('recovery-failures'), { AppTraces })).toEqual([{ value: 3 }]);
  });

  it('are zero when all is well', async () => {
    const AppTraces = await tracesOf(() => request(good));
    expect(evaluateKql(query('recovery-backlog'), { AppTraces })).toEqual([{ value: 0 }]);
    expect(evaluateKql(query('recovery-failures'), { AppTraces })).toEqual([{ value: 0 }]);
  });
});

describe('dicomweb-poison-messages', () => {
  it('counts what the host sets aside, and no other message', () => {
    const put = (queue: string): Row => ({
      OperationName: 'PutMessage',
      Uri: `https://stdicomx.queue.core.windows.net:443/${queue}/messages?visibilitytimeout=0`,
    });
    const StorageQueueLogs = [
      put(importQueueName),
      put(`${importQueueName}-poison`),
      { ...put(`${importQueueName}-poison`), OperationName: 'DeleteMessage' },
    ];
    expect(evaluateKql(query('poison-messages'), { StorageQueueLogs })).toEqual([{ value: 1 }]);
  });
});

describe('dicomweb-standing-jobs', () => {
  it('tells how long the job that has stood still longest has', async () => {
    const found = (standingStillSeconds: number) =>
      attendJobs(
        async () =>
          await Promise.resolve({
            jobs: {
              attend: async () => await Promise.resolve({ announced: 2, standingStillSeconds }),
            },
          } as unknown as Services),
        logToConsole,
      );
    const AppTraces = await tracesOf(async () => {
      await found(0);
      await found(2400);
      await found(1900);
      await request(broken);
    });
    expect(evaluateKql(query('standing-jobs'), { AppTraces })).toEqual([{ value: 2400 }]);
  });
});

describe('the workbook', () => {
  const items = (
    JSON.parse(readFileSync(path.join(infra, 'workbook.json'), 'utf8')) as {
      readonly items: readonly { readonly name: string; readonly content: { query?: string } }[];
    }
  ).items;
  /** What a panel makes of each line, before it counts them. */
  const linesOf = (panel: string, AppTraces: readonly Row[]) => {
    const counted = items.find(({ name }) => name === panel)?.content.query ?? '';
    return evaluateKql(counted.slice(0, counted.indexOf('| summarize')), { AppTraces });
  };
  const traffic = async () =>
    await tracesOf(async () => {
      await times(2, () => request(good));
      await request(refused);
      await request(broken);
      await request(breaking);
      await request(endless, { abort: true });
      await abortedUpload();
    });

  it('shows transfers that clients broke off as such, and never as failures', async () => {
    const shown = linesOf('requests', await traffic()).map(({ status }) => status);
    const abort = 'broken off by the client';
    expect(shown).toEqual(['2xx', '2xx', '4xx', '5xx', '5xx', abort, abort]);
  });

  it('does not list them among refusals and failures', async () => {
    const shown = linesOf('errors', await traffic()).map(({ code }) => code);
    expect(shown).toContain('instance-not-found');
    expect(shown).not.toContain('client-aborted');
  });
});

describe('the alerts', () => {
  it('have no query that is not tried here', () => {
    const here = readFileSync(__filename, 'utf8');
    for (const file of readdirSync(path.join(infra, 'queries'))) {
      expect(here).toContain(`query('${file.replace('.kql', '')}')`);
    }
  });

  it('are refused by the evaluator when they hold what it does not know', () => {
    const tables = { T: [{ a: 1 }] };
    expect(() => evaluateKql('T | take 5', tables)).toThrow(/operator take/);
    expect(() => evaluateKql('T | where b == 1', tables)).toThrow(/no column b/);
    expect(() => evaluateKql('T | where strlen(a) == 1', tables)).toThrow(/function strlen/);
    expect(() => evaluateKql('U | where a == 1', tables)).toThrow(/no table U/);
    expect(() => evaluateKql('T | where a == 1 x', tables)).toThrow(/goes on with x/);
  });
});
