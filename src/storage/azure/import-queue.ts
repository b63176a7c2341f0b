/**
 * The queue that announces uploads to the container `import`, and the one beside it in which the
 * Functions host sets aside what failed too often. Only tools speak to them: in Azure the host reads
 * the queue by itself.
 */
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import type { StorageOptions, TokenCredential } from './connect.js';
import { codeOf, translateError } from './translate-error.js';

export type QueueAddress =
  | { readonly connectionString: string }
  /** `https://{account}.queue.core.windows.net`, and who we are. */
  | { readonly queueUrl: string; readonly credential: TokenCredential };

export interface PoisonMessage {
  /** What the message says: an event as JSON, or a name. */
  readonly text: string;
  /** When it was set aside. */
  readonly since: Date;
}

export interface PoisonList {
  /** The oldest messages, 32 at most: more cannot be looked at without taking them. */
  readonly messages: readonly PoisonMessage[];
  /** How many there are, approximately. */
  readonly count: number;
}

/** Messages of one call, as Azure has it. */
const messagesPerCall = 32;
/** How long a message that is being put back is hidden; a death in between only doubles it. */
const hiddenSeconds = 60;
/** Imports that wait must not vanish after the seven days that are the default. */
const forever = { messageTimeToLive: -1 };

/** Text that is not base64 was put there by other means, and is shown as it is. */
function decode(text: string): string {
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.toString('base64') === text;
  return isBase64 ? bytes.toString('utf8') : text;
}

export class ImportQueue {
  readonly #queue: QueueClient;
  readonly #poison: QueueClient;

  constructor(address: QueueAddress, { prefix = '' }: Pick<StorageOptions, 'prefix'> = {}) {
    const service =
      'connectionString' in address
        ? QueueServiceClient.fromConnectionString(address.connectionString)
        : new QueueServiceClient(address.queueUrl, address.credential);
    this.#queue = service.getQueueClient(`${prefix}import`);
    this.#poison = service.getQueueClient(`${prefix}import-poison`);
  }

  /** Creates the queue when it is not there. @throws ServiceError `storage-unavailable`. */
  async ensureCreated(): Promise<void> {
    await this.#call(async () => await this.#queue.createIfNotExists());
  }

  /**
   * Announces a file of the container `import`: one call.
   *
   * @throws ServiceError `storage-unavailable`.
   */
  async send(name: string): Promise<void> {
    const text = Buffer.from(name).toString('base64');
    await this.#call(async () => await this.#queue.sendMessage(text, forever));
  }

  /** Lists what failed too often. @throws ServiceError `storage-unavailable`. */
  async poison(): Promise<PoisonList> {
    return await this.#unlessAbsent({ messages: [], count: 0 }, async () => {
      const [{ approximateMessagesCount = 0 }, { peekedMessageItems }] = await Promise.all([
        this.#poison.getProperties(),
        this.#poison.peekMessages({ numberOfMessages: messagesPerCall }),
      ]);
      const messages = peekedMessageItems.map(({ messageText, insertedOn }) => ({
        text: decode(messageText),
        since: insertedOn,
      }));
      return { messages, count: Math.max(approximateMessagesCount, messages.length) };
    });
  }

  /**
   * Puts every poison message back into the queue.
   *
   * @returns how many.
   * @throws ServiceError `storage-unavailable`.
   */
  async retryPoison(): Promise<number> {
    await this.ensureCreated();
    return await this.#unlessAbsent(0, async () => {
      for (let count = 0; ;) {
        const { receivedMessageItems } = await this.#poison.receiveMessages({
          numberOfMessages: messagesPerCall,
          visibilityTimeout: hiddenSeconds,
        });
        if (receivedMessageItems.length === 0) return count;
        for (const { messageId, popReceipt, messageText } of receivedMessageItems) {
          await this.#queue.sendMessage(messageText, forever);
          await this.#poison.deleteMessage(messageId, popReceipt);
          count += 1;
        }
      }
    });
  }

  /** The host makes the poison queue when it needs it first. */
  async #unlessAbsent<Result>(absent: Result, work: () => Promise<Result>): Promise<Result> {
    return await this.#call(async () => {
      try {
        return await work();
      } catch (error) {
        if (codeOf(error) === 'QueueNotFound') return absent;
        throw error;
      }
    });
  }

  async #call<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw translateError(error, 'The import queue');
    }
  }
}
