/**
 * Ten thousand small files stored through the page in Chromium: how long it takes, and whether the tab stays
 * quick meanwhile. `npm run bench:page -- 10000`; needs a Chromium (`CHROMIUM_PATH`).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pageOf } from '../../src/host/pipeline/page.js';
import { sampleInstance } from '../support/part10-builder.js';
import { startService } from '../support/service.js';
import { buildPage, launch } from './browser.js';

const root = '1.2.826.0.1.3680043.8.498.78';

/** Writes files of some studies into a folder. */
function writeFiles(folder: string, count: number): void {
  for (let at = 0; at < count; at += 1) {
    const study = `${root}.${Math.floor(at / 500) + 1}`;
    const instance = `${study}.1.${at}`;
    const bytes = sampleInstance({ study, series: `${study}.1`, instance });
    writeFileSync(path.join(folder, `${at}.dcm`), bytes);
  }
}

/** Notes, in the page, each pause between two frames. */
const watchFrames = `
  window.gaps = [];
  let last = performance.now();
  const tick = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
`;

async function main(): Promise<void> {
  const count = Number(process.argv[2] ?? 10_000);
  const folder = mkdtempSync(path.join(tmpdir(), 'files-'));
  writeFiles(folder, count);
  const built = buildPage();
  const service = await startService({
    host: 'local',
    page: (config) => pageOf(config, { directory: built }),
  });
  const browser = await launch();
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
  await page.goto(`${service.baseUrl}/#/upload`);
  await page.evaluate(watchFrames);
  const began = performance.now();
  await page.locator('input[type=file]').last().setInputFiles(folder);
  await page
    .getByRole('button', { name: `stored ${count}`, exact: true })
    .waitFor({ timeout: 30 * 60_000 });
  const seconds = (performance.now() - began) / 1000;
  const gaps = await page.evaluate<number[]>('window.gaps');
  gaps.sort((one, other) => one - other);
  const at = (share: number) => Math.round(gaps[Math.floor((gaps.length - 1) * share)] ?? 0);
  const items = await page.locator('.upload-item').count();
  const heap = await page.evaluate<number>('performance.memory.usedJSHeapSize');
  console.log(`${count} files stored in ${seconds.toFixed(1)} s`);
  console.log(`between frames: half ${at(0.5)} ms, 99 % ${at(0.99)} ms, longest ${at(1)} ms`);
  console.log(
    `rows in the document ${items}, heap of the page ${Math.round(heap / 1024 ** 2)} MiB`,
  );
  await browser.close();
  await service.stop();
  rmSync(folder, { recursive: true });
}

void main();
