/** URLs of a service: where its version and its partition stand in them. */
import type { InstanceAddress } from '../support/dicomweb-client.js';

/** An instance in a data partition; in none where a service has none. */
export interface PlacedInstance extends InstanceAddress {
  readonly partition?: string;
}

/** The partition of whoever names none. */
export const defaultPartition = 'Microsoft.Default';

export interface ServiceAddress {
  /** Without version and partition. */
  readonly origin: string;
  /** As in the URL: `v2`; `undefined` where it has none. */
  readonly version?: string;
  readonly partition?: string;
}

/** Takes a base URL apart; `undefined` when it is none of HTTP. */
export function parseServiceUrl(url: string): ServiceAddress | undefined {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) return undefined;
  const { search, hash } = new URL(url);
  if (search !== '' || hash !== '') return undefined;
  const [, service = '', partition] =
    /^(.*?)(?:\/partitions\/([^/]+))?$/.exec(url.replace(/\/+$/, '')) ?? [];
  const [, origin = service, version] = /^(.*?)\/(v\d[^/]*)$/.exec(service) ?? [];
  return {
    origin,
    ...(version !== undefined && { version }),
    ...(partition !== undefined && { partition: decodeURIComponent(partition) }),
  };
}

/** The URL that `studies` follows. */
export function baseOf(root: string, partition: string | undefined): string {
  return partition === undefined ? root : `${root}/partitions/${encodeURIComponent(partition)}`;
}

export function instanceUrl(base: string, { study, series, instance }: InstanceAddress): string {
  return `${base}/studies/${study}/series/${series}/instances/${instance}`;
}

/** An instance in words: its partition, where it has one, and its UIDs. */
export function nameOf({ partition, study, series, instance }: PlacedInstance): string {
  return [partition, study, series, instance].filter((part) => part !== undefined).join('/');
}
