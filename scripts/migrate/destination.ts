/** The service that is migrated to: ours, in the partition that an instance had at its source. */
import type { Target } from '../import/store-batch.js';
import { sendWithRetries, retryAfterOf } from '../support/with-retries.js';
import {
  baseOf,
  defaultPartition,
  instanceUrl,
  parseServiceUrl,
  type PlacedInstance,
} from './addresses.js';
import type { Tokens } from './tokens.js';

/** The destination cannot take what is migrated; shown as it is. */
export class DestinationRefused extends Error {
  override readonly name = 'DestinationRefused';
}

export interface Destination {
  /** Of the version that is written. */
  readonly root: string;
  /** Where instances of a partition of the source go. @throws DestinationRefused, NoToken. */
  target(partition: string | undefined): Promise<Target>;
  /** Deletes an instance. @returns the status. @throws ServiceUnreachable, DestinationRefused, NoToken. */
  delete(instance: PlacedInstance): Promise<number>;
}

export interface DestinationOptions {
  readonly url: string;
  readonly tokens: Tokens;
  readonly pauses: readonly number[];
}

async function authorization(tokens: Tokens): Promise<Record<string, string>> {
  const token = await tokens();
  return token === undefined ? {} : { Authorization: `Bearer ${token}` };
}

/**
 * Opens the destination, under `/v2` where its URL names no version: what a Microsoft server has taken is taken
 * there.
 *
 * @throws DestinationRefused, ServiceUnreachable, NoToken.
 */
export async function openDestination(options: DestinationOptions): Promise<Destination> {
  const { tokens, pauses } = options;
  const address = parseServiceUrl(options.url);
  if (address === undefined) throw new DestinationRefused(`${options.url} is no URL of a service.`);
  const { origin, version = 'v2', partition: fixed } = address;
  const root = `${origin}/${version}`;
  const send = async (url: string, method: 'GET' | 'DELETE') => {
    const headers = await authorization(tokens);
    return await sendWithRetries(url, pauses, async () => {
      const response = await fetch(url, { method, headers });
      await response.body?.cancel();
      return { status: response.status, retryAfter: retryAfterOf(response) };
    });
  };
  const { status } = await send(`${root}/partitions`, 'GET');
  const hasPartitions = status === 200;
  if (status === 401) {
    throw new DestinationRefused(
      `${origin} wants a token (401): set DICOMWEB_TOKEN or --to-token-command.`,
    );
  }
  const baseFor = (partition: string = defaultPartition): string => {
    if (fixed !== undefined) return baseOf(root, fixed);
    if (hasPartitions) return baseOf(root, partition);
    if (partition === defaultPartition) return root;
    throw new DestinationRefused(
      `The source has the partition ${partition}, and data partitions are not enabled in ${origin} (DICOMWEB_PARTITIONS).`,
    );
  };
  return {
    root,
    target: async (partition) => {
      const token = await tokens();
      return { url: baseFor(partition), pauses, ...(token !== undefined && { token }) };
    },
    delete: async (instance) => {
      const answer = await send(instanceUrl(baseFor(instance.partition), instance), 'DELETE');
      return answer.status;
    },
  };
}
