/** The queue of jobs in Azurite: what the function `runJob` is sent. */
import { QueueServiceClient } from '@azure/storage-queue';
import { describe, expect, it } from '@jest/globals';
import { parseJobId } from '../../src/jobs/job.js';
import { Jobs } from '../../src/jobs/jobs.js';
import { runJob } from '../../src/host/jobs/job-runner.js';
import { AzureJobQueue } from '../../src/storage/azure/azure-job-queue.js';
import { MemoryTableStore } from '../../src/storage/memory/memory-table-store.js';
import { testConnectionString, testPrefix } from '../support/storage/azurite.js';

const connectionString = testConnectionString();

function queueClient(name: string) {
  return QueueServiceClient.fromConnectionString(connectionString).getQueueClient(name);
}

describe('the queue of jobs', () => {
  it('is made with the first announcement, and its messages do not expire', async () => {
    const name = testPrefix();
    const queue = new AzureJobQueue(name, { connectionString });
    await queue.announce('0'.repeat(32));
    const { peekedMessageItems } = await queueClient(name).peekMessages();
    const [message] = peekedMessageItems;
    expect(peekedMessageItems).toHaveLength(1);
    expect(message?.expiresOn.getUTCFullYear()).toBe(9999);
  });

  it('hides an announcement for later', async () => {
    const name = testPrefix();
    const queue = new AzureJobQueue(name, { connectionString });
    await queue.announce('0'.repeat(32), 300);
    expect((await queueClient(name).peekMessages()).peekedMessageItems).toEqual([]);
    const { approximateMessagesCount } = await queueClient(name).getProperties();
    expect(approximateMessagesCount).toBe(1);
  });

  it('takes a job to its end, message by message, as the host hands them on', async () => {
    const name = testPrefix();
    const queue = new AzureJobQueue(name, { connectionString });
    const items: string[] = [];
    const slice = async (_input: string, state: string) => {
      await Promise.resolve();
      items.push(state);
      const next = String(Number(state) + 1);
      return next === '3' ? { state: next, end: 'succeeded' as const } : { state: next };
    };
    const jobs = new Jobs({
      tables: new MemoryTableStore(),
      queue,
      kinds: { export: { slice }, reindex: { slice }, untag: { slice }, update: { slice } },
    });
    const id = await jobs.start('export', '{}', '0');
    const client = queueClient(name);
    for (let turn = 0; turn < 3; turn += 1) {
      const [message] = (await client.receiveMessages()).receivedMessageItems;
      if (message === undefined) throw new Error('no message');
      await client.deleteMessage(message.messageId, message.popReceipt);
      // The host decodes Base64 and makes an object of JSON.
      const text = Buffer.from(message.messageText, 'base64').toString();
      await runJob(
        async () => await Promise.resolve({ jobs }),
        () => undefined,
        JSON.parse(text),
        0,
      );
    }
    expect(items).toEqual(['0', '1', '2']);
    expect(await jobs.find(id)).toMatchObject({ status: 'succeeded', state: '3' });
    expect((await client.receiveMessages()).receivedMessageItems).toEqual([]);
    expect(parseJobId(id)).toBe(id);
  });

  it('says so when the storage of queues is away', async () => {
    const away = new AzureJobQueue('jobs', {
      connectionString: connectionString.replace(
        /QueueEndpoint=[^;]*/,
        'QueueEndpoint=http://127.0.0.1:1/devstoreaccount1',
      ),
    });
    await expect(away.announce('0'.repeat(32))).rejects.toMatchObject({
      code: 'storage-unavailable',
    });
  });
});
