/** Grants for blobs in memory, which no client can reach: URLs that tell what was granted. */
import { checkBlobName } from '../blob-name.js';
import type { UploadGrant, UploadGrants } from '../upload-grants.js';

export class MemoryUploadGrants implements UploadGrants {
  async grant(name: string, milliseconds: number): Promise<UploadGrant> {
    checkBlobName(name);
    const expires = new Date(Date.now() + milliseconds);
    const path = name.split('/').map(encodeURIComponent).join('/');
    return await Promise.resolve({ url: `memory://import/${path}`, expires });
  }
}
