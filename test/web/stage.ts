/** What a case of the page has: the page in a browser, and the service behind it. */
import type { Browser, Page } from 'playwright-core';
import { uploadBlobName } from '../../src/dicomweb/uploads/upload-name.js';
import { defaultPartition } from '../../src/storage/archive/keys.js';
import type { Ulid } from '../../src/storage/archive/ulid.js';
import type { Service } from '../support/service.js';
import { studies } from './archive.js';
import type { BlockStorage } from './block-storage.js';

export interface Stage {
  readonly service: () => Service;
  /** Where large files go. */
  readonly storage: () => BlockStorage;
  /** Opens the page in a clean profile; it is closed when the case is over. */
  readonly open: (hash?: string, options?: Parameters<Browser['newPage']>[0]) => Promise<Page>;
}

/** Grants for storage that browsers reach; memory is none. @returns the ids of the uploads that are asked for. */
export async function grantBlocks(page: Page, storage: BlockStorage): Promise<readonly string[]> {
  const asked: string[] = [];
  await page.route('**/uploads', async (route) => {
    const answer = await route.fetch();
    const grant = (await answer.json()) as { readonly id: string };
    asked.push(grant.id);
    await route.fulfill({
      response: answer,
      json: { ...grant, uploadUrl: `${storage.origin}/import/${grant.id}?sig=secret` },
    });
  });
  return asked;
}

/** Lets what was written to storage be imported as the service imports. */
export async function importBlocks(
  page: Page,
  { service, storage }: Stage,
  asked: readonly string[],
): Promise<void> {
  await page.route('**/uploads/*', async (route) => {
    const [id = ''] = asked;
    const name = uploadBlobName(defaultPartition, id as Ulid);
    const body = (async function* () {
      yield await Promise.resolve(storage().blob(`/import/${id}`));
    })();
    await service().services.archive.blobs.put('import', name, body);
    await route.continue();
  });
}

/** Removes what a case has stored. */
export async function removeUploads({ service }: Stage): Promise<void> {
  await fetch(`${service().baseUrl}/studies/${studies.upload}`, { method: 'DELETE' });
}
