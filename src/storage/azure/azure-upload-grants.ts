/**
 * Grants as shared access signatures of one blob: signed with a user delegation key where we have an
 * identity, with the account key where we have that.
 */
import {
  BlobSASPermissions,
  generateBlobSASQueryParameters,
  SASProtocol,
  StorageSharedKeyCredential,
  type BlobServiceClient,
  type ContainerClient,
  type ServiceGetUserDelegationKeyResponse,
} from '@azure/storage-blob';
import { ServiceError } from '../../errors.js';
import type { OnStorageCall } from '../storage-call.js';
import type { UploadGrant, UploadGrants } from '../upload-grants.js';
import { blobClientIn } from './blob-client-in.js';
import { translateError } from './translate-error.js';

/** Create and write are what blocks need; nothing lets read, list or delete. */
const permissions = BlobSASPermissions.parse('cw');
/** Of signatures: what they cover grows with versions, and Azurite knows this one, as Azure goes on to. */
const version = '2022-11-02';
/** A delegation key outlives the grants that it signs by up to this, so that one call serves many. */
const keyReserveMs = 60 * 60_000;
/** Clocks of storage may be behind. */
const clockSkewMs = 5 * 60_000;

type DelegationKey = ServiceGetUserDelegationKeyResponse;

export class AzureUploadGrants implements UploadGrants {
  readonly #service: BlobServiceClient;
  readonly #container: ContainerClient;
  readonly #canDelegate: boolean;
  readonly #onCall: OnStorageCall;
  #key: { readonly value: Promise<DelegationKey>; readonly until: number } | undefined;

  /** @param canDelegate whether `service` signs in with an identity. */
  constructor(
    service: BlobServiceClient,
    container: ContainerClient,
    canDelegate: boolean,
    onCall: OnStorageCall,
  ) {
    this.#onCall = onCall;
    this.#service = service;
    this.#container = container;
    this.#canDelegate = canDelegate;
  }

  async grant(name: string, milliseconds: number): Promise<UploadGrant> {
    const client = blobClientIn(this.#container, name);
    const expires = new Date(Date.now() + milliseconds);
    const { containerName, url } = client;
    const values = {
      version,
      containerName,
      blobName: name,
      permissions,
      expiresOn: expires,
      ...(url.startsWith('https:') && { protocol: SASProtocol.Https }),
    };
    const { credential } = this.#service;
    if (credential instanceof StorageSharedKeyCredential) {
      const signature = generateBlobSASQueryParameters(values, credential);
      return { url: `${url}?${signature.toString()}`, expires };
    }
    if (!this.#canDelegate) {
      throw new ServiceError(
        'uploads-unavailable',
        'Storage is opened with a shared access signature, which cannot sign another: use an identity or an account key.',
      );
    }
    const key = await this.#delegationKey(expires.getTime());
    const { accountName } = this.#service;
    const signature = generateBlobSASQueryParameters(values, key, accountName);
    return { url: `${url}?${signature.toString()}`, expires };
  }

  async #delegationKey(until: number): Promise<DelegationKey> {
    if (this.#key === undefined || this.#key.until < until) {
      const from = new Date(Date.now() - clockSkewMs);
      const to = new Date(until + keyReserveMs);
      this.#onCall({ service: 'blob', method: 'POST', operation: 'check', target: 'import' });
      const value = this.#service.getUserDelegationKey(from, to);
      this.#key = { value, until: to.getTime() };
    }
    try {
      return await this.#key.value;
    } catch (error) {
      this.#key = undefined;
      throw translateError(error, 'The user delegation key');
    }
  }
}
