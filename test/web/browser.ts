/** A real browser for tests: Chromium of this machine, and the page as it is bundled. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';

const root = path.join(__dirname, '../..');

/** Where Chromium is; `undefined` where there is none. `CHROMIUM_PATH` names another place. */
export const chromiumPath = [
  process.env['CHROMIUM_PATH'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
].find((candidate) => candidate !== undefined && existsSync(candidate));

/** Starts the browser, without anything that it does of its own. */
export async function launch(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('There is no Chromium.');
  return await chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

/** Bundles the page, unless no source has changed since the last time. @returns the folder that it is in. */
export function buildPage(): string {
  const directory = path.join(root, 'coverage/page');
  execFileSync(process.execPath, [path.join(root, 'scripts/build-web.mjs'), directory]);
  return directory;
}

/** Where a picture of the page is kept, beside the coverage, to be looked at. */
export function screenshotPath(name: string): string {
  const folder = path.join(root, 'coverage/screenshots');
  mkdirSync(folder, { recursive: true });
  return path.join(folder, `${name}.png`);
}

/** Keeps a picture of the page. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: screenshotPath(name) });
}
