/**
 * Takes one file through the service: store it, get it back and compare, delete it again, so that the
 * next file with the same UIDs is tested as well.
 */
import { alreadyStored } from '../support/dicomweb-client.js';
import type {
  DicomwebClient,
  InstanceAddress,
  StoreMode,
  StoreOutcome,
} from '../support/dicomweb-client.js';
import { compareDataSets } from './compare.js';
import type { Finding } from './compare.js';
import { digest, normalise } from './normal-form.js';
import type { NormalDataSet, NormalElement } from './normal-form.js';
import type { Testimony } from './oracles.js';

/** What became of one file. Problems are sentences; an empty list is good. */
export type FileResult =
  | {
      readonly kind: 'stored';
      /** Where it was; absent when neither the service nor an oracle told. */
      readonly address?: InstanceAddress;
      /** Retrieval, deletion and whatever else went wrong, but for the metadata. */
      readonly problems: readonly string[];
      readonly findings: readonly Finding[];
    }
  | {
      readonly kind: 'refused';
      readonly status: number;
      /** Failure Reason of the store answer, absent when there was none. */
      readonly reason?: number;
      readonly message: string;
    };

const preamble = 128;

/** The bytes that the service keeps of a file: all but the preamble, which it zeroes. */
export function asKept(file: Uint8Array): Buffer {
  const kept = Buffer.from(file);
  kept.fill(0, 0, preamble);
  return kept;
}

/** Stores, checks and deletes one file. */
export async function checkFile(
  client: DicomwebClient,
  file: Uint8Array,
  mode: StoreMode,
  testimony: Testimony,
): Promise<FileResult> {
  const outcome = await storeAfresh(client, file, mode, testimony.uids);
  if (outcome.kind !== 'stored') return refused(outcome);
  const address = outcome.address ?? testimony.uids;
  if (address === undefined) {
    return { kind: 'stored', problems: ['store: the answer has no Retrieve URL'], findings: [] };
  }
  const problems = [
    ...compareAddress(address, testimony.uids),
    ...(await compareBytes(client, address, file)),
  ];
  const metadata = await fetchMetadata(client, address);
  const findings =
    typeof metadata === 'string'
      ? []
      : compareDataSets(await followReferences(client, address, metadata), testimony.oracles);
  if (typeof metadata === 'string') problems.push(metadata);
  problems.push(...(await deleteInstance(client, address)));
  return { kind: 'stored', address, problems, findings };
}

/** Retrieves an instance and says how it differs from the file, if it does. */
export async function compareBytes(
  client: DicomwebClient,
  address: InstanceAddress,
  ...files: readonly Uint8Array[]
): Promise<readonly string[]> {
  const answer = await client.retrieve(address);
  if (!answer.ok) return [`retrieve: ${answer.status} ${answer.message}`];
  const { body } = answer;
  if (files.some((file) => asKept(file).equals(body))) return [];
  const [kept] = files.map(asKept);
  const at = kept?.findIndex((byte, index) => byte !== body[index]) ?? -1;
  return [
    `retrieve: ${body.length} bytes instead of ${kept?.length ?? 0}, other from byte ${at} on`,
  ];
}

/** Stores a file; one that is there from an earlier run is deleted first. */
async function storeAfresh(
  client: DicomwebClient,
  file: Uint8Array,
  mode: StoreMode,
  uids: InstanceAddress | undefined,
): Promise<StoreOutcome> {
  const outcome = await client.store(file, mode);
  const isThere = outcome.kind === 'failed' && outcome.reason === alreadyStored;
  if (!isThere || uids === undefined) return outcome;
  await client.delete(uids);
  return await client.store(file, mode);
}

function refused(outcome: Exclude<StoreOutcome, { kind: 'stored' }>): FileResult {
  return {
    kind: 'refused',
    status: outcome.status,
    ...(outcome.kind === 'failed' && { reason: outcome.reason }),
    message: outcome.message,
  };
}

function compareAddress(
  address: InstanceAddress,
  expected: InstanceAddress | undefined,
): readonly string[] {
  if (expected === undefined) return [];
  return (['study', 'series', 'instance'] as const)
    .filter((level) => address[level] !== expected[level])
    .map((level) => `store: ${level} UID ${address[level]}, pydicom reads ${expected[level]}`);
}

async function deleteInstance(
  client: DicomwebClient,
  address: InstanceAddress,
): Promise<readonly string[]> {
  const status = await client.delete(address);
  if (status !== 204) return [`delete: ${status} instead of 204`];
  const after = await client.retrieve(address);
  return !after.ok && (after.status === 404 || after.status === 410)
    ? []
    : [`delete: the instance still answers ${after.ok ? 200 : after.status}`];
}

/** The metadata of the instance, or a sentence on what is wrong with them. */
async function fetchMetadata(
  client: DicomwebClient,
  address: InstanceAddress,
): Promise<NormalDataSet | string> {
  const answer = await client.metadata(address);
  if (!answer.ok) return `metadata: ${answer.status} ${answer.message}`;
  try {
    const dataSets: unknown = JSON.parse(answer.body.toString('utf8'));
    if (!Array.isArray(dataSets) || dataSets.length !== 1) return 'metadata: not a list of one';
    return normalise(dataSets[0]);
  } catch (error) {
    return `metadata: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Replaces every reference that can be followed by what is found there. */
async function followReferences(
  client: DicomwebClient,
  address: InstanceAddress,
  dataSet: NormalDataSet,
): Promise<NormalDataSet> {
  const followed = new Map<string, NormalElement>();
  for (const [tag, element] of dataSet) {
    followed.set(tag, await followReference(client, address, element));
  }
  return followed;
}

async function followReference(
  client: DicomwebClient,
  address: InstanceAddress,
  element: NormalElement,
): Promise<NormalElement> {
  if (element.kind === 'items') {
    const items: NormalDataSet[] = [];
    for (const item of element.items) items.push(await followReferences(client, address, item));
    return { ...element, items };
  }
  if (element.kind !== 'reference') return element;
  const answer = await client.bulkData(element.uri, address);
  if (!answer.ok) return element;
  return { kind: 'bytes', vr: element.vr, ...digest(answer.body), by: 'reference' };
}
