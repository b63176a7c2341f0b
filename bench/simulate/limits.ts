/**
 * What the simulation takes for granted: Azure's published targets, latencies within a region, and what
 * one store or retrieve costs our process. Change a line to ask another question.
 */

/** Of one standard storage account (Azure's scalability targets, general-purpose v2 and Table storage). */
export const account = {
  tableOperationsPerSecond: 20_000,
  tablePartitionEntitiesPerSecond: 2_000,
  blobRequestsPerSecond: 20_000,
  ingressBytesPerSecond: 25e9 / 8,
  egressBytesPerSecond: 50e9 / 8,
} as const;

/** Seconds until an answer, without waiting in line. Assumed: within one region, small rows. */
export const latency = {
  tableRead: 0.004,
  tableWrite: 0.01,
  blobWrite: 0.02,
  blobRead: 0.012,
} as const;

/** Of one function instance of Flex Consumption with 2 GB of memory, which has one processor. */
export const instance = {
  /** Processor seconds for an instance stored or a frame served: row 9 of the speed table, rounded up. */
  processorPerStore: 0.006,
  processorPerFrame: 0.0025,
  requestsAtATime: 16,
  memoryGB: 2,
} as const;

export const work = {
  instanceBytes: 525_000,
  /**
   * Entities that a request writes to the indexes besides one for each instance: those of studies and
   * series that are new, spread over the requests that fill them.
   */
  indexEntitiesPerRequest: 2,
  /** Study and series, with each commit. */
  rowsAboveInstances: 2,
  viewers: 1000,
  /** A reader scrolls: frames a second while looking, and the share of the time that is. */
  framesPerSecondPerViewer: 2,
  frameBytes: 525_000,
} as const;
