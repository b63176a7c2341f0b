/** The queue that tells the function `runJob` to go on with a job. */
import { QueueServiceClient } from '@azure/storage-queue';
import type { QueueAddress } from './import-queue.js';
import { codeOf, translateError } from './translate-error.js';

/** A request waits for it; what is lost, the next inspection announces. */
const retries = {
  retryOptions: { maxTries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 2000 },
} as const;

/** A job that waits must not vanish after the seven days that are the default. */
const forever = { messageTimeToLive: -1 };

export class AzureJobQueue {
  readonly #queue;

  /** @param name - of the storage queue. */
  constructor(name: string, address: QueueAddress) {
    const service =
      'connectionString' in address
        ? QueueServiceClient.fromConnectionString(address.connectionString, retries)
        : new QueueServiceClient(address.queueUrl, address.credential, retries);
    this.#queue = service.getQueueClient(name);
  }

  /**
   * Announces a job: one call, two when the queue is not there yet.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async announce(id: string, afterSeconds = 0): Promise<void> {
    const text = Buffer.from(JSON.stringify({ job: id })).toString('base64');
    const send = async () =>
      await this.#queue.sendMessage(text, { ...forever, visibilityTimeout: afterSeconds });
    try {
      await send().catch(async (error: unknown) => {
        if (codeOf(error) !== 'QueueNotFound') throw error;
        await this.#queue.createIfNotExists();
        await send();
      });
    } catch (error) {
      throw translateError(error, 'The queue of jobs');
    }
  }
}
