/** The page in a browser, over a made-up archive: what a user does, with mouse and keyboard. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { bearer } from '../../src/host/pipeline/authenticator.js';
import { readConfig } from '../../src/host/config.js';
import { pageOf } from '../../src/host/pipeline/page.js';
import { startEntra, type Entra, type Tenant } from '../support/entra.js';
import { startService, type Service } from '../support/service.js';
import { archiveFiles, studies } from './archive.js';
import { startBlockStorage, type BlockStorage } from './block-storage.js';
import { buildPage, chromiumPath, keepScreenshot, launch, screenshotPath } from './browser.js';
import { operateCases } from './operate-cases.js';
import { uploadCases } from './upload-cases.js';

const inBrowser = chromiumPath === undefined ? describe.skip : describe;
if (chromiumPath === undefined) {
  console.log('There is no Chromium here (CHROMIUM_PATH): the page is not tried.');
}

let built: string;
let browser: Browser;
let service: Service;
let page: Page;
/** What the console of the browser says in earnest; nothing, unless a test expects it. */
let complaints: string[];

async function store(baseUrl: string, files: readonly Buffer[], init: RequestInit = {}) {
  for (const body of files) {
    const headers = new Headers(init.headers);
    headers.set('Content-Type', 'application/dicom');
    const response = await fetch(`${baseUrl}/studies`, {
      method: 'POST',
      headers,
      body: new Uint8Array(body),
    });
    if (response.status !== 200) throw new Error(await response.text());
  }
}

async function open(hash = '', options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  page = await browser.newPage({ viewport: { width: 1400, height: 800 }, ...options });
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Refused/.test(message.text())) complaints.push(message.text());
  });
  await page.goto(`${service.baseUrl}/${hash}`);
  return page;
}

/** Bundling and starting a browser take their time on a busy machine. */
const startMilliseconds = 120_000;

beforeAll(async () => {
  if (chromiumPath === undefined) return;
  built = buildPage();
  browser = await launch();
}, startMilliseconds);

afterAll(async () => {
  if (chromiumPath === undefined) return;
  await browser.close();
});

const narrow = { viewport: { width: 390, height: 800 } };
const rows = () => page.locator('.table-body .row');

/** Darkest and lightest level of a canvas. */
async function levels(selector: string): Promise<readonly [number, number]> {
  return await page.locator(selector).evaluate((element) => {
    const canvas = element as unknown as {
      width: number;
      height: number;
      getContext(kind: '2d'): {
        getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray };
      };
    };
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let least = 255;
    let most = 0;
    for (let at = 0; at < data.length; at += 4) {
      if (data[at + 3] === 0) continue;
      least = Math.min(least, data[at] ?? 0);
      most = Math.max(most, data[at] ?? 0);
    }
    return [least, most] as const;
  });
}

inBrowser('the bundle', () => {
  it('is less than 150 KB of JavaScript, compressed', () => {
    const scripts = readdirSync(built).filter((name) => name.endsWith('.js'));
    const sizes = scripts.map((name) => gzipSync(readFileSync(path.join(built, name))).length);
    expect(scripts.length).toBeGreaterThan(0);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });
});

inBrowser('the page', () => {
  let storage: BlockStorage;
  const stage = { service: () => service, storage: () => storage, open };

  beforeAll(async () => {
    storage = await startBlockStorage();
    service = await startService({
      host: 'local',
      environment: { DicomStorage: 'UseDevelopmentStorage=true' },
      page: (config) =>
        pageOf(config, {
          directory: built,
          blobOrigin: () => storage.origin,
          largeFileBytes: 2 * 1024 ** 2,
        }),
    });
    await store(service.baseUrl, archiveFiles());
  });

  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.close();
  });

  afterAll(async () => {
    await service.stop();
    await storage.stop();
  });

  it('lists studies, newest first, and keeps markup in names text', async () => {
    await open();
    await rows().first().waitFor();
    expect(await rows().count()).toBe(7);
    expect(await rows().first().innerText()).toContain('Lindqvist, Astrid');
    expect(await page.getByText('<b>Bold</b>').count()).toBe(1);
    expect(await page.locator('img[src=x]').count()).toBe(0);
    await keepScreenshot(page, 'studies');
  });

  it('filters as one types, keeps the filter in the URL, and takes it from there', async () => {
    await open();
    await rows().first().waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('STRID');
    await page.waitForURL(/name=STRID/);
    await rows().nth(1).waitFor({ state: 'detached' });
    await page.reload();
    await rows().first().waitFor();
    expect(await rows().count()).toBe(1);
    await page.getByRole('button', { name: 'Clear filters' }).click();
    await rows().nth(6).waitFor();
  });

  it('sorts by a column', async () => {
    await open();
    await rows().first().waitFor();
    await page.getByRole('button', { name: 'Patient', exact: true }).click();
    await page.waitForURL(/sort=PatientName/);
    await page.locator('.table-body .row').filter({ hasText: 'Bold' }).first().waitFor();
    await rows().first().filter({ hasText: 'Bold' }).waitFor();
  });

  it('goes from the list to a picture by keyboard alone', async () => {
    await open();
    await rows().first().waitFor();
    await page.locator('[data-row="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForURL(new RegExp(`studies/${studies.phantom}$`));
    await page.getByRole('link', { name: 'Look' }).last().focus();
    await page.keyboard.press('Enter');
    await page.getByText('exact pixels').waitFor();
  });

  it('shows exact pixels of CT through a window, scrolls, inverts and measures', async () => {
    await open(`#/studies/${studies.phantom}/series/${studies.phantom}.1`);
    await page.getByText('exact pixels').waitFor();
    expect(await page.getByText('Not for diagnosis').count()).toBe(1);
    expect(await page.getByText('C 40 · W 120').count()).toBe(1);
    expect(await levels('.stage canvas')).toEqual([0, 255]);
    await page.locator('.viewer').focus();
    await page.keyboard.press('ArrowDown');
    await page.getByText('Image 2 of 7').waitFor();
    await page.getByRole('button', { name: 'Measure length (drag)' }).click();
    await page.mouse.move(600, 400);
    await page.mouse.down();
    await page.mouse.move(800, 400);
    await page.mouse.up();
    await keepScreenshot(page, 'viewer');
    await page.getByLabel('Window presets').selectOption('Bone');
    await page.getByText('C 480 · W 2500').waitFor();
    expect(await page.locator('.edge-left').innerText()).toBe('R');
  });

  it('plays a film of frames in colour', async () => {
    await open(`#/studies/${studies.film}/series/${studies.film}.1`);
    await page.getByText('Image 1 of 6').waitFor();
    await page.getByRole('button', { name: 'Play' }).click();
    await page.getByText('Image 3 of 6').waitFor();
    expect((await levels('.stage canvas'))[1]).toBeGreaterThan(150);
  });

  it('shows a report as text, and a document in a frame', async () => {
    await open(`#/studies/${studies.report}/series/${studies.report}.1`);
    await page.getByText('No pneumothorax.').waitFor();
    await page.goto(
      `${service.baseUrl}/#/studies/${studies.document}/series/${studies.document}.1`,
    );
    const source = await page.locator('iframe.pdf').getAttribute('src');
    expect(source).toMatch(/^blob:/);
  });

  it('finds attributes of an instance', async () => {
    await open(`#/studies/${studies.phantom}`);
    await page.getByRole('button', { name: 'Attributes' }).click();
    await page.getByLabel('Search attributes').fill('rescaleintercept');
    await page.locator('.attributes tbody tr').nth(1).waitFor({ state: 'detached' });
    expect(await page.locator('.attributes tbody tr').innerText()).toContain('-1024');
  });

  uploadCases(stage);
  operateCases(stage);

  it('says so when a study is gone, and offers a way on', async () => {
    await open('#/studies/1.2.3.4');
    await page.getByText('This is not here any more').waitFor();
    expect(await page.getByRole('link', { name: 'Studies' }).count()).toBeGreaterThan(0);
  });

  it('says so when the service is away, and goes on when it is back', async () => {
    await open();
    await rows().first().waitFor();
    await page.route('**/studies?**', (route) => void route.abort());
    await page.keyboard.press('/');
    await page.keyboard.type('Minh');
    await page.getByText('The service does not answer.').waitFor();
    await page.unroute('**/studies?**');
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByText('Nguyen, Minh').waitFor();
  });

  it.each([
    ['studies', '', {}],
    ['studies-dark', '', { colorScheme: 'dark' as const }],
    ['studies-narrow', '#/?thumbnails=1', narrow],
    ['study', `#/studies/${studies.phantom}`, {}],
    ['look', `#/studies/${studies.phantom}/series/${studies.phantom}.1`, {}],
    ['operate', '#/operate', {}],
    ['operate-narrow-dark', '#/operate', { ...narrow, colorScheme: 'dark' as const }],
  ])('has no serious finding of axe: %s', async (name, hash, options) => {
    await open(hash, options);
    await page.locator('h1').first().waitFor();
    if (name.startsWith('studies')) await rows().first().waitFor();
    if (name.startsWith('operate')) {
      await page.locator('.change').first().waitFor();
      await page.getByText('settings as by default').click();
      await page.getByRole('heading', { name: 'Care of the store' }).waitFor();
    }
    const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
    // The page's policy admits no script of others: this one comes from outside of it.
    const findings = await page.evaluate(
      `(async () => { ${axe}; return (await axe.run()).violations.filter((v) => v.impact === 'serious' || v.impact === 'critical').map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' ')); })()`,
    );
    await keepScreenshot(page, name);
    expect(findings).toEqual([]);
  });
});

inBrowser('the page of a service that asks for tokens', () => {
  let entra: Entra;
  let tenant: Tenant;

  beforeAll(async () => {
    entra = await startEntra();
    tenant = await entra.newTenant();
    const { tenantId, audiences, issuer } = tenant.rules;
    const tokens = readConfig({
      DICOM_AUTH_TENANT_ID: tenantId,
      DICOM_AUTH_AUDIENCE: audiences.join(),
      DICOM_AUTH_ISSUER: issuer,
    });
    service = await startService({
      host: 'local',
      config: { auth: tokens.auth, shares: { defaultDays: 7 } },
      access: bearer(tenant.rules),
      page: (config) => pageOf(config, { directory: built }),
    });
    const token = await tenant.token({ claims: { roles: ['Dicom.Write'] } });
    await store(service.baseUrl, archiveFiles().slice(-2), {
      headers: { Authorization: `Bearer ${token}` },
    });
  });

  afterEach(async () => {
    expect(complaints).toEqual([]);
    await page.close();
  });

  afterAll(async () => {
    await service.stop();
    await entra.stop();
  });

  it('signs in and shows what the role lets see, no more', async () => {
    tenant.roles = ['Dicom.Read'];
    await open(`#/studies/${studies.phantom}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Robin Reader').waitFor();
    await page.getByText('Lindqvist, Astrid').waitFor();
    expect(new URL(page.url()).hash).toBe(`#/studies/${studies.phantom}`);
    await page.locator('.series-picture img').waitFor();
    expect(await page.getByRole('link', { name: 'Upload' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Delete study' }).count()).toBe(0);
    await page.reload();
    await page.getByText('Robin Reader').waitFor();
    await keepScreenshot(page, 'signed-in');
  });

  it('renews a token that ends, without a word', async () => {
    tenant.roles = ['Dicom.Admin'];
    tenant.tokenSeconds = 60;
    await open();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await rows().first().waitFor();
    expect(tenant.tokenRequests).toBeGreaterThan(1);
    expect(await page.getByRole('link', { name: 'Upload' }).count()).toBe(1);
    tenant.tokenSeconds = 3600;
  });

  /** Makes a link in the dialog that a button opens. */
  async function makeLink(button: string): Promise<string> {
    await page.getByRole('button', { name: button }).click();
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.getByLabel('Link for people').inputValue();
    await keepScreenshot(page, button.toLowerCase().replaceAll(' ', '-'));
    await page.getByRole('button', { name: 'Close' }).click();
    return link;
  }

  it('shares by links that open in a clean profile, show no more, and end when withdrawn', async () => {
    tenant.roles = ['Dicom.Share'];
    await open(`#/studies/${studies.phantom}`);
    await page.getByRole('button', { name: 'Sign in' }).click();
    const link = await makeLink('Share this study');
    const ofSeries = await makeLink('Share this series');

    const guest = await browser.newContext({ viewport: { width: 1200, height: 800 } });
    const shown = await guest.newPage();
    const asked: string[] = [];
    shown.on('request', (request) => asked.push(request.url()));
    await shown.goto(link);
    await shown.getByText('Shared with you').waitFor();
    await shown.getByText('Lindqvist, Astrid').waitFor();
    await shown.locator('.series-picture img').waitFor();
    expect(shown.url()).toBe(`${service.baseUrl}/#/studies/${studies.phantom}`);
    for (const name of ['Delete study', 'Share this study', 'Sign in']) {
      expect(await shown.getByRole('button', { name }).count()).toBe(0);
    }
    expect(await shown.getByRole('navigation').count()).toBe(0);
    await shown.screenshot({ path: screenshotPath('shared') });
    await shown.getByRole('link', { name: 'Look' }).last().click();
    await shown.getByText('exact pixels').waitFor();
    await shown.reload();
    await shown.getByText('exact pixels').waitFor();
    await shown.goto(`${service.baseUrl}/#/operate`);
    await shown.getByText('Lindqvist, Astrid').waitFor();
    expect(asked.filter((url) => url.includes('share_'))).toEqual([]);

    await shown.goto(ofSeries);
    await shown.getByRole('button', { name: 'Download series (ZIP)' }).waitFor();
    const secret = /share_[\w-]+/.exec(ofSeries)?.[0] ?? '';
    const picture = `${service.baseUrl}/studies/${studies.phantom}/series/${studies.phantom}.1/thumbnail?share=${secret}`;
    const width = await shown.evaluate(
      `new Promise((resolve, reject) => { const i = new Image(); i.onload = () => resolve(i.naturalWidth); i.onerror = reject; i.src = ${JSON.stringify(picture)}; })`,
    );
    expect(width).toBeGreaterThan(50);

    page.on('dialog', (dialog) => void dialog.accept());
    await page.getByRole('link', { name: 'Operate' }).click();
    const withdraw = page.getByRole('button', { name: 'Withdraw' });
    await withdraw.nth(1).waitFor();
    await keepScreenshot(page, 'links');
    await withdraw.first().click();
    await withdraw.nth(1).waitFor({ state: 'detached' });
    await shown.reload();
    await shown.getByText('This link does not work any more').waitFor();
    await shown.goto(link);
    await shown.getByText('Lindqvist, Astrid').waitFor();
    await guest.close();
  });

  it('tells someone without a role whom to ask', async () => {
    tenant.roles = [];
    await open();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('Ask its administrator for Dicom.Read').waitFor();
  });
});
