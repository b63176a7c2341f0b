/** The parts of the system that handlers use, made once per process. */
import { Archive, type ArchiveOptions } from '../storage/archive/archive.js';
import type { Limits } from './limits.js';
import { StoreGate } from './store/store-gate.js';

export interface Services {
  readonly archive: Archive;
  readonly limits: Limits;
  readonly storeGate: StoreGate;
  /** Whether data partitions are enabled. */
  readonly partitions: boolean;
}

/** Puts the services together over two stores. */
export function createServices(
  stores: ArchiveOptions,
  { limits, partitions }: Pick<Services, 'limits' | 'partitions'>,
): Services {
  const storeGate = new StoreGate(limits.storeRequests);
  return { archive: new Archive(stores), limits, storeGate, partitions };
}
