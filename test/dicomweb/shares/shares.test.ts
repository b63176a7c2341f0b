/** Links end to end: what one opens, on both hosts, and that it opens nothing else by any route. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Principal } from '../../../src/auth/principal.js';
import { grantsOf } from '../../../src/auth/roles.js';
import type { Route } from '../../../src/dicomweb/route.js';
import { routes } from '../../../src/dicomweb/routes.js';
import { ServiceError } from '../../../src/errors.js';
import type { Authenticator } from '../../../src/host/pipeline/authenticator.js';
import type { LogEntry } from '../../../src/host/pipeline/log.js';
import { keepSecret } from '../../support/leaks.js';
import {
  freshUids,
  pathOf,
  sample,
  valueOf,
  type Json,
  type Sample,
} from '../../support/conformance.js';
import { hosts, startService, type Service, type ServiceOptions } from '../../support/service.js';

interface Link {
  readonly id: string;
  readonly study: string;
  readonly series?: string;
  readonly created: string;
  readonly expires: string;
  readonly createdBy: object;
  readonly secret: string;
  readonly pageUrl: string;
  readonly resourceUrl: string;
}

const jane: Principal = { grants: grantsOf(['Dicom.Admin'], []), objectId: 'jane', appId: 'page' };

/** Jane, by any header; nobody without one. */
const janeOnly: Authenticator = async ({ headers }) => {
  if (headers.has('authorization')) return await Promise.resolve(jane);
  throw new ServiceError('unauthenticated', 'The request needs an access token.');
};

let service: Service;

async function start(options: Partial<ServiceOptions> = {}): Promise<void> {
  const { config, ...others } = options;
  service = await startService({
    host: 'local',
    access: janeOnly,
    config: { shares: { defaultDays: 7 }, ...config },
    ...others,
  });
}

afterEach(async () => await service.stop());

const asJane = { Authorization: 'Bearer jane' };
const url = (path: string) => service.baseUrl + path;

async function store(...samples: readonly Sample[]): Promise<void> {
  for (const { file } of samples) {
    const response = await fetch(url('/studies'), {
      method: 'POST',
      headers: { ...asJane, 'Content-Type': 'application/dicom' },
      body: new Uint8Array(file),
    });
    expect(response.status).toBe(200);
  }
}

async function ask(body: unknown, prefix = ''): Promise<Response> {
  return await fetch(url(`${prefix}/shares`), {
    method: 'POST',
    headers: { ...asJane, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function share(body: unknown, prefix = ''): Promise<Link> {
  const response = await ask(body, prefix);
  expect(response.status).toBe(201);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const link = (await response.json()) as Link;
  // Nothing that the service logs may tell of it; the services of this file are searched when they stop.
  keepSecret(link.secret);
  expect(response.headers.get('location')).toBe(url(`${prefix}/shares/${link.id}`));
  return link;
}

/** A request with the secret in the query. */
async function byQuery(path: string, { secret }: Link, init: RequestInit = {}): Promise<Response> {
  return await fetch(`${url(path)}${path.includes('?') ? '&' : '?'}share=${secret}`, init);
}

/** A request with the secret as a bearer token. */
async function byHeader(path: string, { secret }: Link, init: RequestInit = {}): Promise<Response> {
  return await fetch(url(path), { ...init, headers: { Authorization: `Bearer ${secret}` } });
}

const ways = { byQuery, byHeader };

const uidsAt = async (response: Response, tag: string) => {
  if (response.status === 204) return [];
  expect(response.status).toBe(200);
  return ((await response.json()) as readonly Json[]).map((one) => valueOf(one, tag)).sort();
};

const order = ['createShare', 'retrieveInstanceMetadata', 'retrieveStudy', 'searchForStudies'];
const orderOf = (line: LogEntry) => order.indexOf('route' in line ? line.route : '');

const studyTag = '0020000D';
const seriesTag = '0020000E';
const instanceTag = '00080018';

describe.each(hosts)('a link, on the %s host', (host) => {
  it('lets everyone read one study, by query or header, without an account', async () => {
    await start({ host });
    const one = sample(freshUids());
    await store(one);
    const link = await share({ study: one.study });
    expect(link).toMatchObject({
      study: one.study,
      createdBy: { objectId: 'jane', appId: 'page' },
    });
    expect(link.pageUrl).toBe(url(`/#/shared/${link.secret}${pathOf({ study: one.study })}`));
    expect(Date.parse(link.expires) - Date.parse(link.created)).toBe(7 * 24 * 3600_000);
    expect((await fetch(url(pathOf({ study: one.study })))).status).toBe(401);
    const opened = await fetch(link.resourceUrl);
    expect(opened.status).toBe(200);
    expect(opened.headers.get('referrer-policy')).toBe('no-referrer');
    await opened.arrayBuffer();
    for (const get of Object.values(ways)) {
      const file = await get(pathOf(one), link, {});
      expect(file.status).toBe(200);
      await file.arrayBuffer();
      const picture = await get(`${pathOf(one)}/metadata`, link);
      expect(await uidsAt(picture, instanceTag)).toEqual([one.instance]);
      expect(await uidsAt(await get('/studies', link), studyTag)).toEqual([one.study]);
    }
    const head = await byQuery(`${pathOf(one)}/metadata`, link, { method: 'HEAD' });
    expect(head.status).toBe(200);
  });
});

describe('what a link opens', () => {
  let shared: Sample;
  let sibling: Sample;
  let stranger: Sample;

  beforeEach(async () => {
    await start({ config: { partitions: true } });
    shared = sample(freshUids());
    sibling = sample(freshUids({ study: shared.study }));
    stranger = sample(freshUids());
    await store(shared, sibling, stranger);
  });

  /** The status of every route but those for everyone, filled in with UIDs. */
  async function statuses(uids: Sample, link: Link): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    const names: Readonly<Record<string, string>> = {
      ...{ study: uids.study, series: uids.series, instance: uids.instance, frames: '1' },
      ...{ '*path': '7FE00010', operation: 'a', upload: 'b', tag: '00101005' },
      share: link.id,
    };
    for (const route of Object.values<Route>(routes)) {
      if (route.permission === 'anonymous') continue;
      const path = route.path.replace(/\{([^}]+)\}/g, (_, name: string) => names[name] ?? '');
      const query =
        route.name === 'retrieveByUri'
          ? `?requestType=WADO&studyUID=${uids.study}&seriesUID=${uids.series}&objectUID=${uids.instance}`
          : '';
      const response = await byQuery(`/${path}${query}`, link, { method: route.method });
      await response.arrayBuffer();
      found[route.name] = response.status;
    }
    return found;
  }

  const namesOf = (
    found: Readonly<Record<string, number>>,
    isWanted: (status: number) => boolean,
  ) =>
    Object.keys(found)
      .filter((name) => isWanted(found[name] ?? 0))
      .sort();
  /** Searches that name no study: they are kept to what is shared. */
  const searchesAtRoot = ['searchForInstances', 'searchForSeries', 'searchForStudies'];

  it('is no route of another study, and none that changes anything', async () => {
    const link = await share({ study: shared.study });
    const found = await statuses(stranger, link);
    expect(namesOf(found, (status) => status !== 403)).toEqual(searchesAtRoot);
  });

  it('is every read of the study', async () => {
    const link = await share({ study: shared.study });
    const found = await statuses(shared, link);
    const reads = Object.values<Route>(routes).filter(
      ({ permission, method, scope, path }) =>
        permission === 'read' && method === 'GET' && scope === undefined && path !== 'patients',
    );
    expect(namesOf(found, (status) => status !== 403)).toEqual(
      reads.map(({ name }) => name).sort(),
    );
    expect(namesOf(found, (status) => status === 401 || status >= 500)).toEqual([]);
  });

  it('is of one series what is below it, and its searches', async () => {
    const link = await share({ study: shared.study, series: shared.series });
    const ofSeries = Object.values<Route>(routes).filter(
      ({ permission, method, scope, path }) =>
        permission === 'read' &&
        method === 'GET' &&
        scope === undefined &&
        path.includes('{series}'),
    );
    const searches = [...searchesAtRoot, 'searchForStudyInstances', 'searchForStudySeries'];
    const reads = [...ofSeries.map(({ name }) => name), 'retrieveByUri'];
    const open = (found: Readonly<Record<string, number>>) =>
      namesOf(found, (status) => status !== 403);
    expect(open(await statuses(shared, link))).toEqual([...reads, ...searches].sort());
    expect(open(await statuses(sibling, link))).toEqual(searches.sort());
    expect(open(await statuses(stranger, link))).toEqual(searchesAtRoot);
  });

  it.each(['', '/v1', '/v2'])('keeps searches to it: %s', async (face) => {
    const study = await share({ study: shared.study });
    const series = await share({ study: shared.study, series: shared.series });
    const found = async (link: Link, path: string, tag: string) =>
      await uidsAt(await byQuery(face + path, link), tag);
    const both = [shared.series, sibling.series].sort();
    const within = `/studies/${shared.study}`;
    expect(await found(study, '/studies', studyTag)).toEqual([shared.study]);
    expect(await found(study, '/series', seriesTag)).toEqual(both);
    expect(await found(study, '/instances', instanceTag)).toEqual(
      [shared.instance, sibling.instance].sort(),
    );
    expect(await found(series, '/studies', studyTag)).toEqual([shared.study]);
    expect(await found(series, '/series', seriesTag)).toEqual([shared.series]);
    expect(await found(series, '/instances', instanceTag)).toEqual([shared.instance]);
    expect(await found(series, `${within}/series`, seriesTag)).toEqual([shared.series]);
    expect(await found(series, `${within}/instances`, instanceTag)).toEqual([shared.instance]);
    expect(await found(study, `/studies?StudyInstanceUID=${shared.study}`, studyTag)).toEqual([
      shared.study,
    ]);
    for (const [link, path] of [
      [study, `/studies?StudyInstanceUID=${stranger.study}`],
      [study, `/studies?0020000D=${stranger.study}`],
      [study, `/series?StudyInstanceUID=${stranger.study},${shared.study}`],
      [study, '/studies?StudyInstanceUID='],
      [study, `/instances?StudyInstanceUID=${shared.study}&0020000D=${stranger.study}`],
      [series, `${within}/instances?SeriesInstanceUID=${sibling.series}`],
    ] as const) {
      expect([path, (await byQuery(face + path, link)).status]).toEqual([path, 403]);
    }
  });

  it('keeps pages of a search to it, with links that carry no secret', async () => {
    const link = await share({ study: shared.study });
    const first = await byQuery('/series?limit=1', link);
    const next = /<([^>]+)>/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    expect(next).not.toContain('share');
    const second = await fetch(`${next}&share=${link.secret}`);
    const pages = [await uidsAt(first, seriesTag), await uidsAt(second, seriesTag)];
    expect(pages.flat().sort()).toEqual([shared.series, sibling.series].sort());
  });

  it('opens nothing in another partition', async () => {
    const link = await share({ study: shared.study });
    const other = '/partitions/north';
    expect((await byQuery(`${other}/studies`, link)).status).toBe(401);
    const north = sample(freshUids());
    await fetch(url(`${other}/studies`), {
      method: 'POST',
      headers: { ...asJane, 'Content-Type': 'application/dicom' },
      body: new Uint8Array(north.file),
    });
    const there = await share({ study: north.study }, other);
    expect(there.resourceUrl).toContain(`${other}/studies/`);
    expect(await uidsAt(await byQuery(`${other}/studies`, there), studyTag)).toEqual([north.study]);
    expect((await byQuery('/studies', there)).status).toBe(401);
    expect((await byQuery('/partitions', there)).status).toBe(401);
  });
});

describe('links', () => {
  it('are listed without secrets, and withdrawn', async () => {
    await start();
    const one = sample(freshUids());
    await store(one);
    const link = await share({ study: one.study, days: 1 });
    expect(Date.parse(link.expires) - Date.parse(link.created)).toBe(24 * 3600_000);
    const listed = await fetch(url('/shares'), { headers: asJane });
    const text = await listed.text();
    expect(JSON.parse(text)).toMatchObject([{ id: link.id, study: one.study }]);
    expect(text).not.toContain(link.secret);
    expect((await byQuery('/shares', link)).status).toBe(403);
    expect((await fetch(url('/shares'))).status).toBe(401);
    const remove = async () =>
      (await fetch(url(`/shares/${link.id}`), { method: 'DELETE', headers: asJane })).status;
    expect((await byQuery('/studies', link)).status).toBe(200);
    expect(await remove()).toBe(204);
    expect(await remove()).toBe(404);
    const refused = await byQuery('/studies', link);
    expect(refused.status).toBe(401);
    expect(await refused.text()).not.toContain(link.secret);
  });

  it('tell who made one, and who used it, and never the secret', async () => {
    await start();
    const one = sample(freshUids());
    await store(one);
    const link = await share({ study: one.study, series: one.series });
    for (const answer of [
      await byQuery(`${pathOf(one)}/metadata`, link),
      await byHeader(`/studies/${freshUids().study}`, link),
      await byQuery(`/studies?NoSuchKey=1`, link),
    ]) {
      await answer.arrayBuffer();
    }
    const told = () => service.log.filter((line) => 'share' in line);
    // A line is written a moment after the client has the answer.
    while (told().length < 4) await new Promise(setImmediate);
    const lines = told().sort((a, b) => orderOf(a) - orderOf(b));
    expect(lines).toMatchObject([
      {
        route: 'createShare',
        caller: { objectId: 'jane' },
        share: link.id,
        shared: { study: one.study, series: one.series },
      },
      {
        route: 'retrieveInstanceMetadata',
        share: link.id,
        uids: { study: one.study },
        status: 200,
      },
      { route: 'retrieveStudy', share: link.id, status: 403 },
      { route: 'searchForStudies', share: link.id },
    ]);
    expect(lines[1]).not.toHaveProperty('caller');
  });

  it('win over a token that comes along: they open less', async () => {
    await start();
    const [one, other] = [sample(freshUids()), sample(freshUids())];
    await store(one, other);
    const link = await share({ study: one.study });
    const both = await fetch(`${url('/studies')}?share=${link.secret}`, { headers: asJane });
    expect(await uidsAt(both, studyTag)).toEqual([one.study]);
    const second = await share({ study: other.study });
    const twice = await fetch(`${url('/studies')}?share=${link.secret}&share=${second.secret}`);
    expect(twice.status).toBe(401);
    const spelled = await fetch(`${url('/studies')}?SH%41RE=${link.secret}`);
    expect(spelled.status).toBe(200);
    expect((await fetch(`${url('/studies')}?share=`, { headers: asJane })).status).toBe(401);
  });

  it.each([
    [{}, 400],
    [{ study: 'x' }, 400],
    [{ study: '1.2.3' }, 404],
    [{ study: '1.2.3', days: 0 }, 400],
    [{ study: '1.2.3', days: 91 }, 400],
    [{ study: '1.2.3', days: '7' }, 400],
    [{ study: '1.2.3', serie: '1.2.3.4' }, 400],
    [[], 400],
  ])('are not made of %j', async (body, status) => {
    await start();
    const response = await ask(body);
    expect(response.status).toBe(status);
  });

  it('are not made of a series that is not in the study', async () => {
    await start();
    const [one, other] = [sample(freshUids()), sample(freshUids())];
    await store(one, other);
    expect((await ask({ study: one.study, series: other.series })).status).toBe(404);
  });

  it('are off unless a setting switches them on', async () => {
    await start({ config: { shares: undefined } });
    const one = sample(freshUids());
    await store(one);
    const response = await ask({ study: one.study });
    expect(response.status).toBe(501);
    expect(await response.json()).toMatchObject({ code: 'shares-unavailable' });
    const link = { secret: `share_${'A'.repeat(43)}` } as Link;
    expect((await byQuery('/studies', link)).status).toBe(401);
    expect((await byHeader('/studies', link)).status).toBe(401);
  });

  it('need the permission to share', async () => {
    const reader = { grants: grantsOf(['Dicom.Read', 'Dicom.Write'], []) };
    await start({ access: async () => await Promise.resolve(reader) });
    const response = await ask({ study: '1.2.3' });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ scope: 'Dicom.Share' });
  });
});
