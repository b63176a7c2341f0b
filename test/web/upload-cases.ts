/** What a user does to store files: choose, drop, go on where a line broke, and after the page was loaded anew. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { folderToUpload, largeFile, studies } from './archive.js';
import { keepScreenshot } from './browser.js';
import { grantBlocks, importBlocks, removeUploads, type Stage } from './stage.js';

const firstBlock = btoa('000000');

/** Writes files into a folder of their own. */
function folderOf(files: readonly { readonly name: string; readonly bytes: Buffer }[]): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'upload-'));
  for (const { name, bytes } of files) writeFileSync(path.join(folder, name), bytes);
  return folder;
}

/** Drops a file or folder of this machine, as a hand would. */
async function drop(page: Page, file: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 300, y: 300, data });
  }
  await session.detach();
}

/** The cases about uploads, in the suite that calls it. */
export function uploadCases(stage: Stage): void {
  const { open, service, storage } = stage;
  const picker = (page: Page) => page.locator('input[type=file]').first();

  afterEach(async () => await removeUploads(stage));

  it('uploads what is DICOM, and says of each file what became of it', async () => {
    const folder = folderOf(folderToUpload());
    const files = folderToUpload().map(({ name }) => path.join(folder, name));
    const page = await open('#/upload');
    await picker(page).setInputFiles(files);
    await page.getByRole('link', { name: 'See the studies' }).waitFor();
    const states = await page
      .locator('.upload-item')
      .evaluateAll((items) => items.map((item) => (item as { innerText?: string }).innerText));
    expect(states.map((state) => state?.split('\n').slice(0, 3))).toEqual([
      ['good-1.dcm', expect.any(String), 'stored'],
      ['good-2.dcm', expect.any(String), 'stored'],
      ['again.dcm', expect.any(String), 'there already'],
      ['cut-off.dcm', expect.any(String), 'refused'],
      ['notes.txt', expect.any(String), 'not DICOM'],
    ]);
    await keepScreenshot(page, 'upload');
    await page.reload();
    await picker(page).setInputFiles(files.slice(0, 2));
    await page.getByText('stored before, not sent again').first().waitFor();
    rmSync(folder, { recursive: true });
  });

  it('goes on with a folder that was dropped, when the page was loaded anew meanwhile', async () => {
    const [one, other] = folderToUpload();
    if (one === undefined || other === undefined) throw new RangeError('no files');
    const folder = folderOf([one, other, { name: 'large.dcm', bytes: largeFile(450) }]);
    const page = await open('#/upload');
    const asked = await grantBlocks(page, storage());
    await importBlocks(page, stage, asked);
    const before = storage().received.length;
    // One file is stored, one is on its way for ever, and the line of the large one breaks behind its first block.
    let sent = 0;
    await page.route('**/studies', async (route) => {
      sent += Number(route.request().method() === 'POST');
      if (sent < 2) await route.continue();
    });
    storage().breakAfterBlock();
    await drop(page, folder);
    await page.locator('.state-stored').waitFor();
    await page.locator('.state-failed').waitFor();
    await page.locator('.state-sending').waitFor();
    await page.unroute('**/studies');
    await page.reload();
    await page.getByText('Your upload was interrupted. Not sent yet: 2 files.').waitFor();
    await keepScreenshot(page, 'upload-interrupted');
    await page.getByRole('button', { name: 'Go on' }).click();
    await page.locator('.state-stored').nth(1).waitFor();
    await page.getByText('stored before, not sent again').waitFor();
    expect(await page.locator('.upload-item').count()).toBe(3);
    expect(asked).toHaveLength(1);
    const blocks = storage().received.slice(before);
    expect(blocks.filter((block) => block === firstBlock)).toHaveLength(1);
    const study = await fetch(`${service().baseUrl}/studies/${studies.upload}/instances`);
    expect(await study.json()).toHaveLength(3);
    // What is done leaves nothing to go on with.
    await page.reload();
    await page.getByText('Drop files or folders here').waitFor();
    expect(await page.getByText('interrupted').count()).toBe(0);
    rmSync(folder, { recursive: true });
  });

  it('sends a large file to the service where storage is out of reach', async () => {
    const page = await open('#/upload');
    const asked = await grantBlocks(page, storage());
    storage().isAway = true;
    const file = { name: 'large.dcm', mimeType: 'application/dicom', buffer: largeFile(200) };
    await picker(page).setInputFiles([file]);
    await page.locator('.state-stored').waitFor();
    storage().isAway = false;
    expect(asked).toHaveLength(1);
  });

  it('sends a large file in blocks past the service, and goes on where a line broke', async () => {
    const file = largeFile(450);
    const page = await open('#/upload');
    const asked = await grantBlocks(page, storage());
    await importBlocks(page, stage, asked);
    const before = storage().received.length;
    storage().breakAfterBlock();
    const files = [{ name: 'large.dcm', mimeType: 'application/dicom', buffer: file }];
    await picker(page).setInputFiles(files);
    await page.getByText('The storage of the service does not answer').waitFor();
    await page.getByRole('button', { name: 'Send again what failed' }).click();
    await page.getByRole('link', { name: 'See the studies' }).waitFor();
    await page.locator('.state-stored').waitFor();
    expect(asked).toHaveLength(1);
    const blocks = storage().received.slice(before);
    expect(blocks.filter((block) => block === firstBlock)).toHaveLength(1);
    const stored = await fetch(
      `${service().baseUrl}/studies/${studies.upload}/series/${studies.upload}.1/instances/${studies.upload}.1.9`,
      { headers: { Accept: 'application/dicom' } },
    );
    expect(Buffer.from(await stored.arrayBuffer()).equals(file)).toBe(true);
  });
}
