/** The parts of the system that handlers use, made once per process. */
import { Archive, type ArchiveOptions } from '../storage/archive/archive.js';
import type { Limits } from './limits.js';
import { pixelWorkInThread, type PixelWork } from './pixel-work.js';
import { AnswerCache } from './retrieve/answer-cache.js';
import { LargeHeaders } from './store/large-headers.js';
import { StoreGate } from './store/store-gate.js';

export interface Services {
  readonly archive: Archive;
  readonly limits: Limits;
  readonly storeGate: StoreGate;
  readonly largeHeaders: LargeHeaders;
  readonly answers: AnswerCache;
  readonly pixels: PixelWork;
  /** Whether data partitions are enabled. */
  readonly partitions: boolean;
}

/** Puts the services together over two stores; without workers, pixels are worked on in this thread. */
export function createServices(
  stores: ArchiveOptions,
  options: Pick<Services, 'limits' | 'partitions'> & Partial<Pick<Services, 'pixels'>>,
): Services {
  const { limits, partitions, pixels = pixelWorkInThread(limits.pixels) } = options;
  return {
    archive: new Archive(stores),
    limits,
    storeGate: new StoreGate(limits.storeRequests),
    largeHeaders: new LargeHeaders(),
    answers: new AnswerCache(),
    pixels,
    partitions,
  };
}
