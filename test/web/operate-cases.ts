/** What those who run the service see and do under Operate. */
import { expect, it } from '@jest/globals';
import { importFile } from '../../src/dicomweb/import/import-file.js';
import { archiveFiles, folderToUpload, studies } from './archive.js';
import { keepScreenshot } from './browser.js';
import { removeUploads, type Stage } from './stage.js';

/** The cases about Operate, in the suite that calls it. */
export function operateCases(stage: Stage): void {
  const { open, service } = stage;

  it('shows what came in, the newest first, and what comes in meanwhile', async () => {
    const page = await open('#/operate');
    await page.locator('.change').nth(12).waitFor();
    const [good] = folderToUpload();
    await fetch(`${service().baseUrl}/studies`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/dicom' },
      body: new Uint8Array(good?.bytes ?? []),
    });
    await page.locator('.change').first().filter({ hasText: studies.upload }).waitFor();
    await removeUploads(stage);
  });

  it('shows long work as it goes on, and cancels it', async () => {
    const { jobs } = service().services;
    const state = JSON.stringify({ exported: 3, skipped: 1, errorHref: '' });
    const id = await jobs.start('export', '{}', state);
    const page = await open('#/operate');
    page.on('dialog', (dialog) => void dialog.accept());
    await page.getByText('exported 3 · skipped 1').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('cancelled').waitFor();
    expect(await jobs.find(id)).toMatchObject({ status: 'canceled' });
  });

  it('shows storage used, refused files, findings and settings', async () => {
    const { archive, maintenance } = service().services;
    const body = (async function* () {
      yield await Promise.resolve(Buffer.from('No DICOM.'));
    })();
    await archive.blobs.put('import', 'ward 3/letter.dcm', body);
    await importFile(service().services, 'ward 3/letter.dcm');
    await maintenance.note('check', [{ kind: 'blob-missing', found: 2, mended: 0 }]);
    await maintenance.note('recovery', []);
    const page = await open('#/operate');
    const card = (name: string) => page.getByRole('region', { name });
    const bytes = archiveFiles().reduce((sum, file) => sum + file.length, 0);
    const figure = `${(bytes / 1000).toFixed(0)} KB`;
    await card('Storage used').getByText(figure).waitFor();
    await card('Import').getByText('Refused: 1 file.').waitFor();
    expect(await card('Import').getByRole('listitem').innerText()).toContain('ward 3/letter.dcm');
    const care = card('Care of the store');
    await care.getByText('2 × an instance without its file').waitFor();
    await care.getByText('Nothing was amiss.').waitFor();
    const settings = card('Configuration');
    await settings.getByText('kept secret').waitFor();
    await settings.getByText('settings as by default').click();
    await settings.getByText('DICOMWEB_MAX_PARTS').waitFor();
    expect(await settings.innerText()).not.toContain('AccountKey');
    await page.setViewportSize({ width: 1400, height: 2000 });
    await keepScreenshot(page, 'operate-settings');
  });

  it('adds a query tag, follows its indexing, switches it off and removes it', async () => {
    const page = await open('#/operate');
    page.on('dialog', (dialog) => void dialog.accept());
    const card = page.getByRole('region', { name: 'Query tags' });
    const field = card.getByLabel('Keyword or tag');
    await field.fill('PatientNam');
    await card.getByRole('button', { name: 'Add' }).click();
    await card.getByRole('alert').filter({ hasText: "'PatientNam' is invalid" }).waitFor();
    await field.fill('InstitutionName');
    await card.getByLabel('Level').selectOption('series');
    await card.getByRole('button', { name: 'Add' }).click();
    await card.getByText('being indexed').waitFor();
    const { jobs } = service().services;
    const [job] = await jobs.newest(1, () => true);
    if (job === undefined) throw new RangeError('no job');
    await jobs.run(job.id, Date.now() + 60_000);
    await card.getByText('being indexed').waitFor({ state: 'detached' });
    expect(await card.getByRole('listitem').innerText()).toContain('Institution Name');
    await keepScreenshot(page, 'query-tags');
    await card.getByRole('button', { name: 'Switch off' }).click();
    await card.getByText('switched off').waitFor();
    await card.getByRole('button', { name: 'Remove' }).click();
    await card.getByRole('listitem').waitFor({ state: 'detached' });
    const left = await fetch(`${service().baseUrl}/extendedquerytags`);
    expect(await left.json()).toEqual([]);
  });
}
